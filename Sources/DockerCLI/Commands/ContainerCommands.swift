internal import Engine

/// The commands on containers, by their path in the table.
enum ContainerCommands {
    typealias Main = (ArraySlice<String>, String, CommandContext) -> Int32

    static func find(_ path: String) -> Main? {
        switch path {
        case "create": { CreateCommand.main($0, path: $1, $2) }
        case "start": { StartCommand.main($0, path: $1, $2) }
        case "stop": { StopCommand.main($0, path: $1, $2) }
        case "restart": { RestartCommand.main($0, path: $1, $2) }
        case "kill": { KillCommand.main($0, path: $1, $2) }
        case "rm": { RemoveContainersCommand.main($0, path: $1, $2) }
        case "attach": { AttachCommand.main($0, path: $1, $2) }
        case "logs": { LogsCommand.main($0, path: $1, $2) }
        case "rename": { RenameCommand.main($0, path: $1, $2) }
        case "ps": { PsCommand.main($0, path: $1, $2) }
        case "wait": { WaitCommand.main($0, path: $1, $2) }
        case "pause": { PauseCommand.main($0, path: $1, $2) }
        case "unpause": { UnpauseCommand.main($0, path: $1, $2) }
        case "update": { UpdateCommand.main($0, path: $1, $2) }
        case "top": { TopCommand.main($0, path: $1, $2) }
        case "stats": { StatsCommand.main($0, path: $1, $2) }
        case "cp": { CopyCommand.main($0, path: $1, $2) }
        case "diff": { DiffCommand.main($0, path: $1, $2) }
        case "export": { ExportCommand.main($0, path: $1, $2) }
        case "commit": { CommitCommand.main($0, path: $1, $2) }
        case "exec": { ExecCommand.main($0, path: $1, $2) }
        default: ViewCommands.find(path)
        }
    }
}

/// The commands that show what is there, and those on volumes.
private enum ViewCommands {
    static func find(_ path: String) -> ContainerCommands.Main? {
        switch path {
        case "inspect": { InspectCommand.main($0, path: $1, $2) }
        case "container inspect": { ContainerInspectCommand.main($0, path: $1, $2) }
        case "image inspect": { ImageInspectCommand.main($0, path: $1, $2) }
        case "container prune": { ContainerPruneCommand.main($0, path: $1, $2) }
        case "container exists": { ContainerExistsCommand.main($0, path: $1, $2) }
        case "image exists": { ImageExistsCommand.main($0, path: $1, $2) }
        case "port": { PortCommand.main($0, path: $1, $2) }
        case "healthcheck run": { HealthcheckRunCommand.main($0, path: $1, $2) }
        case "volume create": { VolumeCreateCommand.main($0, path: $1, $2) }
        case "volume exists": { VolumeExistsCommand.main($0, path: $1, $2) }
        case "volume inspect": { VolumeInspectCommand.main($0, path: $1, $2) }
        case "volume ls": { VolumeListCommand.main($0, path: $1, $2) }
        case "volume prune": { VolumePruneCommand.main($0, path: $1, $2) }
        case "volume rm": { VolumeRemoveCommand.main($0, path: $1, $2) }
        default: nil
        }
    }
}

/// Which containers a command is about: those that are named, or as podman has it all or the latest.
package struct ContainerSelection: Sendable {
    package var all = false
    package var latest = false
    /// A container that is not there is no failure.
    package var ignoresMissing = false

    package init() {}

    /// podman's flags, in all commands that take several containers.
    static func flags<Draft>(
        _ path: any WritableKeyPath<Draft, ContainerSelection> & Sendable, ignore: Bool = true
    ) -> [Flag<Draft>] {
        var flags: [Flag<Draft>] = [
            .bool("all", "All containers that the command can be used on") { $0[keyPath: path].all = $1 },
            .bool("latest", "The container that was made last") { $0[keyPath: path].latest = $1 },
        ]
        if ignore {
            flags.append(
                .bool("ignore", "Say nothing of containers that are not there") {
                    $0[keyPath: path].ignoresMissing = $1
                })
        }
        return flags
    }

    /// The names, and with `all` those of the containers for which `applies` is true.
    func names(
        _ arguments: [String], _ engine: any EngineVerbs, _ info: CommandInfo, _ path: String,
        where applies: (ListedContainer) -> Bool
    ) throws -> [String] {
        if all || latest {
            if !arguments.isEmpty { throw CommandError.failed("--all and --latest take no names", code: 125) }
            let listed = try engine.list()
            return (latest ? Array(listed.prefix(1)) : listed.filter(applies)).map(\.record.id)
        }
        try Failure.checkCount(arguments, atLeast: 1, path)
        return arguments
    }

    /// Does `body` for each, goes on after a failure, and tells by the exit code whether there was one. What `body` returns
    /// is printed.
    func each(
        _ names: [String], _ context: CommandContext, _ body: (String) throws -> String?
    ) -> Int32 {
        var code: Int32 = 0
        for name in names {
            do {
                if let line = try body(name) { context.output.line(line) }
            } catch {
                if ignoresMissing, (error as? any MissingObjectError)?.isMissingObject == true { continue }
                context.errors.line("\(context.program): \(error)")
                code = 1
            }
        }
        return code
    }
}
