internal import Engine

/// The rows and the layouts of `system df`.
struct SpaceTable {
    private let report: SpaceReport
    private let now: Int64

    init(_ report: SpaceReport, now: Int64) {
        self.report = report
        self.now = now
    }

    static let standard = "{{.Type}}\t{{.TotalCount}}\t{{.Active}}\t{{.Size}}\t{{.Reclaimable}}"

    static let header = TemplateValue.record(
        [
            ("Active", "ACTIVE"), ("Reclaimable", "RECLAIMABLE"), ("Size", "SIZE"), ("TotalCount", "TOTAL"),
            ("Type", "TYPE"),
        ].map { TemplateValue.Field($0.0, .string($0.1)) })

    /// A row for each kind, in docker's order; nothing is built here, so the last one is empty.
    var rows: [TemplateValue] { [images, containers, volumes, Self.row("Build Cache", 0, 0, 0, "0B")] }

    private var images: TemplateValue {
        let used = report.images.filter { $0.containers ?? 0 > 0 }
        // As docker counts it: what an image shares with another one is nobody's.
        let held = used.reduce(Int64(0)) { $0 &+ $1.size &- ($1.sharedSize ?? 0) }
        return Self.row("Images", report.images.count, used.count, report.layers, free: report.layers &- held)
    }

    private var containers: TemplateValue {
        func bytes(_ containers: [ContainerSummary]) -> Int64 { containers.reduce(0) { $0 &+ ($1.size?.own ?? 0) } }
        let active = report.containers.filter { $0.condition.isRunning || $0.condition == .restarting }
        let all = bytes(report.containers)
        return Self.row("Containers", report.containers.count, active.count, all, free: all &- bytes(active))
    }

    private var volumes: TemplateValue {
        func bytes(_ volumes: [VolumeDetails]) -> Int64 { volumes.reduce(0) { $0 &+ ($1.size ?? 0) } }
        let used = report.volumes.filter { $0.links ?? 0 > 0 }
        let all = bytes(report.volumes)
        return Self.row("Local Volumes", report.volumes.count, used.count, all, free: all &- bytes(used))
    }

    private static func row(_ type: String, _ total: Int, _ active: Int, _ size: Int64, free: Int64) -> TemplateValue {
        let share = size > 0 ? " (\(Int(Double(free) / Double(size) * 100))%)" : ""
        return row(type, total, active, size, Human.size(free) + share)
    }

    private static func row(
        _ type: String, _ total: Int, _ active: Int, _ size: Int64, _ reclaimable: String
    ) -> TemplateValue {
        .row(
            [
                ("Active", "\(active)"), ("Reclaimable", reclaimable), ("Size", Human.size(size)),
                ("TotalCount", "\(total)"), ("Type", type),
            ].map { TemplateValue.Field($0.0, .string($0.1)) })
    }

    // MARK: One by one

    func verbose() throws(TemplateError) -> String {
        "Images space usage:\n\n" + (try imageTable())
            + "\nContainers space usage:\n\n" + (try containerTable())
            + "\nLocal Volumes space usage:\n\n" + (try volumeTable())
            + "\nBuild cache usage: 0B\n\n" + Table.render([Self.cacheHeader])
    }

    private static let cacheHeader = "CACHE ID\tCACHE TYPE\tSIZE\tCREATED\tLAST USED\tUSAGE\tSHARED"

    /// The four lists as one value for a template. As docker: IDs are cut in tables only.
    func value(truncate: Bool) throws(TemplateError) -> TemplateValue {
        var images = ImagesCommand.Draft()
        images.truncate = truncate
        var containers = PsCommand.Draft()
        containers.truncate = truncate
        let containerRows = try ContainerTable(containers, now: now).values(listedContainers)
        return .record([
            .init("Images", .list(ImageTable(images, now: now).values(listedImages))),
            .init("Containers", .list(containerRows)), .init("Volumes", .list(report.volumes.map(VolumeValue.row))),
            // Nothing is built here.
            .init("BuildCache", .list([])),
        ])
    }

    /// One row each, with its first tag.
    private var listedImages: [ImageSummary] {
        report.images.map { image in
            var image = image
            image.repoTags = Array(image.repoTags.prefix(1))
            image.repoDigests = []
            return image
        }
    }

    /// The image's part is among the images.
    private var listedContainers: [ContainerSummary] {
        report.containers.map { container in
            var container = container
            container.size?.whole = 0
            return container
        }
    }

    private func imageTable() throws(TemplateError) -> String {
        var draft = ImagesCommand.Draft()
        draft.format =
            "table {{.Repository}}\t{{.Tag}}\t{{.ID}}\t{{.CreatedSince}}\t{{.VirtualSize}}\t{{.SharedSize}}"
            + "\t{{.UniqueSize}}\t{{.Containers}}"
        return try ImageTable(draft, now: now).render(listedImages)
    }

    private func containerTable() throws(TemplateError) -> String {
        var draft = PsCommand.Draft()
        draft.format =
            "table {{.ID}}\t{{.Image}}\t{{.Command}}\t{{.LocalVolumes}}\t{{.Size}}\t{{.RunningFor}}\t{{.Status}}"
            + "\t{{.Names}}"
        return try ContainerTable(draft, now: now).render(listedContainers)
    }

    private func volumeTable() throws(TemplateError) -> String {
        let format = try ListFormat("", standard: "{{.Name}}\t{{.Links}}\t{{.Size}}")
        return try format.render(header: VolumeValue.header, report.volumes.map(VolumeValue.row))
    }
}
