internal import Engine
internal import OCI

/// The flags of commands that ask registries, while they are being read.
struct RegistryFlags: Sendable {
    private var rules = RegistryRules()
    private(set) var access = RegistryAccess()
    /// Of a `--replace` whose `--replace-to` has not come yet.
    private var replaced: NamePrefix?

    static let names = Set(flags(\Itself.flags).map(\.info.name))

    private struct Itself { var flags = RegistryFlags() }

    static func flags<Draft>(_ path: any (WritableKeyPath<Draft, RegistryFlags> & Sendable)) -> [Flag<Draft>] {
        connection(path) + [
            .value(
                "creds", takes: .text, "User and password for the registry: USER:PASSWORD, or @FILE that holds them"
            ) { (draft, text) throws(ValueError) in
                draft[keyPath: path].access.credentials = try RegistryFlags.credentials(text)
            },
            .value("limit-rate", type: "bytes", "Most bytes a second of all downloads together: 500k, 2m") {
                (draft, text) throws(ValueError) in
                let bytes = try Sizes.ram(text)
                guard bytes > 0 else { throw .invalid("a rate must be more than 0 bytes a second") }
                draft[keyPath: path].access.bytesPerSecond = bytes
            },
            .value("default-registry", takes: .text, CommonFlags.defaultRegistryHelp) {
                (draft, text) throws(ValueError) in
                draft[keyPath: path].rules.defaultRegistry = try CommonFlags.defaultRegistry(text)
            },
            .value("image-repository", takes: .text, CommonFlags.imageRepositoryHelp) {
                (draft, text) throws(ValueError) in
                draft[keyPath: path].rules.rewrites += try CommonFlags.imageRepository(text)
            },
            .value(
                "registry-mirror", type: "list", takes: .text,
                "Mirror for this command: URL, of Docker Hub, or HOST[/PATH]=URL"
            ) { (draft, text) throws(ValueError) in
                draft[keyPath: path].rules.mirrors.append(try CommonFlags.mirror(text))
            },
            .value(
                "replace", type: "list", takes: .text,
                "Beginning of names, HOST[/PATH], for which --replace-to is asked instead"
            ) { (draft, text) throws(ValueError) in try draft[keyPath: path].replace(text) },
            .value("replace-to", type: "list", takes: .text, "What is asked instead: HOST[:PORT][/PATH]") {
                (draft, text) throws(ValueError) in try draft[keyPath: path].replaceTo(text)
            },
        ]
    }

    /// Those about the way to a registry, whatever it is asked.
    static func connection<Draft>(_ path: any (WritableKeyPath<Draft, RegistryFlags> & Sendable)) -> [Flag<Draft>] {
        [
            .value("cacert", takes: .file, "Certificates of further authorities, in a PEM file") {
                (draft, text) throws(ValueError) in
                if text.isEmpty { throw .invalid("want a file") }
                draft[keyPath: path].access.authorityFile = text
            },
            .bool("insecure", "Speak plain http or unchecked TLS with this command's registry") {
                $0[keyPath: path].access.isInsecure = $1
            },
            .value("proxy", takes: .text, "Proxy instead of the environment's: URL, or \"\" for none") {
                (draft, text) throws(ValueError) in draft[keyPath: path].access.proxy = try RegistryFlags.proxy(text)
            },
            .value("retry", type: "int", "How often a request that failed in passing is sent again", default: "5") {
                (draft, text) throws(ValueError) in
                let count = try GoValue.int64(text)
                guard (0...1000).contains(count) else { throw .invalid("want a number from 0 to 1000") }
                draft[keyPath: path].access.retries = Int(count)
            },
            .value("retry-delay", type: "duration", "Pause before that: 2s, 500ms; it grows", default: "1s") {
                (draft, text) throws(ValueError) in
                let nanoseconds = try GoValue.duration(text)
                guard nanoseconds >= 0 else { throw .invalid("a pause can't be negative") }
                draft[keyPath: path].access.retrySeconds = Double(nanoseconds) / 1e9
            },
        ]
    }

    private static func credentials(_ text: String) throws(ValueError) -> RegistryAccess.Credentials {
        if text.hasPrefix("@"), text.count > 1 { return .file(String(text.dropFirst())) }
        // Not quoted: it may be a password.
        guard let result = RegistryAccess.Credentials(parsing: text) else {
            throw .plain("--creds wants USER:PASSWORD, or @FILE with them in its first line")
        }
        return result
    }

    private static let proxySchemes = ["http", "https", "socks4", "socks4a", "socks5", "socks5h"]

    /// curl's kinds; http where none is said. Not quoted in messages: it may hold a password.
    private static func proxy(_ text: String) throws(ValueError) -> String {
        if text.isEmpty || text == "none" { return "" }
        let mark = text.firstRange(of: "://")
        let scheme = mark.map { text[..<$0.lowerBound].lowercased() } ?? "http"
        let rest = mark.map { String(text[$0.upperBound...]) } ?? text
        guard proxySchemes.contains(scheme) else {
            throw .plain(
                "--proxy wants [SCHEME://]HOST[:PORT] with a scheme of \(proxySchemes.joined(separator: ", "))")
        }
        let host = rest.lastIndex(of: "@").map { rest[rest.index(after: $0)...] } ?? rest[...]
        guard let first = host.utf8.first, first != UInt8(ascii: "/"), first != UInt8(ascii: ":"),
            !rest.hasControlCharacters, !rest.contains(" ")
        else { throw .plain("--proxy wants [SCHEME://]HOST[:PORT]: there is no host") }
        return "\(scheme)://\(rest)"
    }

    private mutating func replace(_ text: String) throws(ValueError) {
        if let replaced { throw RegistryFlags.unpaired(replaced) }
        replaced = try CommonFlags.namePrefix(text)
    }

    private mutating func replaceTo(_ text: String) throws(ValueError) {
        guard let prefix = replaced else { throw .plain("--replace-to stands behind the --replace that it belongs to") }
        rules.rewrites.append(.init(prefix, to: try CommonFlags.namePrefix(text), origin: "--replace"))
        replaced = nil
    }

    /// When all flags are read.
    func finish() throws(ValueError) -> RegistryRules {
        if let replaced { throw RegistryFlags.unpaired(replaced) }
        return rules
    }

    /// Whether any of them was given.
    var isUsed: Bool {
        get throws(ValueError) { try finish() != RegistryRules() || access != RegistryAccess() }
    }

    /// What is asked of the registry of that name.
    func request(_ source: String) throws(ValueError) -> PullRequest {
        var request = PullRequest(source: source)
        request.registryRules = try finish()
        request.access = access
        return request
    }

    private static func unpaired(_ prefix: NamePrefix) -> ValueError {
        .plain("--replace \(prefix.text) needs a --replace-to behind it, with what is asked instead")
    }
}
