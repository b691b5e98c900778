package import Engine
internal import OCI

/// `volume create [OPTIONS] [VOLUME]`.
package enum VolumeCreateCommand: Command {
    package struct Draft: Sendable {
        package var name: String?
        package var labels: [String: String] = [:]
        package var ignoresExisting = false
        package var driver = "local"
    }

    package static let info = CommandInfo(
        path: "volume create", synopsis: "[OPTIONS] [VOLUME]", summary: "Make a volume", aliases: ["volume create"],
        arguments: .atMost(1), operands: [.text])
    package static let flags = FlagTable<Draft>([
        .value("driver", short: "d", takes: .words(["local"]), "Driver: local", default: "\"local\"") {
            $0.driver = $1
        },
        .value("label", type: "list", takes: .text, "Label: KEY=VALUE") { (draft, text) throws(ValueError) in
            let label = try Names.label(text)
            draft.labels[label.name] = label.value ?? ""
        },
        Flag.value("name", takes: .text, "Name of the volume") { $0.name = $1 }.hidden(),
        .planned("opt", short: "o", type: "map", "Option of the driver"),
        .bool("ignore", "Accept a volume that is there") { $0.ignoresExisting = $1 },
    ])

    package static func newDraft(_ context: CommandContext) -> Draft { Draft() }

    package static func execute(_ draft: Draft, _ arguments: [String], _ context: CommandContext) throws -> Int32 {
        if draft.name != nil, !arguments.isEmpty {
            throw CommandError.failed(
                "conflicting options: cannot specify a volume-name through both --name and as a positional arg", code: 1
            )
        }
        let asked = draft.name ?? arguments.first
        guard draft.driver == "local" else {
            let driver = draft.driver
            throw CommandError.failed(
                "create \(asked ?? ""): error looking up volume plugin \(driver): plugin \(GoValue.quoted(driver)) not found",
                code: 1)
        }
        let volume = try context.engine().createVolume(
            asked.flatMap { $0.isEmpty ? nil : $0 }, labels: draft.labels)
        context.output.line(volume.name)
        return 0
    }
}

/// `volume ls [OPTIONS]`.
package enum VolumeListCommand: Command {
    package struct Draft: Sendable {
        package var quiet = false
        package var format = ""
        package var filter = VolumeFilter()
    }

    package static let info = CommandInfo(
        path: "volume ls", synopsis: "[OPTIONS]", summary: "List volumes", aliases: ["volume ls", "volume list"],
        arguments: .none)
    package static let flags = FlagTable<Draft>([
        .value(
            "filter", short: "f", type: "filter", takes: VolumeFilter.values, "Show only volumes that fit: KEY=VALUE"
        ) {
            (draft, text) throws(ValueError) in
            try draft.filter.add(text)
        },
        .value("format", takes: .listFormat, "Output as table, \"table TEMPLATE\", json, or by a Go template") {
            $0.format = $1
        },
        .bool("quiet", short: "q", "Show names only") { $0.quiet = $1 },
        .refused("cluster", type: "bool", "Volumes of a cluster", reason: "clusters are not part of runimg"),
    ])

    package static func newDraft(_ context: CommandContext) -> Draft { Draft() }

    package static func execute(_ draft: Draft, _ arguments: [String], _ context: CommandContext) throws -> Int32 {
        var text = draft.format
        if text.isEmpty, !draft.quiet { text = ClientSettings.load(context).volumesFormat }
        if draft.quiet, text.isEmpty || text == "table" { text = "{{.Name}}" }
        let format = try ListFormat(text, standard: "{{.Driver}}\t{{.Name}}")
        let volumes = try draft.filter.apply(try context.engine().allVolumes())
        for problem in volumes.compactMap(\.problem) { context.errors.line("WARNING: \(problem)") }
        context.output.write(try format.render(header: VolumeValue.header, volumes.map(VolumeValue.row)))
        return 0
    }
}

/// `volume inspect [OPTIONS] VOLUME [VOLUME...]`.
package enum VolumeInspectCommand: KindInspectCommand {
    package static let type = "volume"
    package static let info = CommandInfo(
        path: "volume inspect", synopsis: "[OPTIONS] VOLUME [VOLUME...]", summary: "Show all of a volume",
        aliases: ["volume inspect"], arguments: .atLeast(1), operands: [.volume])
    package static let flags = FlagTable<InspectDraft>([InspectDraft.format])
}

