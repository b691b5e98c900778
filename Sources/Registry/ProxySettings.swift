/// Proxies by the variables that curl knows: `https_proxy`, `http_proxy`, `all_proxy`, `no_proxy`, in both cases.
package struct ProxySettings: Sendable, Hashable {
    private let http: String?
    private let https: String?
    private let exceptions: [String]

    package init(environment: [String: String]) {
        func value(_ name: String) -> String? {
            (environment[name] ?? environment[name.uppercased()]).flatMap { $0.isEmpty ? nil : $0 }
        }
        http = value("http_proxy") ?? value("all_proxy")
        https = value("https_proxy") ?? value("all_proxy")
        exceptions = (value("no_proxy") ?? "").lowercased().split { $0 == "," || $0 == " " }.map(String.init)
    }

    /// One for every URL; none where it is empty.
    package init(all proxy: String) {
        http = proxy.isEmpty ? nil : proxy
        https = http
        exceptions = []
    }

    /// The proxy for a URL, or nil. This machine is never reached by a proxy: plain http is allowed to it because it
    /// does not leave it.
    package func proxy(for url: WebURL) -> String? {
        guard let proxy = url.scheme == .https ? https : http, !HostAddress.isLoopback(host: url.host) else {
            return nil
        }
        return exceptions.contains { matches($0, url) } ? nil : proxy
    }

    /// The ports of all proxies; libcurl's defaults where none is written.
    package var ports: Set<UInt16> {
        Set(
            [http, https].compactMap { $0 }.map { proxy in
                let isSecure = proxy.lowercased().hasPrefix("https://")
                let authority = proxy.components(behind: "://").prefix { $0 != "/" }
                let host = authority.lastIndex(of: "@").map { authority[authority.index(after: $0)...] } ?? authority
                let port = host.lastIndex(of: ":").flatMap { UInt16(host[host.index(after: $0)...]) }
                return port ?? (isSecure ? 443 : 1080)
            })
    }

    private func matches(_ exception: String, _ url: WebURL) -> Bool {
        if exception == "*" { return true }
        if let address = HostAddress(url.host) {
            if let block = AddressBlock(exception) { return block.contains(address) }
            if HostAddress(exception) == address { return true }
        }
        var name = Substring(exception)
        if let colon = name.lastIndex(of: ":"), let port = UInt16(name[name.index(after: colon)...]) {
            guard port == url.port else { return false }
            name = name[..<colon]
        }
        if name.hasPrefix("*.") { name = name.dropFirst() }
        if name.hasPrefix(".") { name = name.dropFirst() }
        return !name.isEmpty && (url.host == name || url.host.hasSuffix("." + name))
    }
}

extension String {
    /// What stands behind the first `mark`; all where there is none.
    fileprivate func components(behind mark: String) -> Substring {
        var rest = self[...]
        while !rest.isEmpty {
            if rest.hasPrefix(mark) { return rest.dropFirst(mark.count) }
            rest = rest.dropFirst()
        }
        return self[...]
    }
}
