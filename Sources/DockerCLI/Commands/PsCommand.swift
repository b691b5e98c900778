internal import Engine

/// `ps [OPTIONS]`.
package enum PsCommand: Command {
    package struct Draft: Sendable {
        package var all = false
        package var quiet = false
        package var sizes = false
        package var truncate = true
        package var latest = false
        /// Only so many, the newest; not positive: all.
        package var last = -1
        package var format = ""
        package var sort = SortKey.created
        package var filter = ContainerFilter()
    }

    /// podman's.
    package enum SortKey: String, Sendable, CaseIterable { case command, created, id, image, names, runningfor, status }

    package static let info = CommandInfo(
        path: "ps", synopsis: "[OPTIONS]", summary: "List containers",
        aliases: ["container ls", "container list", "container ps", "ps"], arguments: .none)

    package static let flags = FlagTable<Draft>([
        .bool("all", short: "a", "Show containers that do not run too") { $0.all = $1 },
        .value(
            "filter", short: "f", type: "filter", takes: ContainerFilter.values,
            "Show only containers that fit: KEY=VALUE"
        ) {
            (draft, text) throws(ValueError) in
            try draft.filter.add(text)
        },
        .value("format", takes: .listFormat, "Output as table, \"table TEMPLATE\", json, or by a Go template") {
            $0.format = $1
        },
        .value("last", short: "n", type: "int", "Show the newest so many, in any state", default: "-1") {
            (draft, text) throws(ValueError) in
            draft.last = Int(try GoValue.int64(text))
        },
        .bool("latest", short: "l", "Show the newest container, in any state") { $0.latest = $1 },
        .bool("no-trunc", "Show everything in full") { $0.truncate = !$1 },
        .bool("quiet", short: "q", "Show IDs only") { $0.quiet = $1 },
        .bool("size", short: "s", "Show what each takes of the disk") { $0.sizes = $1 },
        Flag.ignored("external", type: "bool", "Containers of other tools; there are none here", warning: nil),
        .value(
            "sort", takes: .names(of: SortKey.self), "Sort by command, created, id, image, names, runningfor or status",
            default: "\"created\""
        ) {
            (draft, text) throws(ValueError) in
            guard let key = SortKey(rawValue: text) else {
                throw .invalid(
                    "\(GoValue.quoted(text)) is not a valid value. Choose from: "
                        + SortKey.allCases.map { "\"\($0)\"" }.joined(separator: ", "))
            }
            draft.sort = key
        },
    ])

    package static func newDraft(_ context: CommandContext) -> Draft { Draft() }

    package static func execute(_ draft: Draft, _ arguments: [String], _ context: CommandContext) throws -> Int32 {
        var draft = draft
        if draft.latest, draft.last <= 0 { draft.last = 1 }
        if draft.format.isEmpty, !draft.quiet { draft.format = ClientSettings.load(context).psFormat }
        let table = try ContainerTable(draft, now: context.now())
        let rows = try containers(draft, context, sizes: draft.sizes || table.showsSizes)
        context.output.write(try table.render(rows))
        return 0
    }

    private static func containers(
        _ draft: Draft, _ context: CommandContext, sizes: Bool
    ) throws -> [ContainerSummary] {
        let engine = try context.engine()
        let all = draft.all || draft.last > 0 || draft.filter.needsAll
        let listed = try engine.summaries(SummaryScope(all: all, sizes: sizes)) {
            context.errors.line("WARNING: \($0)")
        }
        var shown = try draft.filter.apply(listed) { try engine.imageID(named: $0) }
        if !draft.all, draft.last <= 0, !draft.filter.asksForStatus {
            shown = shown.filter { $0.condition.isRunning || $0.condition == .restarting }
        }
        if draft.last > 0 { shown = Array(shown.prefix(draft.last)) }
        return sorted(shown, by: draft.sort)
    }

    private static func sorted(_ containers: [ContainerSummary], by key: SortKey) -> [ContainerSummary] {
        func sort(_ text: (ContainerSummary) -> String) -> [ContainerSummary] {
            containers.sorted { text($0) < text($1) }
        }
        switch key {
        case .created: return containers
        case .command: return sort { $0.command }
        case .id: return sort { $0.id }
        case .image: return sort { $0.imageName }
        case .names: return sort { $0.name }
        case .runningfor: return sort { $0.state.startedAt ?? "" }
        case .status: return sort { $0.stateName }
        }
    }
}
