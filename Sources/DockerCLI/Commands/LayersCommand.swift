internal import Engine
internal import Sys

/// `layers [OPTIONS] IMAGE [IMAGE...]`.
package enum LayersCommand: Command {
    package struct Draft: Sendable {
        package var format = ""
        package var html: String?
        package var truncate = true
    }

    package static let info = CommandInfo(
        path: "layers", synopsis: "[OPTIONS] IMAGE [IMAGE...]",
        summary: "Show the layers of images: what made them, who shares them, what of them is hidden",
        aliases: ["image layers", "layers"], arguments: .atLeast(1), operands: [.image])

    package static let flags = FlagTable<Draft>([
        .value("format", takes: .objectFormat, "Output as json, or by a Go template, a line for each layer") {
            $0.format = $1
        },
        .value("html", takes: .file, "Write a page with a map of the layers to this file; - is standard output") {
            $0.html = $1
        },
        .bool("no-trunc", "Show everything in full") { $0.truncate = !$1 },
    ])

    package static func newDraft(_ context: CommandContext) -> Draft { Draft() }

    package static func execute(_ draft: Draft, _ arguments: [String], _ context: CommandContext) throws -> Int32 {
        let format = draft.format.isEmpty ? nil : try ListFormat(draft.format, standard: "")
        if draft.html == "" { throw CommandError.failed("--html wants the name of a file", code: 1) }
        if draft.html != nil, format != nil {
            throw CommandError.failed("conflicting options: --html and --format", code: 1)
        }
        let tree = try context.engine().layers(of: arguments)
        if let path = draft.html {
            let page = LayersPage(tree).text
            if path == "-" {
                context.output.write(page)
            } else {
                try File.replace(path, with: Array(page.utf8), mode: 0o644)
            }
        } else if let format {
            context.output.write(try format.render(header: .record([]), tree.layers.map { LayerValue.row($0, tree) }))
        } else {
            context.output.write(LayerPicture(tree, truncate: draft.truncate).text)
        }
        return 0
    }
}
