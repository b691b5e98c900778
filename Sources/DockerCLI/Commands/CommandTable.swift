/// All of docker's commands, in both spellings, and what becomes of each here.
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
        package var state = State.planned
        package var aliases: [String] = []
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
    ]

    package static let entries: [Entry] = containers + images + rest + outside

    /// The short form stands first: it is what the top help lists.
    private static let containers: [Entry] = [
        Entry(
            path: "run", summary: "Make a container from an image and run it", state: .ready, aliases: ["container run"]
        ),
        Entry(path: "create", summary: "Make a container", state: .ready, aliases: ["container create"]),
        Entry(path: "start", summary: "Start stopped containers", state: .ready, aliases: ["container start"]),
        Entry(path: "stop", summary: "Stop running containers", state: .ready, aliases: ["container stop"]),
        Entry(path: "restart", summary: "Stop and start containers", state: .ready, aliases: ["container restart"]),
        Entry(path: "kill", summary: "Send a signal to containers", state: .ready, aliases: ["container kill"]),
        Entry(path: "rm", summary: "Remove containers", state: .ready, aliases: ["container rm", "container remove"]),
        Entry(
            path: "ps", summary: "List containers", state: .ready,
            aliases: ["container ls", "container list", "container ps"]),
        Entry(
            path: "exec", summary: "Run a command in a running container", state: .ready, aliases: ["container exec"]),
        Entry(
            path: "attach", summary: "Connect the terminal to a running container", state: .ready,
            aliases: ["container attach"]),
        Entry(path: "logs", summary: "Show what a container wrote", state: .ready, aliases: ["container logs"]),
        Entry(path: "top", summary: "List the processes of a container", state: .ready, aliases: ["container top"]),
        Entry(
            path: "port", summary: "List the published ports of a container", state: .ready,
            aliases: ["container port"]),
        Entry(path: "rename", summary: "Rename a container", state: .ready, aliases: ["container rename"]),
        Entry(path: "pause", summary: "Freeze containers", state: .ready, aliases: ["container pause"]),
        Entry(path: "unpause", summary: "Thaw containers", state: .ready, aliases: ["container unpause"]),
        Entry(path: "stats", summary: "Show what containers use", state: .ready, aliases: ["container stats"]),
        Entry(path: "wait", summary: "Wait until containers end", state: .ready, aliases: ["container wait"]),
        Entry(path: "cp", summary: "Copy files from or to a container", state: .ready, aliases: ["container cp"]),
        Entry(
            path: "diff", summary: "List the files that a container changed", state: .ready, aliases: ["container diff"]
        ),
        Entry(
            path: "export", summary: "Write a container's files as a tar", state: .ready, aliases: ["container export"]),
        Entry(path: "commit", summary: "Make an image from a container", state: .ready, aliases: ["container commit"]),
        Entry(
            path: "update", summary: "Change the settings of containers", state: .ready, aliases: ["container update"]),
        Entry(path: "container inspect", summary: "Show all of a container", state: .ready),
        Entry(path: "container prune", summary: "Remove stopped containers", state: .ready),
        Entry(
            path: "container exists", summary: "Tell by the exit code whether a container is there", state: .ready),
    ]

    private static let images: [Entry] = [
        Entry(path: "pull", summary: "Fetch images from a registry", state: .ready, aliases: ["image pull"]),
        Entry(path: "push", summary: "Send an image to a registry", aliases: ["image push"]),
        Entry(path: "images", summary: "List images", state: .ready, aliases: ["image ls", "image list"]),
        Entry(path: "rmi", summary: "Remove images", state: .ready, aliases: ["image rm", "image remove"]),
        Entry(path: "tag", summary: "Give an image a further name", aliases: ["image tag"]),
        Entry(path: "history", summary: "Show how an image was made", aliases: ["image history"]),
        Entry(path: "save", summary: "Write images to a tar", aliases: ["image save"]),
        Entry(path: "load", summary: "Read images from a tar", aliases: ["image load"]),
        Entry(path: "import", summary: "Make an image from a tar of files", aliases: ["image import"]),
        Entry(path: "build", summary: "Build an image from a Dockerfile", aliases: ["image build", "builder build"]),
        Entry(path: "image inspect", summary: "Show all of an image", state: .ready),
        Entry(path: "image exists", summary: "Tell by the exit code whether an image is there", state: .ready),
        Entry(path: "image prune", summary: "Remove unused images"),
        Entry(path: "image mount", summary: "Mount an image's files"),
        Entry(path: "image unmount", summary: "Unmount an image's files"),
        Entry(path: "builder prune", summary: "Remove the build cache"),
    ]

    private static let rest: [Entry] =
        [
            Entry(path: "version", summary: "Show versions", state: .ready),
            Entry(
                path: "info", summary: "Show what this installation is and can do", state: .ready,
                aliases: ["system info"]),
            Entry(path: "inspect", summary: "Show all of a container, image or volume", state: .ready),
            Entry(path: "events", summary: "Show what happens", state: .ready, aliases: ["system events"]),
            Entry(path: "healthcheck run", summary: "Check the health of a container now", state: .ready),
            Entry(path: "login", summary: "Log in to a registry"),
            Entry(path: "logout", summary: "Log out of a registry"),
            Entry(path: "search", summary: "Search Docker Hub"),
            Entry(path: "completion", summary: "Print a completion script for a shell"),
            Entry(path: "system df", summary: "Show what takes space"),
            Entry(path: "system prune", summary: "Remove what is unused"),
            Entry(path: "system dial-stdio", summary: "Carry a connection"),
        ]
        + ["connect", "create", "disconnect", "inspect", "ls", "prune", "rm"].map { group("network", $0) }
        + volumes
        + ["annotate", "create", "inspect", "push", "rm"].map { group("manifest", $0) }
        + ["create", "export", "import", "inspect", "ls", "rm", "show", "update", "use"].map { group("context", $0) }
        + ["create", "ls", "rm"].map { group("checkpoint", $0) }
        + ["create", "inspect", "ls", "rm"].map { group("secret", $0) }
        + ["build", "config", "down", "exec", "logs", "ps", "pull", "restart", "rm", "run", "start", "stop", "up"]
        .map { group("compose", $0) }

    private static let volumes: [Entry] = [
        Entry(path: "volume create", summary: "Make a volume", state: .ready),
        Entry(path: "volume exists", summary: "Tell by the exit code whether a volume is there", state: .ready),
        Entry(path: "volume inspect", summary: "Show all of a volume", state: .ready),
        Entry(path: "volume ls", summary: "List volumes", state: .ready, aliases: ["volume list"]),
        Entry(path: "volume prune", summary: "Remove volumes that no container uses", state: .ready),
        Entry(path: "volume rm", summary: "Remove volumes", state: .ready, aliases: ["volume remove"]),
    ]

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
