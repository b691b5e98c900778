package import Engine
internal import OCI

/// `images --filter` and the name behind it. The same key twice widens, different keys narrow.
package struct ImageFilter: Sendable, Hashable {
    private var references: [String] = []
    private var labels: [EnvironmentEntry] = []
    private var dangling: Bool?
    private var before: [String] = []
    private var since: [String] = []
    private var until: [String] = []

    package static let values = ValueKind.filter([
        FilterKey("before", .image), FilterKey("dangling", .boolean), FilterKey("label"),
        FilterKey("reference", .image), FilterKey("since", .image),
        FilterKey("until"),
    ])

    package init() {}

    package var isEmpty: Bool { self == ImageFilter() }

    package mutating func add(_ text: String) throws(ValueError) {
        guard let (key, value) = try FilterText.split(text) else { return }
        switch key {
        case "reference": try addReference(value)
        case "label": labels.append(try Names.label(value).keeping(value))
        case "dangling":
            guard let on = try? GoValue.bool(value) else { throw .plain("invalid filter 'dangling=[\(value)]'") }
            dangling = on
        case "before": before.append(value)
        case "since": since.append(value)
        case "until": until.append(value)
        default: throw .plain("invalid filter '\(Names.printable(key))'")
        }
    }

    package mutating func addReference(_ pattern: String) throws(ValueError) {
        guard Glob.match(pattern, "") != nil else { throw .plain("syntax error in pattern \(GoValue.quoted(pattern))") }
        references.append(pattern)
    }

    /// Those that fit, with the names that fit.
    package func apply(_ images: [ImageSummary], now: Int64) throws(ValueError) -> [ImageSummary] {
        let newest = try before.map { text throws(ValueError) in try created(text, images) }.max()
        let oldest = try since.map { text throws(ValueError) in try created(text, images) }.min()
        // As docker: the earliest of several.
        let bound = try until.map { text throws(ValueError) in try PruneFilter.moment(text, now: now) }.min()
        return images.compactMap { image in
            if let bound, image.created >= bound { return nil }
            if let newest, image.created >= newest { return nil }
            if let oldest, image.created <= oldest { return nil }
            if let dangling, dangling != image.repoTags.isEmpty { return nil }
            guard labels.allSatisfy({ image.labels[$0.name].map($0.accepts) ?? false }) else { return nil }
            return named(image)
        }
    }

    private func named(_ image: ImageSummary) -> ImageSummary? {
        if references.isEmpty { return image }
        var result = image
        result.repoTags = image.repoTags.filter(matches)
        result.repoDigests = image.repoDigests.filter(matches)
        return result.repoTags.isEmpty && result.repoDigests.isEmpty ? nil : result
    }

    /// A pattern is for the whole name or for the name without tag and digest.
    private func matches(_ name: String) -> Bool {
        guard let reference = try? Reference(parsing: name) else { return false }
        return references.contains { pattern in
            Glob.match(pattern, reference.familiar) == true || Glob.match(pattern, reference.familiarRepository) == true
        }
    }

    private func created(_ text: String, _ images: [ImageSummary]) throws(ValueError) -> Int64 {
        let name = (try? Reference(parsing: text))?.tagged.familiar
        let id = text.hasPrefix("sha256:") ? String(text.dropFirst(7)) : text
        let found =
            images.first { image in name.map { image.repoTags.contains($0) || image.repoDigests.contains($0) } ?? false
            }
            ?? images.first { id.utf8.count >= 4 && $0.id.hex.hasPrefix(id) }
        guard let found else { throw .plain("No such image: \(Names.printable(name ?? text))") }
        return found.created
    }
}

extension EnvironmentEntry {
    /// A label filter without `=` asks for the key alone.
    fileprivate func keeping(_ text: String) -> EnvironmentEntry {
        EnvironmentEntry(name: name, value: text.unicodeScalars.contains("=") ? value : nil)
    }

    fileprivate func accepts(_ actual: String) -> Bool { value == nil || value == actual }
}
