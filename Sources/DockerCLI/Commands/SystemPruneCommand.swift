internal import Engine

/// `system prune [OPTIONS]`.
package enum SystemPruneCommand: Command {
    package struct Draft: Sendable {
        package var all = false
        package var force = false
        package var volumes = false
        package var filter = PruneFilter()
    }

    package static let info = CommandInfo(
        path: "system prune", synopsis: "[OPTIONS]", summary: "Remove what is unused", aliases: ["system prune"],
        arguments: .none)
    package static let flags = FlagTable<Draft>([
        .bool("all", short: "a", "Also images with a tag that no container was made from") { $0.all = $1 },
        .bool("force", short: "f", "Do not ask first") { $0.force = $1 },
        .bool("volumes", "Also volumes without a name") { $0.volumes = $1 },
        .value(
            "filter", type: "filter", takes: PruneFilter.values, "Only those that fit: until=TIME, label[!]=KEY[=VALUE]"
        ) {
            (draft, text) throws(ValueError) in
            try draft.filter.add(text)
        },
    ])

    package static func newDraft(_ context: CommandContext) -> Draft { Draft() }

    package static func execute(_ draft: Draft, _ arguments: [String], _ context: CommandContext) throws -> Int32 {
        if draft.volumes, draft.filter.hasBound {
            throw ValueError.plain("ERROR: The \"until\" filter is not supported with \"--volumes\"")
        }
        // Before anything is gone.
        try draft.filter.checkKeys([])
        _ = try draft.filter.bound(now: context.now())
        guard draft.force || Confirmation.ask(warning(draft), context) else { return 0 }
        var total = Reclaimed()
        func take(_ title: String, _ part: Reclaimed) {
            part.list(title, context)
            total.bytes = total.bytes.addingReportingOverflow(part.bytes).partialValue
            total.problems += part.problems
        }
        // What goes first gives free what comes behind it.
        take(ContainerPruneCommand.title, try ContainerPruneCommand.prune(draft.filter, context))
        take(NetworkPruneCommand.title, try NetworkPruneCommand.prune(draft.filter, context))
        if draft.volumes {
            take(VolumePruneCommand.title, try VolumePruneCommand.prune(all: false, draft.filter, context))
        }
        take(ImagePruneCommand.title, try ImagePruneCommand.prune(choice(draft), context))
        return total.print("", context)
    }

    private static func choice(_ draft: Draft) -> ImageChoice { ImageChoice(all: draft.all, filter: draft.filter) }

    /// docker's list, of what there is here.
    private static func warning(_ draft: Draft) -> String {
        var lines = ["This will remove:", "  - all stopped containers"]
        lines.append("  - all networks not used by at least one container")
        if draft.volumes { lines.append("  - all anonymous volumes not used by at least one container") }
        lines.append("  - \(choice(draft).subject)")
        let filters = draft.filter.texts
        if !filters.isEmpty {
            lines += ["", "  Items to be pruned will be filtered with:"] + filters.map { "  - \($0)" }
        }
        return lines.joined(separator: "\n") + "\n"
    }
}
