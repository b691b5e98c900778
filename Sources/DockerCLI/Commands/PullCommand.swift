package import Engine
internal import Images
internal import OCI

/// `pull [OPTIONS] NAME[:TAG|@DIGEST]...`.
package enum PullCommand: Command {
    package struct Draft: Sendable {
        package var request = PullRequest(source: "")
        package var quiet = false
        /// Lists of names.
        var files: [String] = []
        var registry = RegistryFlags()
    }

    package static let info = CommandInfo(
        path: "pull", synopsis: "[OPTIONS] NAME[:TAG|@DIGEST] [NAME...]", summary: "Fetch images from a registry",
        aliases: ["image pull", "pull"], arguments: .atLeast(0), operands: [.image])

    package static let flags = FlagTable<Draft>(
        [
            .bool("all-tags", short: "a", "Fetch all tags of the repository") { $0.request.allTags = $1 },
            .bool("disable-content-trust", "Without effect: signatures of Notary are not read", default: "true") {
                (_, skip) throws(ValueError) in
                if !skip { throw .plain(CommonFlags.contentTrust) }
            },
            .value(
                "file", short: "f", type: "list", takes: .file,
                "File of further names, one a line; - is standard input"
            ) { $0.files.append($1) },
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
        var names = arguments.map { NameList.Entry(name: $0) }
        for file in draft.files { names += try NameList.read(file, context) }
        if names.isEmpty { try Failure.checkCount([], atLeast: 1, "\(context.program) pull") }
        var requests: [PullRequest] = []
        for entry in names {
            var request = draft.request
            request.registryRules = try draft.registry.finish()
            request.access = draft.registry.access
            request.source = entry.name
            do {
                try check(request)
            } catch  where entry.origin != nil {
                throw CommandError.failed("\(entry.origin ?? ""): \(error)", code: 1)
            }
            // Who asks for one thing twice gets it once.
            if !requests.contains(request) { requests.append(request) }
        }
        return try pull(requests, quiet: draft.quiet, context)
    }

    private static func pull(_ requests: [PullRequest], quiet: Bool, _ context: CommandContext) throws -> Int32 {
        let engine = try context.engine()
        if requests.count == 1, !quiet, try usesDefaultTag(requests[0]) {
            context.output.line("Using default tag: latest")
        }
        let screen = PullScreen(context.output, quiet: quiet, context)
        screen.isShared = requests.count > 1
        defer { screen.finish() }
        var names = [String?](repeating: nil, count: requests.count)
        let failures = try engine.pull(requests) { index, event in
            screen.show(event, of: index)
            // What comes from a layout or an archive may have no name.
            guard case .pull(.done(let image, let name)) = event else { return }
            names[index] = name.isEmpty ? "\(image)" : name
            if !quiet { screen.sayLast(names[index] ?? "") }
        }
        screen.finish()
        if quiet { for case let name? in names { context.output.line(name) } }
        let failed = zip(requests, failures).compactMap { request, failure in failure.map { (request, $0) } }
        return try conclude(failed, of: requests.count, context)
    }

    /// One failure is the command's; of several images each is told with its name, when the others are done.
    private static func conclude(
        _ failures: [(request: PullRequest, error: EngineError)], of count: Int, _ context: CommandContext
    ) throws -> Int32 {
        if let interruption = failures.first(where: { $0.error.exitCode == 130 }) { throw interruption.error }
        if count == 1, let only = failures.first { throw only.error }
        for (request, error) in failures { context.errors.line("\(context.program): \(request.source): \(error)") }
        return failures.isEmpty ? 0 : 1
    }

    private static func usesDefaultTag(_ request: PullRequest) throws -> Bool {
        if PullRequest.isLocal(request.source) || request.allTags { return false }
        let reference = try Reference(parsing: request.source)
        return reference.tag == nil && reference.digest == nil
    }

    /// Refuses what can't be pulled before anything is.
    private static func check(_ request: PullRequest) throws {
        if PullRequest.isLocal(request.source) {
            if request.allTags { throw CommandError.failed("--all-tags needs the name of a repository", code: 1) }
            return
        }
        let reference = try Reference(parsing: request.source)
        if request.allTags, reference.tag != nil || reference.digest != nil {
            throw CommandError.failed("tag can't be used with --all-tags/-a", code: 1)
        }
    }
}
