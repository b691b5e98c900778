package import Engine

/// `save [OPTIONS] IMAGE [IMAGE...]`.
package enum SaveCommand: Command {
    package struct Draft: Sendable {
        package var options = SaveOptions(images: [])
        package var output = ""
    }

    package static let info = CommandInfo(
        path: "save", synopsis: "[OPTIONS] IMAGE [IMAGE...]",
        summary: "Write images to a tar (to standard output by default)", aliases: ["image save", "save"],
        arguments: .atLeast(1), operands: [.image])

    package static let flags = FlagTable<Draft>([
        .value("output", short: "o", takes: .file, "Write to a file, not to standard output") { $0.output = $1 },
        .value("platform", takes: .platform, "Refuse images of another platform: OS/ARCHITECTURE[/VARIANT]") {
            (draft, text) throws(ValueError) in
            draft.options.platform = try CommonFlags.platform(text)
        },
    ])

    package static func newDraft(_ context: CommandContext) -> Draft { Draft() }

    package static func execute(_ draft: Draft, _ arguments: [String], _ context: CommandContext) throws -> Int32 {
        var options = draft.options
        options.images = arguments
        if draft.output.isEmpty {
            if context.output.isTerminal {
                throw CommandError.failed(
                    "cowardly refusing to save to a terminal. Use the -o flag or redirect", code: 1)
            }
            try context.engine().save(options, to: 1, shown: "standard output")
        } else {
            try context.engine().save(options, toFile: draft.output)
        }
        return 0
    }
}