/// `volume rm [OPTIONS] VOLUME [VOLUME...]`.
package enum VolumeRemoveCommand: Command {
    package struct Draft: Sendable { package var force = false }

    package static let info = CommandInfo(
        path: "volume rm", synopsis: "[OPTIONS] VOLUME [VOLUME...]", summary: "Remove volumes",
        aliases: ["volume rm", "volume remove"], arguments: .atLeast(1), operands: [.volume])
    package static let flags = FlagTable<Draft>([
        .bool("force", short: "f", "Say nothing of volumes that are not there") { $0.force = $1 }
    ])

    package static func newDraft(_ context: CommandContext) -> Draft { Draft() }

    package static func execute(_ draft: Draft, _ arguments: [String], _ context: CommandContext) throws -> Int32 {
        let engine = try context.engine()
        var code: Int32 = 0
        for name in arguments {
            do {
                try engine.removeVolume(name)
                context.output.line(name)
            } catch let error as any MissingObjectError where draft.force && error.isMissingObject {
                context.output.line(name)
            } catch {
                context.errors.line("\(context.program): \(error)")
                code = 1
            }
        }
        return code
    }
}

/// `volume prune [OPTIONS]`.
package enum VolumePruneCommand: Command {
    package struct Draft: Sendable {
        package var all = false
        package var force = false
        package var filter = PruneFilter()
    }

    package static let info = CommandInfo(
        path: "volume prune", synopsis: "[OPTIONS]", summary: "Remove volumes that no container uses",
        aliases: ["volume prune"], arguments: .none)
    package static let flags = FlagTable<Draft>([
        .bool("all", short: "a", "Also volumes with a name") { $0.all = $1 },
        .bool("force", short: "f", "Do not ask first") { $0.force = $1 },
        .value("filter", type: "filter", takes: VolumeFilter.values, "Only those that fit: label[!]=KEY[=VALUE]") {
            (draft, text) throws(ValueError) in
            try draft.filter.add(text)
        },
    ])

    package static func newDraft(_ context: CommandContext) -> Draft { Draft() }

    package static func execute(_ draft: Draft, _ arguments: [String], _ context: CommandContext) throws -> Int32 {
        var all = draft.all
        do throws(ValueError) {
            try draft.filter.checkKeys(["all"])
            if let text = draft.filter.rest["all"]?.last { all = try GoValue.bool(text) }
            if try draft.filter.bound(now: context.now()) != nil { throw .plain("invalid filter 'until'") }
        } catch {
            throw Failure.plain(error, 1)
        }
        let kind = all ? "all local volumes" : "anonymous local volumes"
        let warning = "This will remove \(kind) not used by at least one container."
        guard draft.force || Confirmation.ask(warning, context) else { return 0 }
        return try prune(all: all, draft.filter, context).print(title, context)
    }

    static let title = "Deleted Volumes:"

    static func prune(all: Bool, _ filter: PruneFilter, _ context: CommandContext) throws -> Reclaimed {
        let engine = try context.engine()
        let unused = try engine.allVolumes().filter { !$0.isUsed && (all || $0.isAnonymous) }
        // One whose labels can't be told may be one that a filter keeps.
        let names = unused.filter { $0.problem == nil && filter.accepts($0.labels) }.map(\.name)
        var result = try engine.pruneVolumes(names)
        result.problems += unused.compactMap(\.problem)
        return result
    }
}

/// `volume ls --filter`.
package struct VolumeFilter: Sendable, Hashable {
    private var values: [String: [String]] = [:]

    package static let values = ValueKind.filter([
        FilterKey("dangling", .boolean), FilterKey("driver", .words(["local"])), FilterKey("label"),
        FilterKey("name", .volume),
    ])

    package init() {}

    package mutating func add(_ text: String) throws(ValueError) {
        guard let (key, value) = try FilterText.split(text) else { return }
        values[key, default: []].append(value)
    }

    package func apply(_ volumes: [VolumeDetails]) throws(ValueError) -> [VolumeDetails] {
        var shown = volumes
        for (key, wanted) in values.sorted(by: { $0.key < $1.key }) {
            switch key {
            case "name": shown = shown.filter { volume in wanted.contains { TextPattern.matches($0, volume.name) } }
            case "driver": shown = wanted.contains("local") ? shown : []
            case "label":
                shown = shown.filter { volume in
                    wanted.allSatisfy { label in
                        let (name, value) = label.cut("=")
                        return volume.labels[name].map { value == nil || value == $0 } ?? false
                    }
                }
            case "dangling":
                guard let isDangling = try? GoValue.bool(wanted[0]) else {
                    throw .plain("invalid filter 'dangling=[\(Names.printable(wanted[0]))]'")
                }
                shown = shown.filter { $0.isUsed != isDangling }
            default: throw .plain("invalid filter '\(Names.printable(key))'")
            }
        }
        return shown
    }
}
