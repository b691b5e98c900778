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

    /// The proxy for a URL, or nil. This machine is never reached by a proxy: plain http is allowed to it because it
    /// does not leave it.
    package func proxy(for url: WebURL) -> String? {
        guard let proxy = url.scheme == .https ? https : http, !HostAddress.isLoopback(host: url.host) else {
            return nil
        }
        return exceptions.contains { matches($0, url) } ? nil : proxy
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
