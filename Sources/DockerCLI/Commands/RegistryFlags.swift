internal import Engine
internal import OCI

/// The flags of commands that ask registries, while they are being read.
struct RegistryFlags: Sendable {
    private var rules = RegistryRules()
    private(set) var access = RegistryAccess()
    /// Of a `--replace` whose `--replace-to` has not come yet.
    private var replaced: NamePrefix?

    static let names: Set = [
        "default-registry", "image-repository", "insecure", "registry-mirror", "replace", "replace-to",
    ]

    static func flags<Draft>(_ path: any (WritableKeyPath<Draft, RegistryFlags> & Sendable)) -> [Flag<Draft>] {
        [
            .bool("insecure", "Speak plain http or unchecked TLS with this command's registry") {
                $0[keyPath: path].access.isInsecure = $1
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
