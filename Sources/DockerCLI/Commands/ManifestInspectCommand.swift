internal import Engine
internal import Images
internal import OCI

/// `manifest inspect [OPTIONS] MANIFEST`.
package enum ManifestInspectCommand: Command {
    package struct Draft: Sendable {
        var registry = RegistryFlags()
        var verbose = false
    }

    package static let info = CommandInfo(
        path: "manifest inspect", synopsis: "[OPTIONS] MANIFEST",
        summary: "Show a manifest or index as its registry has it", aliases: ["manifest inspect"],
        arguments: .exactly(1), operands: [.image])

    package static let flags = FlagTable<Draft>(
        [
            .bool("verbose", short: "v", "Show descriptors and platforms as well, of an index all that it names") {
                $0.verbose = $1
            }
        ] + RegistryFlags.flags(\Draft.registry))

    package static func newDraft(_ context: CommandContext) throws(ValueError) -> Draft { Draft() }

    package static func execute(_ draft: Draft, _ arguments: [String], _ context: CommandContext) throws -> Int32 {
        let engine = try context.engine()
        // An ID names no registry, but an image that is here.
        if let kept = try engine.keptManifest(ofID: arguments[0]) {
            context.output.line(ManifestText.plain(kept))
            return 0
        }
        let name = try Reference(parsing: arguments[0]).tagged
        let screen = PullScreen(context.errors, quiet: true, context)
        let documents = try engine.query(
            .manifest(deep: draft.verbose), try draft.registry.request(arguments[0])
        ) { screen.show($0) }.documents
        guard let first = documents.first else { return 0 }
        context.output.line(draft.verbose ? ManifestText.verbose(documents, name) : ManifestText.plain(first))
        return 0
    }
}
