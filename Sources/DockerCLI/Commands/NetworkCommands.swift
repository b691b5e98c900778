internal import Engine

/// `network ls [OPTIONS]`.
package enum NetworkListCommand: Command {
    package struct Draft: Sendable {
        package var quiet = false
        package var truncates = true
        package var format = ""
        package var filter = NetworkFilter()
    }

    package static let info = CommandInfo(
        path: "network ls", synopsis: "[OPTIONS]", summary: "List networks", aliases: ["network ls", "network list"],
        arguments: .none)
    package static let flags = FlagTable<Draft>([
        .value(
            "filter", short: "f", type: "filter", takes: NetworkFilter.values, "Show only networks that fit: KEY=VALUE"
        ) {
            (draft, text) throws(ValueError) in
            try draft.filter.add(text)
        },
        .value("format", takes: .listFormat, "Output as table, \"table TEMPLATE\", json, or by a Go template") {
            $0.format = $1
        },
        .bool("no-trunc", "Show IDs in full") { $0.truncates = !$1 },
        .bool("quiet", short: "q", "Show IDs only") { $0.quiet = $1 },
    ])

    package static func newDraft(_ context: CommandContext) -> Draft { Draft() }

    package static func execute(_ draft: Draft, _ arguments: [String], _ context: CommandContext) throws -> Int32 {
        var text = draft.format
        if text.isEmpty, !draft.quiet { text = ClientSettings.load(context).networksFormat }
        if draft.quiet, text.isEmpty || text == "table" { text = "{{.ID}}" }
        let format = try ListFormat(text, standard: "{{.ID}}\t{{.Name}}\t{{.Driver}}\t{{.Scope}}")
        try draft.filter.check()
        let networks = draft.filter.apply(
            try context.engine().allNetworks { context.errors.line("WARNING: \($0)") })
        let rows = networks.map { NetworkValue.row($0, truncates: draft.truncates) }
        context.output.write(try format.render(header: NetworkValue.header, rows))
        return 0
    }
}

/// `network inspect [OPTIONS] NETWORK [NETWORK...]`.
package enum NetworkInspectCommand: KindInspectCommand {
    package static let type = "network"
    package static let info = CommandInfo(
        path: "network inspect", synopsis: "[OPTIONS] NETWORK [NETWORK...]", summary: "Show all of a network",
        aliases: ["network inspect"], arguments: .atLeast(1), operands: [.network])
    package static let flags = FlagTable<InspectDraft>([
        InspectDraft.format,
        .bool("verbose", short: "v", "Say more of a cluster's networks; there are none here") { (_, _) in },
    ])
}

/// `network rm [OPTIONS] NETWORK [NETWORK...]`.
package enum NetworkRemoveCommand: Command {
    package struct Draft: Sendable { package var force = false }

    package static let info = CommandInfo(
        path: "network rm", synopsis: "[OPTIONS] NETWORK [NETWORK...]", summary: "Remove networks",
        aliases: ["network rm", "network remove"], arguments: .atLeast(1), operands: [.network])
    package static let flags = FlagTable<Draft>([
        .bool("force", short: "f", "Say nothing of networks that are not there") { $0.force = $1 }
    ])

    package static func newDraft(_ context: CommandContext) -> Draft { Draft() }

    package static func execute(_ draft: Draft, _ arguments: [String], _ context: CommandContext) throws -> Int32 {
        let engine = try context.engine()
        var code: Int32 = 0
        for name in arguments {
            do {
                try engine.removeNetwork(name)
                context.output.line(name)
            } catch let error as any MissingObjectError where draft.force && error.isMissingObject {
                continue
            } catch {
                context.errors.line("\(context.program): \(error)")
                code = 1
            }
        }
        return code
    }
}

/// `network prune [OPTIONS]`.
package enum NetworkPruneCommand: Command {
    package struct Draft: Sendable {
        package var force = false
        package var filter = PruneFilter()
    }

    package static let info = CommandInfo(
        path: "network prune", synopsis: "[OPTIONS]", summary: "Remove networks that no container uses",
        aliases: ["network prune"], arguments: .none)
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

    static let title = "Deleted Networks:"

    package static func execute(_ draft: Draft, _ arguments: [String], _ context: CommandContext) throws -> Int32 {
        // Before anything is gone.
        try draft.filter.checkKeys([])
        _ = try draft.filter.bound(now: context.now())
        let warning = "This will remove all custom networks not used by at least one container."
        guard draft.force || Confirmation.ask(warning, context) else { return 0 }
        let result = try prune(draft.filter, context)
        result.list(title, context)
        for problem in result.problems { context.errors.line("\(context.program): \(problem)") }
        return result.problems.isEmpty ? 0 : 1
    }

    static func prune(_ filter: PruneFilter, _ context: CommandContext) throws -> Reclaimed {
        try filter.checkKeys([])
        let bound = try filter.bound(now: context.now())
        let engine = try context.engine()
        var problems: [String] = []
        let unused = try engine.allNetworks { problems.append($0) }.filter { network in
            guard !network.isBuiltin, !network.isUsed, filter.accepts(network.record.labels) else { return false }
            return bound.map { (RecordTime.seconds(network.record.created) ?? 0) < $0 } ?? true
        }
        var result = try engine.pruneNetworks(unused.map(\.record.id))
        result.problems += problems
        return result
    }
}
