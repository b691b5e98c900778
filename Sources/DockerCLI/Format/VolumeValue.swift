internal import Engine

/// A volume as docker's JSON.
enum VolumeValue {
    static func make(_ volume: VolumeDetails) -> TemplateValue {
        .record([
            .init("CreatedAt", .string(volume.created)), .init("Driver", .string("local")),
            .init("Labels", volume.labels.isEmpty ? .nullMap : .map(volume.labels.mapValues { .string($0) })),
            .init("Mountpoint", .string(volume.path)), .init("Name", .string(volume.name)),
            .init("Options", .nullMap), .init("Scope", .string("local")),
        ])
    }

    /// As a line of `volume ls`.
    static func row(_ volume: VolumeDetails) -> TemplateValue {
        let labels = volume.labels.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        let fields = [
            ("Availability", "N/A"), ("Driver", "local"), ("Group", "N/A"),
            ("Labels", labels.joined(separator: ",")), ("Links", volume.links.map { "\($0)" } ?? "N/A"),
            ("Mountpoint", volume.path),
            ("Name", volume.name), ("Scope", "local"),
            ("Size", volume.size.map { Human.size($0) } ?? "N/A"), ("Status", "N/A"),
        ]
        return .row(fields.map { .init($0.0, .string($0.1)) } + [.method("Label", .label(volume.labels))])
    }

    static let header = TemplateValue.record(
        [
            ("Availability", "AVAILABILITY"), ("Driver", "DRIVER"), ("Group", "GROUP"), ("Labels", "LABELS"),
            ("Links", "LINKS"), ("Mountpoint", "MOUNTPOINT"), ("Name", "VOLUME NAME"), ("Scope", "SCOPE"),
            ("Size", "SIZE"), ("Status", "STATUS"),
        ].map { TemplateValue.Field($0.0, .string($0.1)) } + [.method("Label", .labelHeader)])
}
