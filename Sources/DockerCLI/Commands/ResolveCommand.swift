internal import Engine
internal import Images
internal import OCI

/// `resolve [OPTIONS] NAME[:TAG|@DIGEST]`.
package enum ResolveCommand: Command {
    package struct Draft: Sendable {
        var registry = RegistryFlags()
        var explains = false
    }

    package static let info = CommandInfo(
        path: "resolve", synopsis: "[OPTIONS] NAME[:TAG|@DIGEST]",
        summary: "Print where an image would be asked for, and why", aliases: ["image resolve", "resolve"],
        arguments: .exactly(1), operands: [.image])

    package static let flags = FlagTable<Draft>(
        RegistryFlags.flags(\Draft.registry) + [
            .bool("explain", "Print the rules, proxy, credentials and TLS of each place as well") { $0.explains = $1 }
        ])

    package static func newDraft(_ context: CommandContext) throws(ValueError) -> Draft { Draft() }

    package static func execute(_ draft: Draft, _ arguments: [String], _ context: CommandContext) throws -> Int32 {
        _ = try Reference(parsing: arguments[0])
        let request = try draft.registry.request(arguments[0])
        for place in try context.engine().resolve(request) {
            context.output.line(place.url)
            if !draft.explains { continue }
            let facts =
                place.rules.map { ("rule", $0) } + [
                    ("proxy", place.proxy ?? "none"), ("credentials", place.credentials ?? "none"),
                    ("TLS", place.security),
                ]
            for (name, value) in facts {
                context.output.line("    \(name)" + String(repeating: " ", count: 13 - name.count) + value)
            }
        }
        return 0
    }
}
