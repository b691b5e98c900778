internal import Engine

/// `history [OPTIONS] IMAGE`.
package enum HistoryCommand: Command {
    package struct Draft: Sendable {
        package var format = ""
        package var human = true
        package var truncate = true
        package var quiet = false
    }

    package static let info = CommandInfo(
        path: "history", synopsis: "[OPTIONS] IMAGE", summary: "Show how an image was made",
        aliases: ["image history", "history"], arguments: .exactly(1), operands: [.image])

    package static let flags = FlagTable<Draft>([
        .value("format", takes: .listFormat, "Output as table, \"table TEMPLATE\", json, or by a Go template") {
            $0.format = $1
        },
        .bool("human", short: "H", "Show sizes and times as people read them", default: "true") { $0.human = $1 },
        .bool("no-trunc", "Show everything in full") { $0.truncate = !$1 },
        .bool("quiet", short: "q", "Show IDs only") { $0.quiet = $1 },
        .planned("platform", "Platform of an image for several"),
    ])

    package static func newDraft(_ context: CommandContext) -> Draft { Draft() }

    package static func execute(_ draft: Draft, _ arguments: [String], _ context: CommandContext) throws -> Int32 {
        let table = try HistoryTable(draft, now: context.now())
        context.output.write(try table.render(try context.engine().history(of: arguments[0])))
        return 0
    }
}
