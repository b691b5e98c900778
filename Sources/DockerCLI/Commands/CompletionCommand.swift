/// `completion SHELL`.
package enum CompletionCommand: Command {
    package struct Draft: Sendable {}

    package static let info = CommandInfo(
        path: "completion", synopsis: "bash|zsh|fish", summary: "Print a completion script for a shell",
        aliases: ["completion"], arguments: .exactly(1), operands: [.names(of: Completion.Shell.self)])
    package static let flags = FlagTable<Draft>([
        .ignored("no-descriptions", type: "bool", "Without effect: shells show what they want to", warning: nil)
    ])

    package static func newDraft(_ context: CommandContext) -> Draft { Draft() }

    package static func execute(_ draft: Draft, _ arguments: [String], _ context: CommandContext) throws -> Int32 {
        guard let shell = Completion.Shell(rawValue: arguments[0]) else {
            let known = Completion.Shell.allCases.map(\.rawValue).joined(separator: ", ")
            throw CommandError.failed(
                "there is no completion script for \(Names.printable(arguments[0])): want one of \(known)", code: 1)
        }
        context.output.write(CompletionScripts.script(shell))
        return 0
    }
}
