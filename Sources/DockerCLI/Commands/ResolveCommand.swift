internal import Engine
internal import Images
internal import OCI

/// `resolve [OPTIONS] NAME[:TAG|@DIGEST]`.
package enum ResolveCommand: Command {
    package struct Draft: Sendable {
        var registry = RegistryFlags()
        var explains = false
        var checks = false
    }

    package static let info = CommandInfo(
        path: "resolve", synopsis: "[OPTIONS] NAME[:TAG|@DIGEST]",
        summary: "Print where an image would be asked for, and why", aliases: ["image resolve", "resolve"],
        arguments: .exactly(1), operands: [.image])

    package static let flags = FlagTable<Draft>(
        RegistryFlags.flags(\Draft.registry) + [
            .bool("check", "Ask each place for the manifest and print its answer") { $0.checks = $1 },
            .bool("explain", "Print the rules, proxy, credentials and TLS of each place as well") { $0.explains = $1 },
        ])

    package static func newDraft(_ context: CommandContext) throws(ValueError) -> Draft { Draft() }

    package static func execute(_ draft: Draft, _ arguments: [String], _ context: CommandContext) throws -> Int32 {
        _ = try Reference(parsing: arguments[0])
        let request = try draft.registry.request(arguments[0])
        let engine = try context.engine()
        let places = try engine.resolve(request)
        let checks = draft.checks ? try check(request, engine, context) : []
        for place in places {
            context.output.line(place.url)
            for check in checks where check.url == place.url { tell("answer", check.answer, context) }
            if !draft.explains { continue }
            let facts =
                place.rules.map { ("rule", $0) } + [
                    ("proxy", place.proxy ?? "none"), ("credentials", place.credentials ?? "none"),
                    ("TLS", place.security),
                ]
            for (name, value) in facts { tell(name, value, context) }
        }
        return draft.checks && !checks.contains(where: \.isGood) ? 1 : 0
    }

    private static func tell(_ name: String, _ value: String, _ context: CommandContext) {
        context.output.line("    \(name)" + String(repeating: " ", count: 13 - name.count) + value)
    }

    private static func check(
        _ request: PullRequest, _ engine: any EngineVerbs, _ context: CommandContext
    ) throws -> [RegistryCheck] {
        let screen = PullScreen(context.errors, quiet: true, context)
        defer { screen.finish() }
        return try engine.query(.check, request) { screen.show($0) }.checks
    }
}
