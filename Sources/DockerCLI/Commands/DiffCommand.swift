internal import Engine
internal import Sys

/// `diff CONTAINER`.
package enum DiffCommand: Command {
    package struct Draft: Sendable {}

    package static let info = CommandInfo(
        path: "diff", synopsis: "CONTAINER", summary: "List the files that a container changed",
        aliases: ["container diff", "diff"], arguments: .exactly(1), operands: [.container(.any)])

    package static let flags = FlagTable<Draft>([Flag<Draft>]())

    package static func newDraft(_ context: CommandContext) -> Draft { Draft() }

    package static func execute(_ draft: Draft, _ arguments: [String], _ context: CommandContext) throws -> Int32 {
        print(try context.engine().changes(of: arguments[0]), context)
        return 0
    }

    static func print(_ changes: [FileChange], _ context: CommandContext) {
        for change in changes {
            // A name may hold what drives a terminal.
            let path =
                context.output.isTerminal
                ? change.path.description : String(decoding: change.path.bytes, as: UTF8.self)
            context.output.line("\(change.kind.rawValue) \(path)")
        }
    }
}
