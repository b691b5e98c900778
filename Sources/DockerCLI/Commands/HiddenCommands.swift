internal import Engine

/// The commands that containers' monitors and the shells' completions run. Nothing for users, so in no table.
enum HiddenCommands {
    typealias Main = (ArraySlice<String>, String, CommandContext) -> Int32

    static func find(_ word: String) -> Main? {
        switch word {
        case ManualPages.name: { (words, _, context) in ManualPages.main(words, context) }
        case Completion.name: { (words, _, context) in Completion.main(words, context) }
        case MonitorEndCommand.info.path: { MonitorEndCommand.main($0, path: $1, $2) }
        case DeleteGarbageCommand.info.path: { DeleteGarbageCommand.main($0, path: $1, $2) }
        case MonitorHealthCommand.info.path: { MonitorHealthCommand.main($0, path: $1, $2) }
        default: nil
        }
    }
}

/// What a container's monitor becomes when the container has ended. Nothing for users, so in no table.
package enum MonitorEndCommand: Command {
    package struct Draft: Sendable {}

    package static let info = CommandInfo(
        path: "monitor-end", synopsis: "ID", summary: "Record the end of a container", aliases: [],
        arguments: .exactly(1), operands: [.text])
    package static let flags = FlagTable<Draft>([Flag<Draft>]())

    package static func newDraft(_ context: CommandContext) -> Draft { Draft() }

    package static func execute(_ draft: Draft, _ arguments: [String], _ context: CommandContext) throws -> Int32 {
        try context.engine().concludeForMonitor(arguments[0])
        return 0
    }
}

/// Deletes what commands have removed and did not wait for.
enum DeleteGarbageCommand: Command {
    struct Draft: Sendable {}

    static let info = CommandInfo(
        path: "delete-garbage", synopsis: "", summary: "Delete what was removed", aliases: [], arguments: .none)
    static let flags = FlagTable<Draft>([Flag<Draft>]())

    static func newDraft(_ context: CommandContext) -> Draft { Draft() }

    static func execute(_ draft: Draft, _ arguments: [String], _ context: CommandContext) throws -> Int32 {
        try context.engine().deleteGarbage()
        return 0
    }
}

/// Checks the container's health and prints how many milliseconds later the next check is due, 0 for none.
enum MonitorHealthCommand: Command {
    struct Draft: Sendable {}

    static let info = CommandInfo(
        path: "monitor-health", synopsis: "ID", summary: "Check the health of a container", aliases: [],
        arguments: .exactly(1), operands: [.text])
    static let flags = FlagTable<Draft>([Flag<Draft>]())

    static func newDraft(_ context: CommandContext) -> Draft { Draft() }

    static func execute(_ draft: Draft, _ arguments: [String], _ context: CommandContext) throws -> Int32 {
        context.output.write("\(try context.engine().checkHealthForMonitor(arguments[0]))\n")
        return 0
    }
}
