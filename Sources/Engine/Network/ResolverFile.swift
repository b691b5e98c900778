internal import OCI

/// A container's resolv.conf(5), made of the host's and of what the user wants instead.
struct ResolverFile {
    /// As they stand in the file: one of version 6 may have a scope.
    var servers: [String] = []
    var search: [String] = []
    var options: [String] = []
    /// Lines of other kinds.
    private var rest: [String] = []

    /// docker's, for hosts whose own resolver no container can reach.
    static let publicServers = ["8.8.8.8", "8.8.4.4"]
    /// Where systemd-resolved listens, and where it says whom it asks itself.
    static let localResolver = "127.0.0.53"
    static let localResolverServers = "/run/systemd/resolve/resolv.conf"

    init(_ text: String) {
        for line in text.split(separator: "\n") {
            let words = line.split { $0 == " " || $0 == "\t" || $0 == "\r" }.map(String.init)
            guard let key = words.first, !key.hasPrefix("#"), !key.hasPrefix(";") else { continue }
            switch key {
            case "nameserver": if words.count > 1 { servers.append(words[1]) }
            // The last of these two wins (resolv.conf(5)).
            case "search", "domain": search = Array(words.dropFirst())
            case "options": options += words.dropFirst()
            default: rest.append(words.joined(separator: " "))
            }
        }
    }

    /// Whether it only names systemd-resolved.
    var namesLocalResolver: Bool { !servers.isEmpty && servers.allSatisfy { $0 == ResolverFile.localResolver } }

    /// Leaves out what is only reached from the host's own network: loopback, and addresses of a link of its.
    mutating func dropLocalServers() {
        servers.removeAll { text in IPAddress(text).map { $0.isLoopback || $0.isUnspecified } ?? true }
    }

    /// Takes what was asked; `.` as a search domain means none.
    mutating func apply(_ asked: DNSOptions) {
        if !asked.servers.isEmpty { servers = asked.servers.map { "\($0)" } }
        if !asked.search.isEmpty { search = asked.search.filter { $0 != "." } }
        if !asked.options.isEmpty { options = asked.options }
    }

    var text: String {
        var lines = servers.map { "nameserver \($0)" }
        if !search.isEmpty { lines.append("search \(search.joined(separator: " "))") }
        if !options.isEmpty { lines.append("options \(options.joined(separator: " "))") }
        return (lines + rest).map { "\($0)\n" }.joined()
    }
}

extension DNSOptions {
    /// What is not asked here is the other's.
    package func completed(by other: DNSOptions) -> DNSOptions {
        var result = self
        if servers.isEmpty { result.servers = other.servers }
        if search.isEmpty { result.search = other.search }
        if options.isEmpty { result.options = other.options }
        return result
    }
}
