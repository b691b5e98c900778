internal import OCI

/// Where a registry may send us. What a stranger names is a way into networks that only we can reach, and a way out for
/// credentials.
struct DestinationPolicy: Sendable {
    /// The request's own endpoint, at the scheme that it is spoken to in.
    let origin: WebURL
    let insecure: InsecureHosts

    static let maximumHops = 10

    /// A redirect's target (CVE-2018-1000007, CVE-2022-27774 and their kin).
    func check(redirect target: WebURL, from source: WebURL) throws(Fault) {
        if source.scheme == .https, target.scheme == .http {
            throw .refused("redirect from https to plain http (\(target.authority)) refused")
        }
        try check(scheme: target, "redirect")
        try check(address: target, "redirect")
    }

    /// The server that a Bearer challenge names: it will be shown credentials (CVE-2020-15157, CVE-2026-12566).
    func check(realm target: WebURL) throws(Fault) {
        if target.scheme == .http, origin.scheme == .https {
            throw .refused("authentication realm \(target.authority) refused: plain http for a registry on https")
        }
        try check(scheme: target, "authentication realm")
        guard target.host != origin.host else { return }
        try check(address: target, "authentication realm")
        if HostAddress(target.host)?.isPrivate ?? false {
            throw .refused("authentication realm \(target.authority) refused: a private address")
        }
    }

    private func check(scheme target: WebURL, _ what: String) throws(Fault) {
        guard target.scheme == .https || insecure.allowsPlainHTTP(target) else {
            throw .refused(
                "\(what) to plain http (\(target.authority)) refused; list \(target.authority) in insecure-registries "
                    + "if it is meant")
        }
    }

    private func check(address target: WebURL, _ what: String) throws(Fault) {
        guard target.host != origin.host else { return }
        if HostAddress(target.host)?.isLinkLocal ?? false {
            throw .refused("\(what) to link-local address \(target.authority) refused")
        }
        if HostAddress.isLoopback(host: target.host), !HostAddress.isLoopback(host: origin.host) {
            throw .refused("\(what) to this machine (\(target.authority)) refused")
        }
    }

    /// The address that a name turned out to have, before the request is sent: names can point anywhere too.
    func allows(connected address: String, for target: WebURL) -> Bool {
        guard target.host != origin.host, let peer = HostAddress(address) else { return true }
        if peer.isLinkLocal { return false }
        return !peer.isLoopback || HostAddress.isLoopback(host: origin.host)
    }
}
