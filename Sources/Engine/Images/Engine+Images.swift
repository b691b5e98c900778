internal import FoundationEssentials
internal import Images
internal import OCI
internal import Sys

extension Engine {
    /// All images, newest first. What can't be read is told by `observer`, and hides nothing else.
    package func images(observer: (EngineEvent) -> Void) throws(EngineError) -> [ImageSummary] {
        sweep()
        // What a killed pull left in staging. Where that fails, the list is still to be had.
        try? images.clean()
        let listing = try store { () throws(StoreError) in try images.list() }
        for problem in listing.problems { observer(.warning("\(problem)")) }
        return listing.images.map(summary(of:))
    }

    func summary(of image: Image) -> ImageSummary {
        var summary = ImageSummary(image)
        summary.lastUsed = images.timeOfUse(image.id)
        return summary
    }

    /// Removes one image or name, and says line by line what is gone.
    /// Untagged parents, which `prune` is about, do not exist for images that were pulled.
    package func removeImage(_ name: String, force: Bool, prune: Bool) throws(EngineError) -> [ImageRemoval] {
        try store { () throws(StoreError) in try ImageStore.checkName(name) }
        sweep()
        let name = meant(name)
        let image = try find(name)
        var result: [ImageRemoval] = []
        try store { () throws(StoreError) in
            try images.clean()
            try images.remove(
                name, force: force,
                uses: { () throws(StoreError) in
                    // With another name left the image stays, and its mount.
                    if let image, force || image.names.count <= 1 { try refuseMounted(image, force: force) }
                    return try imageUses()
                }
            ) { result.append(ImageRemoval($0)) }
        }
        if let image { noteRemoval(of: image, result) }
        return result
    }

    /// Gives an image a further name, which may have been another's.
    package func tagImage(_ source: String, as target: String) throws(EngineError) {
        do throws(StoreError) {
            try ImageStore.checkName(source)
        } catch {
            throw Engine.noName(source, "\(error)")
        }
        let name = try Engine.newName(meantNew(target)) { reason in Engine.noName(target, reason) }
        sweep()
        let source = meant(source)
        let image = try store { () throws(StoreError) in try images.tag(source, as: name) }
        noteImage(
            "tag", actor: image.id.description, name: name.familiar, image.config.config?.labels ?? [:])
    }

    private static func noName(_ text: String, _ reason: String) -> EngineError {
        .invalid("error parsing reference: \"\(ForeignText(text))\" is not a valid repository/tag: \(reason)")
    }

    /// A name that an image may be given, with its tag. `fault` makes the error for one that can't be read.
    static func newName(_ text: String, fault: (String) -> EngineError) throws(EngineError) -> Reference {
        let name: Reference
        do throws(ReferenceError) {
            name = try Reference(parsing: text)
        } catch {
            throw fault("\(error)")
        }
        if name.digest != nil { throw .invalid("refusing to create a tag with a digest reference") }
        // It would read as the beginning of an ID.
        if name.familiarRepository == "sha256" {
            throw .invalid("refusing to create an ambiguous tag using digest algorithm as name")
        }
        return name.tagged
    }

    /// An image that is mounted is in use. Asked with the image lock held, which a mount takes before it is made.
    func refuseMounted(_ image: Image, force: Bool) throws(StoreError) {
        do throws(EngineError) {
            if force { return try unmount(image.id, lazily: true) }
            guard let mounted = try mountedFiles(.images).first(where: { $0.id == image.id.hex }) else { return }
            throw .conflict(
                "unable to delete \(image.id.short) (must be forced) - image is mounted at "
                    + "\(mounted.places.joined(separator: ", "))")
        } catch .conflict(let reason) {
            throw .conflict(reason)
        } catch {
            throw .containers("\(error)")
        }
    }

    /// What containers hold. Asked with the image lock held, which a run takes before it makes its record.
    func imageUses() throws(StoreError) -> ImageUses {
        var uses = ImageUses()
        do throws(EngineError) {
            // Nobody may be overlooked: one that can't be read may stand on any image.
            for record in try containers.all(problem: { problem throws(EngineError) in throw problem }) {
                let user = ImageUser(containerID: record.id, isRunning: live.isServed(record.id))
                uses.containers[record.image, default: []].append(user)
                guard let layer = record.topLayer else { continue }
                uses.topLayers.insert(layer)
                if user.isRunning { uses.runningLayers.insert(layer) }
            }
        } catch {
            throw .containers("\(error)")
        }
        return uses
    }

    func store<T>(_ body: () throws(StoreError) -> T) throws(EngineError) -> T {
        do throws(StoreError) {
            return try body()
        } catch {
            throw .store(error)
        }
    }
}

extension ImageSummary {
    fileprivate init(_ image: Image) {
        self.init(id: image.id)
        repoTags = image.names.map(\.familiar)
        repoDigests = image.digests.map(\.familiar)
        created = image.created.flatMap(Timestamp.seconds) ?? 0
        size = image.size
        labels = image.config.config?.labels ?? [:]
    }
}

extension ImageRemoval {
    init(_ line: RemovalLine) {
        switch line {
        case .untagged(let name): self = .untagged(name.familiar)
        case .deleted(let digest): self = .deleted(digest)
        }
    }
}

/// RFC 3339 as images' configs have it.
enum Timestamp {
    /// Seconds since 1970; nil for what is no time stamp. Fractions are dropped.
    static func seconds(_ text: String) -> Int64? {
        guard let date = try? Date(withoutFraction(text), strategy: .iso8601) else { return nil }
        return Int64(exactly: date.timeIntervalSince1970.rounded(.down))
    }

    private static func withoutFraction(_ text: String) -> String {
        guard let dot = text.firstIndex(of: ".") else { return text }
        let rest = text[text.index(after: dot)...].drop { $0.isASCII && $0.isNumber }
        return String(text[..<dot]) + rest
    }
}
