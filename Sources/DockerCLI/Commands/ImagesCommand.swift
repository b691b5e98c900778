package import Engine
internal import OCI
internal import Sys

/// `images [OPTIONS] [REPOSITORY[:TAG]]`.
package enum ImagesCommand: Command {
    package struct Draft: Sendable {
        package var all = false
        package var digests = false
        package var quiet = false
        package var truncate = true
        package var format = ""
        package var filter = ImageFilter()
    }

    package static let info = CommandInfo(
        path: "images", synopsis: "[OPTIONS] [REPOSITORY[:TAG]]", summary: "List images",
        aliases: ["image ls", "image list", "images"], arguments: .atMost(1), operands: [.image])

    package static let flags = FlagTable<Draft>([
        .bool("all", short: "a", "Show intermediate images too") { $0.all = $1 },
        .bool("digests", "Show digests") { $0.digests = $1 },
        .value("filter", short: "f", type: "filter", takes: ImageFilter.values, "Show only images that fit: KEY=VALUE")
        {
            (draft, text) throws(ValueError) in
            try draft.filter.add(text)
        },
        .value("format", takes: .listFormat, "Output as table, \"table TEMPLATE\", json, or by a Go template") {
            $0.format = $1
        },
        .bool("no-trunc", "Show IDs in full") { $0.truncate = !$1 },
        .bool("quiet", short: "q", "Show IDs only") { $0.quiet = $1 },
        .planned("tree", type: "bool", "Show platforms as a tree"),
    ])

    package static func newDraft(_ context: CommandContext) -> Draft { Draft() }

    package static func execute(_ draft: Draft, _ arguments: [String], _ context: CommandContext) throws -> Int32 {
        var draft = draft
        if draft.format.isEmpty, !draft.quiet { draft.format = ClientSettings.load(context).imagesFormat }
        var filter = draft.filter
        if let name = arguments.first { try filter.addReference(name) }
        let images = try context.engine().images { event in
            if case .warning(let text) = event { context.errors.line("WARNING: \(text)") }
        }
        do {
            let shown = try filter.apply(draft.all ? images : withoutIntermediates(images), now: context.now())
            context.output.write(try ImageTable(draft, now: context.now()).render(shown))
            return 0
        } catch let error as TemplateError {
            throw CommandError.failed("template parsing error: \(error)", code: 1)
        } catch let error as ValueError {
            throw Failure.plain(error, 1)
        }
    }

    /// An image without a name that another one was made from is a step on the way.
    private static func withoutIntermediates(_ images: [ImageSummary]) -> [ImageSummary] {
        let parents = Set(images.compactMap(\.parent))
        return images.filter { !$0.repoTags.isEmpty || !$0.repoDigests.isEmpty || !parents.contains($0.id) }
    }
}

/// The rows and the layout of `images`.
package struct ImageTable {
    private let draft: ImagesCommand.Draft
    private let now: Int64
    private static let none = "<none>"

    package init(_ draft: ImagesCommand.Draft, now: Int64) {
        self.draft = draft
        self.now = now
    }

    package func render(_ images: [ImageSummary]) throws(TemplateError) -> String {
        let isTable = draft.format.isEmpty || draft.format == "table"
        let format = try ListFormat(draft.quiet && isTable ? "{{.ID}}" : draft.format, standard: standard)
        return try format.render(header: Self.header, values(images))
    }

    /// The rows, the newest image first.
    func values(_ images: [ImageSummary]) -> [TemplateValue] {
        images.sorted { $0.created > $1.created }.flatMap(rows)
    }

    private var standard: String {
        let digest = draft.digests ? "{{.Digest}}\t" : ""
        return "{{.Repository}}\t{{.Tag}}\t\(digest){{.ID}}\t"
            + "{{if .CreatedSince}}{{.CreatedSince}}{{else}}N/A{{end}}\t{{.Size}}"
    }

    private static let header = TemplateValue.record(
        [
            ("Containers", "CONTAINERS"), ("CreatedAt", "CREATED AT"), ("CreatedSince", "CREATED"),
            ("Digest", "DIGEST"),
            ("ID", "IMAGE ID"), ("LastUsed", "LAST USED"), ("LastUsedAt", "LAST USED AT"), ("Repository", "REPOSITORY"),
            ("SharedSize", "SHARED SIZE"), ("Size", "SIZE"),
            ("Tag", "TAG"), ("UniqueSize", "UNIQUE SIZE"), ("VirtualSize", "SIZE"),
        ].map { TemplateValue.Field($0.0, .string($0.1)) })

    /// A row for each name; digests have rows of their own only where no tag of their repository has one.
    private func rows(_ image: ImageSummary) -> [TemplateValue] {
        if image.repoTags.isEmpty, image.repoDigests.isEmpty { return [row(image, Self.none, Self.none, Self.none)] }
        let tags = pairs(image.repoTags) { reference in reference.tag }
        let digests = pairs(image.repoDigests) { reference in reference.digest.map { "\($0)" } }
        var rows: [TemplateValue] = []
        for (repository, tag) in tags {
            let known = draft.digests ? digests.filter { $0.repository == repository }.map(\.suffix) : []
            for digest in known.isEmpty ? [Self.none] : known { rows.append(row(image, repository, tag, digest)) }
        }
        let tagged = Set(tags.map(\.repository))
        var seen: Set<String> = []
        for (repository, digest) in digests where !tagged.contains(repository) {
            if draft.digests {
                rows.append(row(image, repository, Self.none, digest))
            } else if seen.insert(repository).inserted {
                rows.append(row(image, repository, Self.none, ""))
            }
        }
        return rows
    }

    private func pairs(
        _ names: [String], _ suffix: (Reference) -> String?
    ) -> [(repository: String, suffix: String)] {
        names.compactMap { name in
            guard let reference = try? Reference(parsing: name), let end = suffix(reference) else { return nil }
            return (reference.familiarRepository, end)
        }
    }

    private func row(_ image: ImageSummary, _ repository: String, _ tag: String, _ digest: String) -> TemplateValue {
        let since = "\(Human.duration(seconds: now - image.created)) ago"
        let used = image.lastUsed.map { "\(Human.duration(seconds: now - $0.seconds)) ago" } ?? "N/A"
        let usedAt = image.lastUsed.map { Human.timestamp($0.seconds) } ?? "N/A"
        return .row(
            [
                ("Containers", image.containers.map { "\($0)" } ?? "N/A"),
                ("CreatedAt", Human.timestamp(image.created)), ("CreatedSince", since), ("Digest", digest),
                ("ID", draft.truncate ? image.id.short : "\(image.id)"),
                ("LastUsed", used), ("LastUsedAt", usedAt),
                ("Repository", repository),
                ("SharedSize", image.sharedSize.map { Human.size($0) } ?? "N/A"),
                ("Size", Human.size(image.size, digits: 3)), ("Tag", tag),
                ("UniqueSize", image.sharedSize.map { Human.size(image.size - $0) } ?? "N/A"),
                ("VirtualSize", Human.size(image.size)),
            ].map { TemplateValue.Field($0.0, .string($0.1)) })
    }
}
