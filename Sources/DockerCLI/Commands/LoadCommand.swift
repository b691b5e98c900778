package import Engine
internal import Images

/// `load [OPTIONS]`.
package enum LoadCommand: Command {
    package struct Draft: Sendable {
        package var options = LoadOptions()
        package var quiet = false
    }

    package static let info = CommandInfo(
        path: "load", synopsis: "[OPTIONS]", summary: "Read images from a tar or standard input",
        aliases: ["image load", "load"], arguments: .none, operands: [])

    package static let flags = FlagTable<Draft>([
        .value("input", short: "i", takes: .file, "Read from a file, not from standard input") {
            $0.options.file = $1.isEmpty ? nil : $1
        },
        .bool("move-names", "Let a name in the archive take it from an image that was pulled by it") {
            $0.options.movesNames = $1
        },
        .value("platform", takes: .platform, "Platform to take of an image for several: OS/ARCHITECTURE[/VARIANT]") {
            (draft, text) throws(ValueError) in
            draft.options.platform = try CommonFlags.platform(text)
        },
        .bool("quiet", short: "q", "Show no progress") { $0.quiet = $1 },
    ])

    package static func newDraft(_ context: CommandContext) throws(ValueError) -> Draft { Draft() }

    package static func execute(_ draft: Draft, _ arguments: [String], _ context: CommandContext) throws -> Int32 {
        if draft.options.file == nil, context.standardInputIsTerminal {
            throw CommandError.failed("requested load from stdin, but stdin is empty", code: 1)
        }
        // As docker: layers are shown to people only.
        let screen = PullScreen(context.output, quiet: draft.quiet || !context.output.isTerminal, context)
        defer { screen.finish() }
        var lines: [String] = []
        var kept: [(name: String, owner: String)] = []
        try context.engine().load(draft.options) { event in
            switch event {
            case .pull(.loaded(let image, let name, let formerly)):
                if let name, let formerly {
                    lines.append(
                        "The image \(name) already exists, renaming the old one with ID \(formerly) to empty string")
                }
                lines.append(name.map { "Loaded image: \($0)" } ?? "Loaded image ID: \(image)")
            case .pull(.kept(let name, let owner)): kept.append((name, owner))
            case .pull(.pulling), .pull(.digest): break
            default: screen.show(event)
            }
        }
        screen.finish()
        for line in lines { context.output.line(line) }
        for (name, owner) in kept {
            context.errors.line(
                "\(name) stays with image \(owner), which was pulled by that name; to move it: load --move-names")
        }
        return kept.isEmpty ? 0 : 1
    }
}
