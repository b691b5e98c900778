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
        let what = "redirect from \(source.authority) to \(target.authority)"
        if source.scheme == .https, target.scheme == .http {
            throw .refused("\(what) refused: from https to plain http")
        }
        try check(scheme: target, what)
        try check(address: target, what)
    }

    /// The server that a Bearer challenge names: it will be shown credentials (CVE-2020-15157, CVE-2026-12566).
    func check(realm target: WebURL) throws(Fault) {
        let what = "authentication realm \(target.authority)"
        if target.scheme == .http, origin.scheme == .https {
            throw .refused("\(what) refused: plain http for a registry on https")
        }
        try check(scheme: target, what)
        guard target.host != origin.host else { return }
        try check(address: target, what)
        if HostAddress(target.host)?.isPrivate ?? false { throw .refused("\(what) refused: a private address") }
    }

    private func check(scheme target: WebURL, _ what: String) throws(Fault) {
        guard target.scheme == .https || insecure.allowsPlainHTTP(target) else {
            throw .refused(
                "\(what) refused: plain http; list \(target.authority) in insecure-registries if it is meant")
        }
    }

    private func check(address target: WebURL, _ what: String) throws(Fault) {
        guard target.host != origin.host else { return }
        let address = HostAddress(target.host)
        if address?.isLinkLocal ?? false { throw .refused("\(what) refused: a link-local address") }
        let isLocal = HostAddress.isLoopback(host: target.host) || address?.isUnspecified ?? false
        if isLocal, !HostAddress.isLoopback(host: origin.host) {
            throw .refused("\(what) refused: it leads to this machine")
        }
    }

    /// The address that a name turned out to have, before the request is sent: names can point anywhere too.
    func allows(connected address: String, for target: WebURL) -> Bool {
        guard target.host != origin.host, let peer = HostAddress(address) else { return true }
        if peer.isLinkLocal { return false }
        return !(peer.isLoopback || peer.isUnspecified) || HostAddress.isLoopback(host: origin.host)
    }
}
