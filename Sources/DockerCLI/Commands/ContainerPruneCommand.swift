internal import Engine

/// `container prune [OPTIONS]`.
package enum ContainerPruneCommand: Command {
    package struct Draft: Sendable {
        package var force = false
        package var filter = PruneFilter()
    }

    package static let info = CommandInfo(
        path: "container prune", synopsis: "[OPTIONS]", summary: "Remove stopped containers",
        aliases: ["container prune"], arguments: .none)
    package static let flags = FlagTable<Draft>([
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
        guard draft.force || Confirmation.ask("This will remove all stopped containers.", context) else { return 0 }
        return try prune(draft.filter, context).print(title, context)
    }

    static let title = "Deleted Containers:"

    static func prune(_ filter: PruneFilter, _ context: CommandContext) throws -> Reclaimed {
        try filter.checkKeys([])
        let bound = try filter.bound(now: context.now())
        let engine = try context.engine()
        var result = Reclaimed()
        let listed = try engine.summaries(SummaryScope(all: true, sizes: true)) { result.problems.append($0) }
        let chosen = listed.filter { container in
            guard container.condition == .created || container.condition == .exited,
                filter.accepts(container.labels)
            else { return false }
            return bound.map { RecordTime.seconds(container.created) ?? 0 < $0 } ?? true
        }
        // Without force: one that was started meanwhile stays.
        let problems = engine.remove(chosen.map(\.id), force: false, volumes: false)
        for (container, problem) in zip(chosen, problems) {
            if let problem {
                if !problem.isMissingObject { result.problems.append("\(problem)") }
                continue
            }
            result.names.append(container.id)
            result.bytes = result.bytes.addingReportingOverflow(container.size?.own ?? 0).partialValue
        }
        engine.notePrune("container", reclaimed: result.bytes)
        return result
    }
}
