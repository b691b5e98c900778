internal import Glibc
internal import Images
package import OCI
internal import Sys

/// What is asked of `save`.
package struct SaveOptions: Sendable, Hashable {
    /// Names or IDs; a name without a tag means all tags of its repository.
    package var images: [String]
    /// nil takes what is here.
    package var platform: Platform?

    package init(images: [String]) { self.images = images }
}

/// What is asked of `load`.
package struct LoadOptions: Sendable, Hashable {
    /// nil reads standard input.
    package var file: String?
    package var platform: Platform?
    /// Whether a name moves from an image that was pulled by it.
    package var movesNames = false

    package init() {}
}

/// What is asked of `import`.
package struct ImportOptions: Sendable, Hashable {
    /// nil reads standard input.
    package var file: String?
    package var changes: [String] = []
    package var message: String?
    package var platform: Platform?
    /// `REPOSITORY[:TAG]`; nil: the image has no name.
    package var name: String?

    package init() {}
}

extension Engine {
    /// Writes images as one archive, docker's and OCI's at once, to `output`, which is borrowed; `shown` is what messages
    /// call it.
    package func save(_ options: SaveOptions, to output: Int32, shown: String = "standard output") throws(EngineError) {
        var request = WorkerRequest(verb: .save, source: "", dataRoot: dataRoot)
        request.ids = rootless?.workerIDs
        request.save = SaveRequest(images: try saved(options), output: shown)
        _ = try Worker.outcome(of: request, further: [output])
        for image in request.save?.images ?? [] {
            noteImage("save", actor: image.id.description, name: image.names.first ?? image.id.description)
        }
    }

    /// The same, into the file `path`: whole and durable, or as it was.
    package func save(_ options: SaveOptions, toFile path: String) throws(EngineError) {
        try NewFile.write(path, "failed to save image") { descriptor throws(EngineError) in
            try save(options, to: descriptor, shown: path)
        }
    }

    /// Stores the images of an archive. The events say each image, and each name that stays with another.
    package func load(_ options: LoadOptions, observer: (EngineEvent) -> Void) throws(EngineError) {
        let input = try opened(options.file)
        let shown = options.file ?? "standard input"
        var request = WorkerRequest(verb: .load, source: shown, dataRoot: dataRoot)
        request.platform = options.platform
        request.ids = rootless?.workerIDs
        request.debug = self.options.logLevel == .debug
        request.load = LoadRequest(input: shown, movesNames: options.movesNames)
        _ = try Worker.outcome(of: request, further: [input.raw]) { event in
            if case .loaded(let image, let name, _) = event {
                let shown = name ?? image.description
                noteImage("load", actor: image.description, name: shown)
            }
            observer(.pull(event))
        }
        _ = consume input
    }

    /// Makes an image of one layer out of a tar, compressed or not.
    package func importImage(_ options: ImportOptions) throws(EngineError) -> Digest {
        let name = options.name.map(meantNew)
        if let name { _ = try Engine.newName(name) { EngineError.invalid($0) } }
        var execution = ImageConfig.Execution()
        for change in options.changes { try CommitChange(change).apply(to: &execution) }
        let input = try opened(options.file)
        let shown = options.file ?? "standard input"
        let platform = options.platform ?? .current
        var config = ImageConfig(os: platform.os, architecture: platform.architecture, diffIDs: [])
        config.variant = options.platform?.variant
        config.created = Clock.timestamp
        config.config = execution
        var entry = ImageConfig.History()
        entry.created = config.created
        entry.comment = options.message ?? "Imported from \(options.file ?? "-")"
        config.history = [entry]
        var request = WorkerRequest(verb: .importTar, source: shown, dataRoot: dataRoot)
        request.ids = rootless?.workerIDs
        request.debug = self.options.logLevel == .debug
        request.importTar = ImportRequest(input: shown, config: config, name: name)
        guard case .done(let image, _) = try Worker.outcome(of: request, further: [input.raw]) else {
            throw .workerDied("it ended with another answer than was asked for")
        }
        _ = consume input
        noteImage("import", actor: image.description, name: name ?? image.description)
        return image
    }

    // MARK: Ends

    private func opened(_ path: String?) throws(EngineError) -> OwnedFD {
        guard let path else {
            return try call("duplicate", "standard input") { () throws(Errno) in try File.duplicate(STDIN_FILENO) }
        }
        let file = try call("open", path) { () throws(Errno) in try File.open(path, O_RDONLY | O_NOCTTY) }
        let status = try call("stat", path) { [raw = file.raw] () throws(Errno) in try File.status(raw) }
        if status.isDirectory { throw .system(SystemFailure("read", path, .isDirectory)) }
        return file
    }

    private func saved(_ options: SaveOptions) throws(EngineError) -> [NamedImage] {
        var result: [NamedImage] = []
        for asked in options.images {
            let text = meant(asked)
            try store { () throws(StoreError) in try ImageStore.checkName(text) }
            for found in try named(text, options.platform) {
                if let index = result.firstIndex(where: { $0.id == found.id }) {
                    result[index].names += found.names.filter { !result[index].names.contains($0) }
                } else {
                    result.append(found)
                }
            }
        }
        return result
    }

    /// As docker takes it: a repository means all of its tags, an ID an image without names.
    private func named(_ text: String, _ platform: Platform?) throws(EngineError) -> [NamedImage] {
        let reference = try? Reference(parsing: text)
        if let reference, reference.tag == nil, reference.digest == nil {
            let names = images.tagNames().compactMap { entry in
                (try? Reference(parsing: entry.name)).map { (name: $0, id: entry.id) }
            }
            let tags = names.filter { $0.name.repository == reference.repository }
            if !tags.isEmpty {
                for tag in tags { try check(try find(tag.name.canonical), tag.name.familiar, platform) }
                return tags.map { NamedImage(id: $0.id, names: [$0.name.canonical]) }
            }
        }
        let image = try check(try find(text), text, platform)
        let name = reference?.tag == nil ? nil : reference
        let isName = name.map { image.names.contains($0) } ?? false
        return [NamedImage(id: image.id, names: isName ? [name?.canonical ?? ""] : [])]
    }

    @discardableResult
    private func check(_ image: Image?, _ name: String, _ platform: Platform?) throws(EngineError) -> Image {
        guard let image else { throw .store(ImageStore.missing(name)) }
        if let platform, platform.distance(to: image.config.platform) == nil {
            throw .invalid("\(name) is here for \(image.config.platform), not for \(platform)")
        }
        return image
    }
}
