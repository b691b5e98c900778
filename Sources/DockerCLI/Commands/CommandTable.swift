/// All of docker's commands, in both spellings, and what becomes of each here. What there is to know of a command that
/// works is in its `info`.
package enum CommandTable {
    package struct Entry: Sendable {
        package enum State: Sendable, Hashable {
            case ready
            case planned
            /// Never to come, with the reason.
            case refused(String)
        }

        /// `image ls`: a group and a word, or a word alone.
        package let path: String
        package let summary: String
        package let state: State
        /// Its other spellings.
        package let aliases: [String]
        /// What does it, where it works.
        package let command: (any Command.Type)?

        init(_ command: any Command.Type) {
            let info = command.info
            path = info.path
            summary = info.summary
            state = .ready
            aliases = info.aliases.filter { $0 != info.path }
            self.command = command
        }

        init(path: String, summary: String, state: State = .planned, aliases: [String] = []) {
            self.path = path
            self.summary = summary
            self.state = state
            self.aliases = aliases
            command = nil
        }
    }

    package static func find(_ path: String) -> Entry? {
        entries.first { $0.path == path || $0.aliases.contains(path) }
    }

    /// Words that begin a command: `run`, `image`.
    package static func words() -> [String] {
        var seen: Set<String> = []
        return (entries.map(\.path) + groups.map(\.name)).map { path in String(path.prefix { $0 != " " }) }.filter {
            seen.insert($0).inserted
        }
    }

    /// Second words of a group, with their commands.
    package static func members(of group: String) -> [(word: String, entry: Entry)] {
        let prefix = group + " "
        return entries.flatMap { entry in
            ([entry.path] + entry.aliases).filter { $0.hasPrefix(prefix) }
                .map { (String($0.dropFirst(prefix.count)), entry) }
        }
    }

    /// Whether there are any.
    static func isGroup(_ name: String) -> Bool {
        let prefix = name + " "
        return entries.contains { entry in
            entry.path.hasPrefix(prefix) || entry.aliases.contains { $0.hasPrefix(prefix) }
        }
    }

    /// The same without second spellings.
    package static func words(of group: String) -> [(word: String, entry: Entry)] {
        var seen: Set<String> = []
        return members(of: group).filter { seen.insert($0.entry.path).inserted }
    }

    package static let groups: [(name: String, summary: String)] = [
        ("container", "Commands on containers"), ("image", "Commands on images"), ("system", "Commands on the whole"),
        ("network", "Commands on networks"), ("volume", "Commands on volumes"), ("builder", "Commands on builds"),
        ("manifest", "Commands on manifests and lists of them"), ("context", "Commands on contexts"),
        ("checkpoint", "Commands on checkpoints"), ("compose", "Several containers from one file"),
        ("secret", "Commands on secrets"), ("healthcheck", "Commands on health checks"),
        ("generate", "Commands that write units for other programs"),
    ]

    /// Groups of which a command works.
    static var readyGroups: [(name: String, summary: String)] {
        groups.filter { group in members(of: group.name).contains { $0.entry.state == .ready } }
    }

    package static let entries: [Entry] = containers + images + rest + outside

    /// The short form stands first: it is what the top help lists.
    private static let containers: [Entry] = ready([
        RunCommand.self, CreateCommand.self, StartCommand.self, StopCommand.self, RestartCommand.self, KillCommand.self,
        RemoveContainersCommand.self, PsCommand.self, ExecCommand.self, AttachCommand.self, LogsCommand.self,
        TopCommand.self, PortCommand.self, RenameCommand.self, PauseCommand.self, UnpauseCommand.self,
        StatsCommand.self, WaitCommand.self, CopyCommand.self, DiffCommand.self, ExportCommand.self, CommitCommand.self,
        UpdateCommand.self, ContainerInspectCommand.self, ContainerPruneCommand.self, ContainerExistsCommand.self,
        MountCommand.self, UnmountCommand.self,
    ])

    private static let images: [Entry] = [
        Entry(PullCommand.self), Entry(ResolveCommand.self), Entry(TagsCommand.self),
        Entry(PushCommand.self),
        Entry(ImagesCommand.self),
        Entry(RemoveImagesCommand.self),
        Entry(TagCommand.self),
        Entry(HistoryCommand.self),
        Entry(LayersCommand.self),
        Entry(SaveCommand.self),
        Entry(LoadCommand.self),
        Entry(ImportCommand.self),
        Entry(path: "build", summary: "Build an image from a Dockerfile", aliases: ["image build", "builder build"]),
        Entry(UnpackCommand.self),
        Entry(BundleCommand.self),
        Entry(ImageInspectCommand.self),
        Entry(ImageFilesCommand.self),
        Entry(ImageCatCommand.self),
        Entry(ImageDiffCommand.self),
        Entry(ImageExistsCommand.self),
        Entry(ImagePruneCommand.self),
        Entry(ImageMountCommand.self),
        Entry(ImageUnmountCommand.self),
        Entry(path: "builder prune", summary: "Remove the build cache"),
    ]

    private static let rest: [Entry] =
        [
            Entry(VersionCommand.self),
            Entry(InfoCommand.self),
            Entry(InspectCommand.self),
            Entry(EventsCommand.self),
            Entry(HealthcheckRunCommand.self),
            Entry(LoginCommand.self),
            Entry(LogoutCommand.self),
            Entry(SearchCommand.self),
            Entry(CompletionCommand.self),
            Entry(GenerateSystemdCommand.self),
            Entry(SystemDiskUsageCommand.self),
            Entry(SystemPruneCommand.self),
            Entry(SystemCheckCommand.self),
            Entry(path: "system dial-stdio", summary: "Carry a connection"),
        ]
        + networks + volumes
        + [Entry(ManifestInspectCommand.self)] + ["annotate", "create", "push", "rm"].map { group("manifest", $0) }
        + ["create", "export", "import", "inspect", "ls", "rm", "show", "update", "use"].map { group("context", $0) }
        + ["create", "ls", "rm"].map { group("checkpoint", $0) }
        + ["create", "inspect", "ls", "rm"].map { group("secret", $0) }
        + ["build", "config", "down", "exec", "logs", "ps", "pull", "restart", "rm", "run", "start", "stop", "up"]
        .map { group("compose", $0) }

    private static let networks: [Entry] = ready([
        NetworkConnectCommand.self, NetworkCreateCommand.self, NetworkDisconnectCommand.self,
        NetworkExistsCommand.self, NetworkInspectCommand.self, NetworkListCommand.self, NetworkPruneCommand.self,
        NetworkRemoveCommand.self,
    ])

    private static let volumes: [Entry] = ready([
        VolumeCreateCommand.self, VolumeExistsCommand.self, VolumeInspectCommand.self, VolumeListCommand.self,
        VolumePruneCommand.self, VolumeRemoveCommand.self,
    ])

    private static func ready(_ commands: [any Command.Type]) -> [Entry] { commands.map { Entry($0) } }

    private static func group(_ name: String, _ word: String) -> Entry {
        Entry(
            path: "\(name) \(word)", summary: "",
            aliases: word == "ls" ? ["\(name) list"] : word == "rm" ? ["\(name) remove"] : [])
    }

    private static let outside: [Entry] = [
        ("swarm", cluster), ("node", cluster), ("service", cluster), ("stack", cluster), ("config", cluster),
        ("plugin", "managed plugins need a daemon"), ("trust", "Notary v1 is no longer served"),
        ("buildx", "BuildKit is another product"), ("init", other), ("scout", other), ("debug", other),
        ("model", other),
        ("desktop", other), ("extension", other), ("sbom", other), ("mcp", other), ("ai", other), ("cloud", other),
        ("offload", other), ("sandbox", other), ("harmonia", other), ("dev", other), ("feedback", other),
        ("volume update", cluster),
    ].map { Entry(path: $0.0, summary: "", state: .refused($0.1)) }

    private static let cluster = "clusters are not part of runimg"
    private static let other = "a product of Docker Desktop, not part of runimg"
}
