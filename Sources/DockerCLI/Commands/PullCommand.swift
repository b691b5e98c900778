package import Engine
internal import Images
internal import OCI

/// `pull [OPTIONS] NAME[:TAG|@DIGEST]...`.
package enum PullCommand: Command {
    package struct Draft: Sendable {
        package var request = PullRequest(source: "")
        package var quiet = false
        var registry = RegistryFlags()
    }

    package static let info = CommandInfo(
        path: "pull", synopsis: "[OPTIONS] NAME[:TAG|@DIGEST] [NAME...]", summary: "Fetch images from a registry",
        aliases: ["image pull", "pull"], arguments: .atLeast(1), operands: [.image])

    package static let flags = FlagTable<Draft>(
        [
            .bool("all-tags", short: "a", "Fetch all tags of the repository") { $0.request.allTags = $1 },
            .bool("disable-content-trust", "Without effect: signatures of Notary are not read", default: "true") {
                (_, skip) throws(ValueError) in
                if !skip { throw .plain(CommonFlags.contentTrust) }
            },
            .value("platform", takes: .platform, "Platform of the image: OS/ARCHITECTURE[/VARIANT]") {
                (draft, text) throws(ValueError) in
                draft.request.platform = try CommonFlags.platform(text)
            },
            .bool("quiet", short: "q", "Print the image's full name only") { $0.quiet = $1 },
        ] + RegistryFlags.flags(\Draft.registry))

    package static func newDraft(_ context: CommandContext) throws(ValueError) -> Draft {
        try ImageEnvironment.check(context)
        var draft = Draft()
        draft.request.platform = try ImageEnvironment.platform(context)
        return draft
    }

    package static func execute(_ draft: Draft, _ arguments: [String], _ context: CommandContext) throws -> Int32 {
        let engine = try context.engine()
        for name in arguments {
            var request = draft.request
            request.registryRules = try draft.registry.finish()
            request.access = draft.registry.access
            request.source = name
            try pull(request, quiet: draft.quiet, engine, context)
        }
        return 0
    }

    private static func pull(
        _ request: PullRequest, quiet: Bool, _ engine: any EngineVerbs, _ context: CommandContext
    ) throws {
        if let reference = try reference(request), !quiet, reference.tag == nil, reference.digest == nil,
            !request.allTags
        {
            context.output.line("Using default tag: latest")
        }
        let screen = PullScreen(context.output, quiet: quiet, context)
        defer { screen.finish() }
        var names: [String] = []
        try engine.pull(request) { event in
            // What comes from a layout or an archive may have no name.
            if case .pull(.done(let image, let name)) = event { names.append(name.isEmpty ? "\(image)" : name) }
            screen.show(event)
        }
        screen.finish()
        for name in names { context.output.line(name) }
    }

    /// The name as a reference; nil for archives and layouts.
    private static func reference(_ request: PullRequest) throws -> Reference? {
        let archive = ["oci:", "oci-archive:", "docker-archive:"].contains { request.source.hasPrefix($0) }
        if archive {
            if request.allTags { throw CommandError.failed("--all-tags needs the name of a repository", code: 1) }
            return nil
        }
        let reference = try Reference(parsing: request.source)
        if request.allTags, reference.tag != nil || reference.digest != nil {
            throw CommandError.failed("tag can't be used with --all-tags/-a", code: 1)
        }
        return reference
    }
}
