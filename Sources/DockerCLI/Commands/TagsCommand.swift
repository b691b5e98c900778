internal import Engine
internal import Images
internal import OCI

/// `tags [OPTIONS] NAME`.
package enum TagsCommand: Command {
    package struct Draft: Sendable {
        var registry = RegistryFlags()
        var format = ""
    }

    package static let info = CommandInfo(
        path: "tags", synopsis: "[OPTIONS] NAME", summary: "List the tags that a registry has of a repository",
        aliases: ["image tags", "tags"], arguments: .exactly(1), operands: [.image])

    package static let flags = FlagTable<Draft>(
        [
            .value("format", takes: .listFormat, "Output as table, \"table TEMPLATE\", json, or by a Go template") {
                $0.format = $1
            }
        ] + RegistryFlags.flags(\Draft.registry))

    package static func newDraft(_ context: CommandContext) throws(ValueError) -> Draft { Draft() }

    package static func execute(_ draft: Draft, _ arguments: [String], _ context: CommandContext) throws -> Int32 {
        let name = try Reference(parsing: arguments[0])
        guard name.tag == nil, name.digest == nil else {
            throw CommandError.failed("tags are those of a repository: give its name without a tag or digest", code: 1)
        }
        // Before anything is asked.
        let format = draft.format.isEmpty ? nil : try ListFormat(draft.format, standard: "{{.Name}}\t{{.Tag}}")
        let screen = PullScreen(context.errors, quiet: true, context)
        let request = try draft.registry.request(arguments[0])
        let tags = try context.engine().query(.tags, request) { screen.show($0) }.tags
        if let format {
            context.output.write(
                try format.render(header: row("NAME", "TAG"), tags.map { row(name.familiarRepository, $0) }))
        } else {
            context.output.write(tags.map { $0 + "\n" }.joined())
        }
        return 0
    }

    private static func row(_ name: String, _ tag: String) -> TemplateValue {
        .row([TemplateValue.Field("Name", .string(name)), TemplateValue.Field("Tag", .string(tag))])
    }
}
