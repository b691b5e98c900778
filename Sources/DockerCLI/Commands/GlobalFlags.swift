package import Engine
internal import OCI

/// What may stand before the command.
package enum GlobalFlags {
    package struct Draft: Sendable {
        package var options = GlobalOptions()
        package var version = false
    }

    /// Where the data is, and all others: a command line is read in microseconds where it has none of these.
    package static let table = FlagTable<Draft>([{ places }, { others }])

    package static var flags: [Flag<Draft>] { places + others }

    private static let places: [Flag<Draft>] = [
        .value(
            "data-root", takes: .directory, "Directory of images and containers", default: "\"/var/lib/runimg\"",
            dataRoot),
        Flag.value("graph", short: "g", takes: .directory, "Directory of images and containers", dataRoot)
            .hidden(deprecated: "use --data-root instead"),
    ]

    private static let others: [Flag<Draft>] = [
        .value("config", takes: .directory, "Directory of docker's config.json") {
            $0.options.dockerConfigDirectory = $1
        },
        .value("config-file", takes: .file, "Configuration file instead of the system's") {
            $0.options.configFile = $1
        },
        .value("context", short: "c", takes: .words(["default"]), "Context: default") { (_, text) throws(ValueError) in
            if !["", "default"].contains(text) { throw .planned("--context \(Names.printable(text))") }
        },
        .value("default-registry", takes: .text, CommonFlags.defaultRegistryHelp) {
            (draft, text) throws(ValueError) in
            draft.options.registryRules.defaultRegistry = try CommonFlags.defaultRegistry(text)
        },
        .bool("debug", short: "D", "Say what is being done") { if $1 { $0.options.logLevel = .debug } },
        .refused(
            "host", short: "H", type: "list", "Daemon to connect to",
            reason: "there is no daemon to connect to; containers run on this machine"),
        .value("image-repository", takes: .text, CommonFlags.imageRepositoryHelp) {
            (draft, text) throws(ValueError) in
            draft.options.registryRules.rewrites += try CommonFlags.imageRepository(text)
        },
        .value("insecure-registry", type: "list", takes: .text, "Registry to speak plain http or unchecked TLS with") {
            $0.options.insecureRegistries.append($1)
        },
        .value(
            "log-level", short: "l", takes: .words(["debug", "info", "warn", "error", "fatal"]),
            "\"debug\", \"info\", \"warn\", \"error\", \"fatal\"", default: "\"info\""
        ) {
            (draft, text) throws(ValueError) in
            guard let level = GlobalOptions.LogLevel(rawValue: text == "warning" ? "warn" : text.lowercased()) else {
                throw .plain("Unable to parse logging level: \(Names.printable(text))")
            }
            draft.options.logLevel = level
        },
        .value(
            "registry-mirror", type: "list", takes: .text, "Mirror: URL, of Docker Hub, or HOST[/PATH]=URL"
        ) { (draft, text) throws(ValueError) in
            draft.options.registryRules.mirrors.append(try CommonFlags.mirror(text))
        },
        .value(
            "storage-driver", short: "s", takes: .names(of: StorageDriver.self),
            "Storage driver: \(StorageDriver.names); whichever works unless told", storageDriver),
        // What a monitor tells the commands that it runs for an ordinary user.
        Flag.value("rootless", takes: .text, "The namespace that the process is in") {
            (draft, text) throws(ValueError) in
            guard let rootless = Rootless(text) else { throw .plain("--rootless: invalid value") }
            draft.options.rootless = rootless
        }.hidden(),
        daemon("tls", "bool"), daemon("tlscacert", "string"), daemon("tlscert", "string"), daemon("tlskey", "string"),
        daemon("tlsverify", "bool"),
        .bool("version", short: "v", "Print the version and quit") { $0.version = $1 },
    ]

    private static func daemon(_ name: String, _ type: String) -> Flag<Draft> {
        .refused(name, type: type, "Connection to a daemon", reason: "there is no daemon to connect to")
    }

    private static let dataRoot: Flag<Draft>.Setter = { (draft, text) throws(ValueError) in
        guard !text.isEmpty else { throw .plain("--data-root: empty path") }
        draft.options.dataRoot = try Names.clean(text, flag: "--data-root")
    }

    private static let storageDriver: Flag<Draft>.Setter = { (draft, text) throws(ValueError) in
        do throws(StorageDriver.UnknownDriver) {
            _ = try StorageDriver.asked(text)
        } catch {
            throw .plain("\(error)")
        }
        draft.options.storageDriver = text
    }
}
