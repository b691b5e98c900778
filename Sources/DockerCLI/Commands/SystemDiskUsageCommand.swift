internal import Engine

/// `system df [OPTIONS]`.
package enum SystemDiskUsageCommand: Command {
    package struct Draft: Sendable {
        package var format = ""
        package var verbose = false
    }

    package static let info = CommandInfo(
        path: "system df", synopsis: "[OPTIONS]", summary: "Show what takes space", aliases: ["system df"],
        arguments: .none)
    package static let flags = FlagTable<Draft>([
        .value("format", takes: .listFormat, "Output as table, \"table TEMPLATE\", json, or by a Go template") {
            $0.format = $1
        },
        .bool("verbose", short: "v", "Show each image, container and volume") { $0.verbose = $1 },
    ])

    package static func newDraft(_ context: CommandContext) -> Draft { Draft() }

    package static func execute(_ draft: Draft, _ arguments: [String], _ context: CommandContext) throws -> Int32 {
        let format = try ListFormat(draft.format, standard: SpaceTable.standard)
        let table = SpaceTable(
            try context.engine().space { context.errors.line("WARNING: \($0)") }, now: context.now())
        if !draft.verbose {
            context.output.write(try format.render(header: SpaceTable.header, table.rows))
        } else if draft.format.isEmpty || draft.format == "table" {
            context.output.write(try table.verbose())
        } else {
            context.output.write(try format.render(try table.value(truncate: format.isTable)))
        }
        return 0
    }
}
