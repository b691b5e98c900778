internal import Engine

/// `top CONTAINER [ps OPTIONS]`.
package enum TopCommand: Command {
    package struct Draft: Sendable {}

    package static let info = CommandInfo(
        path: "top", synopsis: "CONTAINER [ps OPTIONS]", summary: "Display the running processes of a container",
        aliases: ["container top", "top"], arguments: .atLeast(1), operands: [.container(.running), .text])

    package static let flags = FlagTable<Draft>([Flag<Draft>]())

    /// What stands behind the container is ps's.
    package static var interspersed: Bool { false }

    package static func newDraft(_ context: CommandContext) -> Draft { Draft() }

    package static func execute(_ draft: Draft, _ arguments: [String], _ context: CommandContext) throws -> Int32 {
        let table = try context.engine().top(arguments[0], options: Array(arguments.dropFirst()))
        let lines = ([table.titles] + table.rows).map { $0.joined(separator: "\t") }
        context.output.write(Table.render(lines, minimum: 20))
        return 0
    }
}
