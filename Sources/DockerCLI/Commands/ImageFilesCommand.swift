internal import Engine

/// `image ls-files [OPTIONS] IMAGE [PATH]`.
package enum ImageFilesCommand: Command {
    package struct Draft: Sendable {
        package var long = false
        package var depth: Int?
        package var format = ""
    }

    package static let info = CommandInfo(
        path: "image ls-files", synopsis: "[OPTIONS] IMAGE [PATH]",
        summary: "List the files of an image, all that are below PATH", aliases: ["image ls-files"],
        arguments: .between(1, 2), operands: [.image, .text])

    package static let flags = FlagTable<Draft>([
        .value("depth", short: "d", type: "int", "Only so many names deep; 1 is what is in PATH itself") {
            (draft, text) throws(ValueError) in
            guard let depth = Int(text), depth > 0 else { throw .invalid("a depth is a number from 1 up") }
            draft.depth = depth
        },
        .value("format", takes: .listFormat, "Output as table, \"table TEMPLATE\", json, or by a Go template") {
            $0.format = $1
        },
        .bool("long", short: "l", "Also modes, owners, sizes, times and what links lead to") { $0.long = $1 },
    ])

    package static func newDraft(_ context: CommandContext) -> Draft { Draft() }

    package static func execute(_ draft: Draft, _ arguments: [String], _ context: CommandContext) throws -> Int32 {
        let format = try ListFormat(draft.format, standard: ImageFileTable.standard)
        let (files, layers) = try context.engine().files(
            of: arguments[0], at: arguments.count > 1 ? arguments[1] : "/", depth: draft.depth)
        let table = ImageFileTable(files, layers, isTerminal: context.output.isTerminal)
        if !draft.format.isEmpty {
            context.output.write(try format.render(header: ImageFileTable.header, table.rows))
        } else {
            context.output.write(draft.long ? table.long : table.paths)
        }
        return 0
    }
}

/// `image cat IMAGE PATH [PATH...]`.
package enum ImageCatCommand: Command {
    package struct Draft: Sendable {}

    package static let info = CommandInfo(
        path: "image cat", synopsis: "IMAGE PATH [PATH...]", summary: "Write files of an image to standard output",
        aliases: ["image cat"], arguments: .atLeast(2), operands: [.image, .text])

    package static let flags = FlagTable<Draft>([Flag<Draft>]())

    package static func newDraft(_ context: CommandContext) -> Draft { Draft() }

    package static func execute(_ draft: Draft, _ arguments: [String], _ context: CommandContext) throws -> Int32 {
        let engine = try context.engine()
        for path in arguments.dropFirst() { try engine.readFile(path, of: arguments[0], to: 1) }
        return 0
    }
}

/// `image diff IMAGE [IMAGE]`.
package enum ImageDiffCommand: Command {
    package struct Draft: Sendable {}

    package static let info = CommandInfo(
        path: "image diff", synopsis: "IMAGE\nIMAGE NEWER",
        summary: "List the files that an image's last layer changed, or that another image has otherwise",
        aliases: ["image diff"], arguments: .between(1, 2), operands: [.image, .image])

    package static let flags = FlagTable<Draft>([Flag<Draft>]())

    package static func newDraft(_ context: CommandContext) -> Draft { Draft() }

    package static func execute(_ draft: Draft, _ arguments: [String], _ context: CommandContext) throws -> Int32 {
        let changes = try context.engine().imageChanges(
            from: arguments.count > 1 ? arguments[0] : nil, to: arguments[arguments.count - 1])
        DiffCommand.print(changes, context)
        return 0
    }
}
