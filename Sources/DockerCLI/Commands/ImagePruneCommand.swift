internal import Engine

/// `image prune [OPTIONS]`.
package enum ImagePruneCommand: Command {
    package struct Draft: Sendable {
        package var all = false
        package var force = false
        package var filter = PruneFilter()
    }

    package static let info = CommandInfo(
        path: "image prune", synopsis: "[OPTIONS]", summary: "Remove unused images", aliases: ["image prune"],
        arguments: .none)
    package static let flags = FlagTable<Draft>([
        .bool("all", short: "a", "Also images with a tag that no container was made from") { $0.all = $1 },
        .bool("force", short: "f", "Do not ask first") { $0.force = $1 },
        .value(
            "filter", type: "filter", takes: PruneFilter.values, "Only those that fit: until=TIME, label[!]=KEY[=VALUE]"
        ) {
            (draft, text) throws(ValueError) in
            try draft.filter.add(text)
        },
    ])

    package static func newDraft(_ context: CommandContext) -> Draft { Draft() }

    package static func execute(_ draft: Draft, _ arguments: [String], _ context: CommandContext) throws -> Int32 {
        var all = draft.all
        try draft.filter.checkKeys(["dangling"])
        if let text = draft.filter.rest["dangling"]?.last {
            guard let dangling = try? GoValue.bool(text) else {
                throw ValueError.plain("invalid filter 'dangling=[\(Names.printable(text))]'")
            }
            all = !dangling
        }
        guard draft.force || Confirmation.ask("This will remove \(subject(all: all)).", context) else { return 0 }
        return try prune(all: all, draft.filter, context).print(title, context)
    }

    static let title = "Deleted Images:"

    static func subject(all: Bool) -> String {
        all ? "all images without at least one container associated to them" : "all dangling images"
    }

    static func prune(all: Bool, _ filter: PruneFilter, _ context: CommandContext) throws -> Reclaimed {
        let bound = try filter.bound(now: context.now())
        let engine = try context.engine()
        var problems: [String] = []
        let listed = try engine.images { event in
            if case .warning(let text) = event { problems.append(text) }
        }
        let chosen = listed.filter { image in
            // Whose age nobody knows is older than nothing.
            (all || image.repoTags.isEmpty) && filter.accepts(image.labels)
                && bound.map { image.created != 0 && image.created < $0 } ?? true
        }
        var result = try engine.pruneImages(chosen.map(\.id), tagged: all)
        result.problems = problems + result.problems
        return result
    }
}
