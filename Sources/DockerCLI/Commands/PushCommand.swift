package import Engine
internal import OCI

/// `push [OPTIONS] NAME[:TAG]`.
package enum PushCommand: Command {
    package struct Draft: Sendable {
        package var request = PushOptions(name: "")
        package var quiet = false
        var registry = RegistryFlags()
    }

    package static let info = CommandInfo(
        path: "push", synopsis: "[OPTIONS] NAME[:TAG]", summary: "Give an image to a registry",
        aliases: ["image push", "push"], arguments: .exactly(1), operands: [.image])

    package static let flags = FlagTable<Draft>(
        [
            .bool("all-tags", short: "a", "Push all tags of the repository") { $0.request.allTags = $1 },
            .bool("disable-content-trust", "Without effect: nothing is signed by Notary", default: "true") {
                (_, skip) throws(ValueError) in
                if !skip { throw .plain(CommonFlags.contentTrust) }
            },
            .value("platform", takes: .platform, "Refuse an image of another platform: OS/ARCHITECTURE[/VARIANT]") {
                (draft, text) throws(ValueError) in
                draft.request.platform = try CommonFlags.platform(text)
            },
            .bool("quiet", short: "q", "Print the image's full name only") { $0.quiet = $1 },
        ] + RegistryFlags.flags(\Draft.registry))

    package static func newDraft(_ context: CommandContext) throws(ValueError) -> Draft { Draft() }

    package static func execute(_ draft: Draft, _ arguments: [String], _ context: CommandContext) throws -> Int32 {
        var request = draft.request
        request.name = arguments[0]
        request.registry = try draft.registry.request(request.name)
        let reference = try Reference(parsing: arguments[0])
        if !draft.quiet, !request.allTags, reference.tag == nil, reference.digest == nil {
            context.output.line("Using default tag: latest")
        }
        let screen = PullScreen(context.output, quiet: draft.quiet, context)
        defer { screen.finish() }
        let name = try context.engine().push(request) { screen.show($0) }
        screen.finish()
        if draft.quiet { context.output.line(name) }
        return 0
    }
}
