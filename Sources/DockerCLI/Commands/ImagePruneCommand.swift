internal import Engine

/// `image prune [OPTIONS]`.
package enum ImagePruneCommand: Command {
    package struct Draft: Sendable {
        package var choice = ImageChoice()
        package var force = false
        package var dryRun = false
    }

    package static let info = CommandInfo(
        path: "image prune", synopsis: "[OPTIONS]", summary: "Remove unused images", aliases: ["image prune"],
        arguments: .none)
    package static let flags = FlagTable<Draft>([
        .bool("all", short: "a", "Also images with a tag that no container was made from") { $0.choice.all = $1 },
        .bool("dry-run", "Only show what would be removed") { $0.dryRun = $1 },
        .bool("force", short: "f", "Do not ask first") { $0.force = $1 },
        .value(
            "filter", type: "filter", takes: PruneFilter.values, "Only those that fit: until=TIME, label[!]=KEY[=VALUE]"
        ) {
            (draft, text) throws(ValueError) in
            try draft.choice.filter.add(text)
        },
        .value(
            "keep-bytes", type: "bytes",
            "The least recently used ones, also with a tag, until all images take no more than this"
        ) {
            (draft, text) throws(ValueError) in
            try draft.choice.setKeepBytes(text)
        },
        .value(
            "unused-for", type: "duration",
            "Only those, also with a tag, that no container had for so long (36h, 7d, 2w)"
        ) {
            (draft, text) throws(ValueError) in
            try draft.choice.setUnusedFor(text)
        },
    ])

    package static func newDraft(_ context: CommandContext) -> Draft { Draft() }

    package static func execute(_ draft: Draft, _ arguments: [String], _ context: CommandContext) throws -> Int32 {
        var choice = draft.choice
        try choice.filter.checkKeys(["dangling"])
        if let text = choice.filter.rest["dangling"]?.last {
            guard let dangling = try? GoValue.bool(text) else {
                throw ValueError.plain("invalid filter 'dangling=[\(Names.printable(text))]'")
            }
            choice.all = !dangling
        }
        if draft.dryRun {
            let preview = try prune(choice, dryRun: true, context)
            return preview.print("Images that would be deleted:", total: "Total space that would be reclaimed", context)
        }
        guard draft.force || Confirmation.ask("This will remove \(choice.subject).", context) else { return 0 }
        return try prune(choice, context).print(title, context)
    }

    static let title = "Deleted Images:"

    static func prune(_ choice: ImageChoice, dryRun: Bool = false, _ context: CommandContext) throws -> Reclaimed {
        let now = context.now()
        // Before the engine is asked for anything.
        _ = try choice.filter.bound(now: now)
        let engine = try context.engine()
        var problems: [String] = []
        let listed = try engine.images { event in
            if case .warning(let text) = event { problems.append(text) }
        }
        var request = ImagePruneRequest(
            ids: try choice.apply(listed, now: now).map(\.id), tagged: choice.takesTagged,
            keepBytes: choice.keepBytes?.value)
        request.dryRun = dryRun
        var result = try engine.pruneImages(request)
        result.problems = problems + result.problems
        return result
    }
}
