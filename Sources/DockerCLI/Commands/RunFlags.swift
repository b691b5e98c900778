internal import Engine
internal import OCI

/// The flags of `run` and `create`: all of docker's, and those of runimg's own.
package enum RunFlags {
    package typealias RunFlag = Flag<RunDraft>

    /// The groups that most command lines need come first.
    package static let table = FlagTable<RunDraft>([
        { process }, { identity }, { lifecycle }, { health }, { storage }, { network }, { addressing }, { resources },
        { isolation }, { planned }, { peers },
    ])

    /// `create` starts nothing, so it has nothing to detach from.
    package static var create: [RunFlag] {
        table.all.filter { !["detach", "detach-keys", "sig-proxy", "dry-run", "timing"].contains($0.info.name) }
    }

    /// Those of these names, for commands that take a part of what `run` takes.
    static func some(_ names: Set<String>) -> [RunFlag] { table.all.filter { names.contains($0.info.name) } }

    private static let process: [RunFlag] = [
        .bool("interactive", short: "i", "Pass standard input on to the container") { $0.request.interactive = $1 },
        .bool("tty", short: "t", "Give the container a terminal") { $0.request.terminal = $1 },
        .bool("init", "Run a small init as process 1: it forwards signals and reaps") { $0.request.useInit = $1 },
        .value("env", short: "e", type: "list", takes: .text, "Environment variable, as NAME=VALUE or NAME to pass on")
        {
            (draft, text) throws(ValueError) in
            draft.request.process.environment.append(try Names.environment(text))
        },
        .value("env-file", type: "list", takes: .file, "File of environment variables, one a line") {
            $0.request.process.environmentFiles.append($1)
        },
        .value("entrypoint", takes: .text, "Replace the image's entrypoint; \"\" takes it away") {
            $0.request.process.entrypoint = $1.isEmpty ? [] : [$1]
        },
        .value("workdir", short: "w", takes: .text, "Working directory inside the container") {
            (draft, text) throws(ValueError) in
            draft.request.process.workingDirectory = try workingDirectory(text)
        },
        .value("user", short: "u", takes: .text, "User to run as: NAME|UID[:GROUP|GID]") {
            (draft, text) throws(ValueError) in
            draft.request.process.user = text.isEmpty ? nil : try Names.clean(text, flag: "--user")
        },
        .value("group-add", type: "list", takes: .text, "Supplementary group, by name or number") {
            (draft, text) throws(ValueError) in
            draft.request.process.additionalGroups.append(try Names.clean(text, flag: "--group-add"))
        },
        .value("stop-signal", takes: .signal, "Signal that stops the container") { (draft, text) throws(ValueError) in
            draft.request.process.stopSignal = text.isEmpty ? nil : try SignalName.validate(text)
        },
        .value(
            "ulimit", type: "ulimit", takes: Ulimit.values, "Resource limit of processes: TYPE=SOFT[:HARD]",
            default: "[]"
        ) {
            (draft, text) throws(ValueError) in
            let limit = try Ulimit.parse(text)
            draft.request.process.ulimits.removeAll { $0.type == limit.type }
            draft.request.process.ulimits.append(limit)
        },
    ]

    private static func workingDirectory(_ text: String) throws(ValueError) -> String? {
        if text.isEmpty { return nil }
        guard text.hasPrefix("/") else {
            throw .plain(
                "the working directory '\(Names.printable(text))' is invalid, it needs to be an absolute path")
        }
        return try Names.clean(text, flag: "--workdir").cleanedPath
    }

    private static let identity: [RunFlag] =
        [
            .value("name", takes: .text, "Name of the container") { (draft, text) throws(ValueError) in
                draft.request.name = try Names.container(text)
            },
            .value("hostname", short: "h", takes: .text, "Host name inside the container") {
                (draft, text) throws(ValueError) in
                draft.request.process.hostname = try Names.host(text, flag: "hostname")
            },
            .value("domainname", takes: .text, "NIS domain name inside the container") {
                (draft, text) throws(ValueError) in
                draft.request.process.domainname = try Names.host(text, flag: "domainname")
            },
            .value("label", short: "l", type: "list", takes: .text, "Label of the container: KEY[=VALUE]") {
                (draft, text) throws(ValueError) in
                draft.request.process.labels.append(try Names.label(text))
            },
            .value("cidfile", takes: .file, "Write the container's ID to this file") {
                $0.request.containerIDFile = $1.isEmpty ? nil : $1
            },
            .bool("rm", "Remove the container and its anonymous volumes when it ends") { $0.request.remove = $1 },
            .value(
                "pull", takes: .names(of: RunRequest.PullPolicy.self),
                "Pull the image before: \"always\", \"missing\" or \"never\"", default: "\"missing\""
            ) {
                (draft, text) throws(ValueError) in
                draft.request.pull = try Modes.pull(text)
            },
            .value("platform", takes: .platform, "Platform of the image: OS/ARCHITECTURE[/VARIANT]") {
                (draft, text) throws(ValueError) in
                draft.request.platform = try CommonFlags.platform(text)
            },
            .bool("quiet", short: "q", "Say nothing of the pull") { $0.request.quiet = $1 },
            .bool("dry-run", "Print the plan of the start instead of starting") { $0.request.dryRun = $1 },
            .bool("timing", "Say at the end, on standard error, where the time went") {
                $0.request.timing = $1 ? true : nil
            },
        ] + RegistryFlags.flags(\RunDraft.registry)

    private static let storage: [RunFlag] = [
        .value(
            "volume", short: "v", type: "list", takes: .mounted,
            "Mount a directory or a volume: [SOURCE:]TARGET[:OPTIONS]"
        ) {
            $0.volumes.append($1)
        },
        .value(
            "mount", type: "mount", takes: .words(["type=bind,src=", "type=volume,src=", "type=tmpfs,dst="]),
            "Mount, as type=bind|volume|tmpfs,src=…,dst=…"
        ) {
            (draft, text) throws(ValueError) in
            draft.request.mounts.append(try Mounts.parse(text))
        },
        .value("tmpfs", type: "list", takes: .text, "Mount a file system in memory: TARGET[:OPTIONS]") {
            (draft, text) throws(ValueError) in
            draft.request.mounts.append(try Tmpfs.parse(text))
        },
        .bool("rootfs", "Run a directory of the host, DIRECTORY[:O], instead of an image; O keeps it unchanged") {
            $0.runsDirectory = $1
        },
        .bool("read-only", "Make the root file system read-only") { $0.request.readOnly = $1 },
        .value("shm-size", type: "bytes", "Size of /dev/shm") { (draft, text) throws(ValueError) in
            let size = try Sizes.ram(text)
            draft.request.resources.shmSize = size == 0 ? nil : size
        },
        .value("device", type: "list", takes: .file, "Device of the host: HOST[:CONTAINER][:rwm]") {
            (draft, text) throws(ValueError) in
            draft.request.devices.append(try Devices.parse(text))
        },
    ]

    private static let network: [RunFlag] = [
        networkFlag("network"),
        networkFlag("net").hidden(),
        .value(
            "publish", short: "p", type: "list", takes: .text,
            "Publish a port of the container: [[ADDRESS:]HOST:]CONTAINER[/PROTOCOL]"
        ) {
            (draft, text) throws(ValueError) in
            draft.networking.published += try PortSpecification.parse(text)
        },
        .bool("publish-all", short: "P", "Publish all exposed ports at any free ports of the host") {
            $0.networking.publishesAll = $1
        },
        .value("expose", type: "list", takes: .text, "Expose a port or a range of ports: PORT[-PORT][/PROTOCOL]") {
            (draft, text) throws(ValueError) in
            draft.networking.exposed += try PortSpecification.parseExposed(text)
        },
    ]

    private static func networkFlag(_ name: String) -> RunFlag {
        .value(
            name, type: "network", takes: NetworkChoice.values,
            "Network, by its name or ID; bridge, none, host or container:NAME"
        ) {
            (draft, text) throws(ValueError) in
            draft.networks.append(try NetworkChoice.parse(text))
        }
    }
}
