internal import Engine

/// `rm [OPTIONS] CONTAINER [CONTAINER...]`.
package enum RemoveContainersCommand: Command {
    package struct Draft: Sendable {
        package var force = false
        package var volumes = false
        /// Seconds until one that runs is killed; nil: at once.
        package var timeout: Int?
        package var selection = ContainerSelection()
    }

    package static let info = CommandInfo(
        path: "rm", synopsis: "[OPTIONS] CONTAINER [CONTAINER...]", summary: "Remove containers",
        aliases: ["container rm", "container remove", "rm"], arguments: .atLeast(0), operands: [.container(.any)])

    package static let flags = FlagTable<Draft>(
        [
            .bool("force", short: "f", "Kill containers that run") { $0.force = $1 },
            .value("time", short: "t", type: "int", "With --force: seconds to end by itself until it is killed") {
                (draft, text) throws(ValueError) in
                draft.timeout = Int(try GoValue.int64(text))
            },
            .bool("volumes", short: "v", "Remove volumes without a name as well") { $0.volumes = $1 },
            .refused("link", short: "l", type: "bool", "Remove a link", reason: "links between containers are gone"),
        ] + ContainerSelection.flags(\.selection, shorts: "ai"))

    package static func newDraft(_ context: CommandContext) -> Draft { Draft() }

    /// So many are removed at once: their ends go on side by side, and the disk is waited for once.
    private static let atOnce = 64

    package static func execute(_ draft: Draft, _ arguments: [String], _ context: CommandContext) throws -> Int32 {
        if draft.timeout != nil, !draft.force {
            throw CommandError.failed("--force option must be specified to use the --time option", code: 1)
        }
        let engine = try context.engine()
        let names = try draft.selection.names(arguments, engine, info, "\(context.program) rm") {
            // One that was chosen and runs is an error, as in podman.
            draft.force || !draft.selection.filter.isEmpty || !$0.condition.isRunning
        }
        var rest = names[...]
        var problems: ArraySlice<EngineError?> = []
        return draft.selection.each(names, context) { name in
            do {
                if let timeout = draft.timeout {
                    try engine.stop(name, signal: nil, timeout: timeout)
                    if let problem = engine.remove([name], force: true, volumes: draft.volumes)[0] { throw problem }
                    return name
                }
                if problems.isEmpty {
                    let several = Array(rest.prefix(atOnce))
                    rest = rest.dropFirst(several.count)
                    problems = engine.remove(several, force: draft.force, volumes: draft.volumes)[...]
                }
                if let problem = problems.removeFirst() { throw problem }
                return name
            } catch let error as any MissingObjectError where draft.force && error.isMissingObject {
                // As docker: said, and no failure.
                if !draft.selection.ignoresMissing { context.errors.line("\(context.program): \(error)") }
                return nil
            }
        }
    }
}

/// `rename CONTAINER NEW_NAME`.
package enum RenameCommand: Command {
    package struct Draft: Sendable {}

    package static let info = CommandInfo(
        path: "rename", synopsis: "CONTAINER NEW_NAME", summary: "Rename a container",
        aliases: ["container rename", "rename"], arguments: .exactly(2), operands: [.container(.any), .text])
    package static let flags = FlagTable<Draft>([Flag<Draft>]())

    package static func newDraft(_ context: CommandContext) -> Draft { Draft() }

    package static func execute(_ draft: Draft, _ arguments: [String], _ context: CommandContext) throws -> Int32 {
        try context.engine().rename(arguments[0], to: arguments[1])
        return 0
    }
}
