internal import OCI

/// A `hosts.toml` of containerd's, which says where the names of one registry are asked for.
struct HostsFile: Sendable, Hashable {
    private(set) var namespace: RegistryRules.Namespace
    private(set) var insecure: [String] = []
    private(set) var certificates: [String: HostCertificates] = [:]
    private(set) var warnings: [String] = []

    private let path: String
    /// The registry whose names these are; nil for all others.
    private let registry: String?

    typealias Fault = RegistriesConf.Fault

    /// `asked` is the registry of the name that is asked for, `registry` the directory's.
    init(_ table: TOMLTable, path: String, registry: String?, asked: String) throws(Fault) {
        self.path = path
        self.registry = registry
        namespace = RegistryRules.Namespace(registry ?? "", origin: "\(path):1")
        for (url, value) in table["host"]?.table?.entries ?? [] {
            guard let entry = value.table else { throw Fault(line: value.line, reason: "want [host.\"URL\"]") }
            if let place = try place(url, entry, line: value.line, asked: asked) { namespace.mirrors.append(place) }
        }
        guard let server = table["server"] else { return }
        guard let url = server.string else { throw Fault(line: server.line, reason: "server: want a string") }
        namespace.location = try place(url, table, line: server.line, asked: asked)
    }

    /// nil for a host that can't be asked, which is warned of.
    private mutating func place(
        _ url: String, _ entry: TOMLTable, line: Int, asked: String
    ) throws(Fault) -> RegistryRules.Place? {
        let parts = try HostsFile.parts(of: url, line)
        for key in ["header", "proxy", "dial_timeout"] {
            if let value = entry[key] {
                warnings.append("\(path):\(max(value.line, line)): \(key) has no effect here")
            }
        }
        let capabilities = try entry["capabilities"].map { value throws(Fault) in
            try RegistriesConf.strings("capabilities", value)
        }
        if capabilities?.contains("pull") == false { return nil }
        let overrides = try RegistriesConf.boolean("override_path", entry)
        guard let below = HostsFile.repositoryPrefix(parts.path, overrides: overrides) else {
            warnings.append("\(path):\(line): \(ForeignText(url)) is not asked: its path does not begin with /v2")
            return nil
        }
        var place = RegistryRules.Place(parts.host + below, origin: "\(path):\(line)")
        place.scheme = parts.scheme
        place.resolves = capabilities?.contains("resolve") ?? true
        let isHub = asked == Reference.defaultDomain && parts.host == "registry-1.docker.io"
        if parts.host != asked, !isHub { place.namespace = asked }
        if try RegistriesConf.boolean("skip_verify", entry) || parts.scheme == "http" { insecure.append(parts.host) }
        try addCertificates(parts.host, entry)
        return place
    }

    /// `https://HOST[:PORT][/PATH]`; https where no scheme is said.
    private static func parts(of url: String, _ line: Int) throws(Fault) -> (scheme: String, host: String, path: String)
    {
        var rest = url[...]
        var scheme = "https"
        if let mark = url.firstRange(of: "://") {
            scheme = url[..<mark.lowerBound].lowercased()
            rest = url[mark.upperBound...]
        }
        let host = String(rest.prefix { $0 != "/" })
        guard ["http", "https"].contains(scheme), !rest.contains("?"), !rest.contains("#") else {
            throw Fault(line: line, reason: "\(ForeignText(url)): want https://HOST[:PORT][/PATH]")
        }
        if !host.contains(":"), !host.contains("."), host != "localhost" {
            throw Fault(
                line: line, reason: "\(ForeignText(url)): \(ForeignText(host)) is no host with a domain or port")
        }
        _ = try RegistriesConf.prefix(host, line)
        var path = String(rest.dropFirst(host.count))
        while path.hasSuffix("/") { path.removeLast() }
        return (scheme, host, path)
    }

    /// What stands before the repository's name, behind `/v2`.
    private static func repositoryPrefix(_ path: String, overrides: Bool) -> String? {
        if path.isEmpty { return overrides ? nil : "" }
        if path == "/v2" { return "" }
        return overrides && path.hasPrefix("/v2/") ? String(path.dropFirst(3)) : nil
    }

    private mutating func addCertificates(_ host: String, _ entry: TOMLTable) throws(Fault) {
        var files = HostCertificates()
        if let value = entry["ca"] { files.authorities = try RegistriesConf.strings("ca", value).map(absolute) }
        if let value = entry["client"] {
            let pair = value.array?.first?.array ?? [value.array?.first ?? value]
            files.client = pair.first?.string.map(absolute)
            if files.client == nil {
                throw Fault(line: value.line, reason: "client: want a path, a list of paths or of pairs of them")
            }
            if pair.count > 1 { files.clientKey = pair[1].string.flatMap { $0.isEmpty ? nil : absolute($0) } }
        }
        if files != HostCertificates() { certificates[host] = files }
    }

    /// Paths are relative to the file.
    private func absolute(_ file: String) -> String {
        file.hasPrefix("/") ? file : path[..<(path.lastIndex(of: "/") ?? path.endIndex)] + "/" + file
    }
}
