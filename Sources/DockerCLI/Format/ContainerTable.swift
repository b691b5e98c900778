package import Engine
internal import OCI

/// The rows and the layout of `ps`.
package struct ContainerTable {
    private let draft: PsCommand.Draft
    private let now: Int64
    private let format: ListFormat
    /// Labels that the template asks for: the header of such a column is the label's name.
    private static let commandLength = 20
    private static let mountLength = 15

    package init(_ draft: PsCommand.Draft, now: Int64) throws(TemplateError) {
        self.draft = draft
        self.now = now
        let isTable = draft.format.isEmpty || draft.format == "table"
        format = try ListFormat(
            draft.quiet && isTable ? "{{.ID}}" : draft.format, standard: ContainerTable.standard(draft))
    }

    /// Whether the template shows what containers take of the disk.
    var showsSizes: Bool { format.mentions("Size") }

    private static func standard(_ draft: PsCommand.Draft) -> String {
        "{{.ID}}\t{{.Image}}\t{{.Command}}\t{{.RunningFor}}\t{{.Status}}\t{{.Ports}}\t{{.Names}}"
            + (draft.sizes ? "\t{{.Size}}" : "")
    }

    package func render(_ containers: [ContainerSummary]) throws(TemplateError) -> String {
        try format.render(header: Self.header, values(containers))
    }

    func values(_ containers: [ContainerSummary]) -> [TemplateValue] { containers.map(row) }

    private static let header = TemplateValue.record(
        [
            ("Command", "COMMAND"), ("CreatedAt", "CREATED AT"), ("ID", "CONTAINER ID"), ("Image", "IMAGE"),
            ("Labels", "LABELS"), ("LocalVolumes", "LOCAL VOLUMES"), ("Mounts", "MOUNTS"), ("Names", "NAMES"),
            ("Networks", "NETWORKS"), ("Platform", "PLATFORM"), ("Ports", "PORTS"), ("RunningFor", "CREATED"),
            ("Size", "SIZE"), ("State", "STATE"), ("Status", "STATUS"),
        ].map { TemplateValue.Field($0.0, .string($0.1)) } + [.method("Label", .labelHeader)])

    private func row(_ container: ContainerSummary) -> TemplateValue {
        let command = draft.truncate ? container.command.ellipsized(Self.commandLength) : container.command
        let created = RecordTime.seconds(container.created) ?? 0
        let labels = container.labels.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        let mounts = container.mounts.map { mount in
            let name = mount.volume ?? mount.source
            return draft.truncate ? name.ellipsized(Self.mountLength) : name
        }
        let texts = [
            ("Command", GoValue.quoted(command)), ("CreatedAt", Human.timestamp(created)),
            ("ID", draft.truncate ? String(container.id.prefix(12)) : container.id),
            ("Image", container.imageText(truncate: draft.truncate)), ("Labels", labels.joined(separator: ",")),
            ("LocalVolumes", "\(container.mounts.count { $0.volume != nil })"),
            ("Mounts", mounts.joined(separator: ",")), ("Names", container.name),
            ("Networks", container.networkNames.joined(separator: ",")),
        ]
        let rest = [
            ("Ports", PortColumn.text(container.openPorts, container.published)),
            ("RunningFor", "\(Human.duration(seconds: now - created)) ago"), ("Size", container.sizeText),
            ("State", container.stateName), ("Status", container.status(now: now)),
        ]
        return .row(
            texts.map { .init($0.0, .string($0.1)) } + [.init("Platform", .null)]
                + rest.map { .init($0.0, .string($0.1)) } + [.method("Label", .label(container.labels))])
    }
}

extension ContainerSummary {
    /// As docker's daemon puts it: arguments with blanks in quotes.
    var command: String {
        guard let program = arguments.first else { return "" }
        let rest = arguments.dropFirst().map { $0.unicodeScalars.contains(" ") ? "'\($0)'" : $0 }
        return ([program] + rest).joined(separator: " ")
    }

    /// An ID is cut as IDs are.
    fileprivate func imageText(truncate: Bool) -> String {
        guard truncate else { return imageName }
        let digits = imageName.hasPrefix("sha256:") ? imageName.dropFirst(7) : imageName[...]
        return digits.utf8.count == 64 && image.hex == digits ? String(digits.prefix(12)) : imageName
    }

    /// `running`, `exited`…
    package var stateName: String {
        switch condition {
        case .created, .starting: "created"
        case .running: isPaused ? "paused" : "running"
        case .restarting: "restarting"
        case .ending, .exited: "exited"
        }
    }

    /// `Up 5 minutes`, `Exited (0) 2 hours ago`…
    func status(now: Int64) -> String {
        func since(_ time: String?) -> String { Human.duration(seconds: now - (RecordTime.seconds(time) ?? now)) }
        let code = state.exitCode ?? 0
        switch condition {
        case .created, .starting: return "Created"
        case .running: return "Up \(since(state.startedAt))" + (isPaused ? " (Paused)" : healthText)
        case .restarting: return "Restarting (\(code)) \(since(state.finishedAt)) ago"
        case .ending, .exited: return "Exited (\(code)) \(since(state.finishedAt)) ago"
        }
    }

    private var healthText: String {
        switch health {
        case nil: ""
        case .starting: " (health: starting)"
        case .healthy: " (healthy)"
        case .unhealthy: " (unhealthy)"
        }
    }

    fileprivate var sizeText: String {
        guard let size else { return "0B" }
        let own = Human.size(size.own, digits: 3)
        return size.whole > 0 ? "\(own) (virtual \(Human.size(size.whole, digits: 3)))" : own
    }
}

extension String {
    /// At most `length` characters, the last of them `…` where something is cut off.
    func ellipsized(_ length: Int) -> String {
        let scalars = unicodeScalars
        guard scalars.count > length else { return self }
        return String(scalars.prefix(length - 1)) + "…"
    }
}
