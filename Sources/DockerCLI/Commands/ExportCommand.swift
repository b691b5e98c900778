internal import Engine

/// `export [OPTIONS] CONTAINER`.
package enum ExportCommand: Command {
    package struct Draft: Sendable {
        package var output = ""
    }

    package static let info = CommandInfo(
        path: "export", synopsis: "[OPTIONS] CONTAINER", summary: "Write a container's files as a tar",
        aliases: ["container export", "export"], arguments: .exactly(1), operands: [.container(.any)])

    package static let flags = FlagTable<Draft>([
        .value("output", short: "o", takes: .file, "Write to a file, not to standard output") { $0.output = $1 }
    ])

    package static func newDraft(_ context: CommandContext) -> Draft { Draft() }

    package static func execute(_ draft: Draft, _ arguments: [String], _ context: CommandContext) throws -> Int32 {
        if draft.output.isEmpty {
            if context.output.isTerminal {
                throw CommandError.failed(
                    "cowardly refusing to save to a terminal. Use the -o flag or redirect", code: 1)
            }
            try context.engine().export(arguments[0], to: 1)
        } else {
            try context.engine().export(arguments[0], toFile: draft.output)
        }
        return 0
    }
}
