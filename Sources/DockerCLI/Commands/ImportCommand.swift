package import Engine

/// `import [OPTIONS] FILE|- [REPOSITORY[:TAG]]`.
package enum ImportCommand: Command {
    package struct Draft: Sendable {
        package var options = ImportOptions()
    }

    package static let info = CommandInfo(
        path: "import", synopsis: "[OPTIONS] FILE|- [REPOSITORY[:TAG]]", summary: "Make an image from a tar of files",
        aliases: ["image import", "import"], arguments: .between(1, 2), operands: [.file, .image])

    package static let flags = FlagTable<Draft>([
        .value("change", short: "c", type: "list", takes: .changes, "Apply an instruction of a Dockerfile to the image")
        {
            $0.options.changes.append($1)
        },
        .value("message", short: "m", takes: .text, "Message for the image's history") { $0.options.message = $1 },
        .value("platform", takes: .platform, "Platform of the files: OS/ARCHITECTURE[/VARIANT]") {
            (draft, text) throws(ValueError) in
            draft.options.platform = try CommonFlags.platform(text)
        },
    ])

    package static func newDraft(_ context: CommandContext) throws(ValueError) -> Draft { Draft() }

    package static func execute(_ draft: Draft, _ arguments: [String], _ context: CommandContext) throws -> Int32 {
        var options = draft.options
        let source = arguments[0]
        if source.hasPrefix("http://") || source.hasPrefix("https://") {
            throw CommandError.failed("import reads files only; curl -fL \(source) | runimg import - does it", code: 1)
        }
        if source != "-" { options.file = source }
        if source == "-", context.standardInputIsTerminal {
            throw CommandError.failed("requested import from stdin, but stdin is a terminal", code: 1)
        }
        if arguments.count == 2 { options.name = arguments[1] }
        context.output.line("\(try context.engine().importImage(options))")
        return 0
    }
}
