internal import Images
internal import OCI
internal import Sys

/// One pull, in docker's order: manifest; config, whose digest is the image ID; a known ID is done; known chain IDs are
/// skipped; the rest is fetched. Names come last, when all else is durable.
struct Pull {
    let store: ImageStore
    let source: any ImageSource
    /// What the user asked for; this machine where it is nil.
    let platform: Platform?
    let allTags: Bool
    let maximumDownloads: Int
    let sink: EventSink
    let interruption: Interruption

    private struct Stored {
        let id: Digest
        let name: String
        let isNew: Bool
    }

    func run() throws(WorkerError) {
        try lift(WorkerError.store) { () throws(StoreError) in try store.clean() }
        let targets = try source.targets()
        var stored: [Stored] = []
        for target in targets {
            try interruption.check()
            let image = try pull(target)
            stored.append(image)
            if !allTags { sendStatus(target.shown, isNew: image.isNew) }
        }
        guard let first = stored.first, let target = targets.first else {
            throw .request("there is no image to pull")
        }
        if allTags {
            let repository = target.names.first?.familiarRepository ?? target.shown
            sendStatus(repository, isNew: stored.contains(where: \.isNew))
        }
        sink.send(.done(image: first.id, name: first.name))
    }

    private func sendStatus(_ name: String, isNew: Bool) {
        sink.send(.status(isNew ? "Downloaded newer image for \(name)" : "Image is up to date for \(name)"))
    }

    private func pull(_ target: PullTarget) throws(WorkerError) -> Stored {
        let wanted = platform ?? .current
        let manifest = try source.manifest(target, platform: wanted)
        sink.send(.pulling(tag: target.tag, repository: target.repository))
        let bytes = try source.config(manifest)
        let config = try check(bytes, of: manifest, target, wanted)
        let id = Digest.of(bytes)
        let isKnown = try lift(WorkerError.store) { () throws(StoreError) in try store.contains(id) }
        let layers = try LayerFetch(
            store: store, maximumDownloads: maximumDownloads, sink: sink, interruption: interruption
        ).run(manifest, config, isKnown: isKnown)
        return try record(bytes, manifest, layers, target, isKnown: isKnown)
    }

    /// Refuses a config that does not belong to its manifest or to the platform.
    private func check(
        _ bytes: [UInt8], of manifest: SourceManifest, _ target: PullTarget, _ wanted: Platform
    ) throws(WorkerError) -> ImageConfig {
        let config = try lift(WorkerError.manifest) { () throws(ManifestError) in
            let config = try ImageConfig.decode(bytes, descriptor: manifest.config)
            guard manifest.layers.count == config.rootfs.diffIDs.count else {
                throw .layerCount(layers: manifest.layers.count, diffIDs: config.rootfs.diffIDs.count)
            }
            if let promised = manifest.platform { try config.check(platform: promised) }
            return config
        }
        guard wanted.distance(to: config.platform) == nil else { return config }
        if platform != nil { throw .noPlatform(name: target.shown, wanted: wanted, actual: config.platform) }
        sink.send(
            .warning("the image is for \(ForeignText("\(config.platform)")), this machine is \(wanted)"))
        return config
    }

    private func record(
        _ bytes: [UInt8], _ manifest: SourceManifest, _ layers: [HeldLayer], _ target: PullTarget, isKnown: Bool
    ) throws(WorkerError) -> Stored {
        try interruption.check()
        var image = NewImage(config: bytes)
        image.documents = manifest.documents
        image.layers = layers
        image.names = try names(of: target, image.id)
        if let repository = target.digestRepository, let digest = manifest.digest {
            image.names.append(
                Reference(domain: repository.domain, path: repository.path, tag: nil, digest: digest))
        }
        let previous = try lift(WorkerError.store) { () throws(StoreError) in try store.record(image) }
        if let digest = manifest.digest { sink.send(.digest(digest)) }
        let name = image.names.first
        let isNew = name.map { previous[$0] != image.id } ?? !isKnown
        return Stored(id: image.id, name: name?.canonical ?? "", isNew: isNew)
    }

    /// A name that came out of an archive does not take itself away from another image: the user says so.
    private func names(of target: PullTarget, _ id: Digest) throws(WorkerError) -> [Reference] {
        if target.namesAreAsked { return target.names }
        var names: [Reference] = []
        for name in target.names {
            let present = try lift(WorkerError.store) { () throws(StoreError) in try store.resolve(name) }
            if let present, present.id != id {
                sink.send(
                    .warning(
                        "\(name.familiar) stays with image \(present.id.short); to move it, give the name behind the "
                            + "path"))
            } else {
                names.append(name)
            }
        }
        return names
    }
}
