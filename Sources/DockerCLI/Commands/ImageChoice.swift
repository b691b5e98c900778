internal import Engine
internal import OCI
internal import Sys

/// Which images a prune is about, as its flags say.
package struct ImageChoice: Sendable, Hashable {
    /// Also images with a tag.
    package var all = false
    package var filter = PruneFilter()
    package private(set) var unusedFor: Bound?
    package private(set) var keepBytes: Bound?

    /// A duration in nanoseconds, or a size in bytes.
    package struct Bound: Sendable, Hashable {
        let text: String
        let value: Int64
    }

    package init(all: Bool = false, filter: PruneFilter = PruneFilter()) {
        self.all = all
        self.filter = filter
    }

    /// Go's durations, and days and weeks: `7d`, `1w12h`.
    mutating func setUnusedFor(_ text: String) throws(ValueError) {
        guard let nanoseconds = GoDuration.nanoseconds(text, days: true), nanoseconds >= 0 else {
            throw .invalid("time: invalid duration \(GoValue.quoted(text)); say for example 36h, 7d or 2w")
        }
        unusedFor = Bound(text: text, value: nanoseconds)
    }

    mutating func setKeepBytes(_ text: String) throws(ValueError) {
        keepBytes = Bound(text: text, value: try Sizes.ram(text))
    }

    /// Use says more than a name does: images with a tag go too.
    var takesTagged: Bool { all || ordersByUse }
    private var ordersByUse: Bool { unusedFor != nil || keepBytes != nil }

    /// What a question says will be removed, in docker's words where docker has them.
    var subject: String {
        guard takesTagged else { return "all dangling images" }
        var text = "all images without at least one container associated to them"
        if let unusedFor { text += " that were not used for \(unusedFor.text)" }
        if let keepBytes { text += ", the least recently used first, until all images take \(keepBytes.text)" }
        return text
    }

    /// The images that fit; with a bound on use the least recently used one first.
    func apply(_ images: [ImageSummary], now: Int64) throws(ValueError) -> [ImageSummary] {
        let bound = try filter.bound(now: now)
        let chosen = images.filter { image in
            // Whose age nobody knows is older than nothing.
            (takesTagged || image.repoTags.isEmpty) && filter.accepts(image.labels)
                && bound.map { image.created != 0 && image.created < $0 } ?? true && isUnused(image, now)
        }
        guard ordersByUse else { return chosen }
        return chosen.sorted { (use($0), $0.id.hex) < (use($1), $1.id.hex) }
    }

    private func isUnused(_ image: ImageSummary, _ now: Int64) -> Bool {
        guard let unusedFor else { return true }
        guard let used = image.lastUsed else { return false }
        return now - used.seconds >= unusedFor.value / 1_000_000_000
    }

    /// One of which nobody knows goes last.
    private func use(_ image: ImageSummary) -> FileTime {
        image.lastUsed ?? FileTime(seconds: .max, nanoseconds: 0)
    }
}
