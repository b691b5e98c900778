internal import Images
internal import OCI
internal import Sys

/// One pull, in docker's order: manifest; config, whose digest is the image ID; a known ID is done; known chain IDs are
/// skipped; the rest is fetched. Names come last, when all else is durable.
struct Pull {
    let store: StoreClient
    let source: any ImageSource
    /// What the user asked for; this machine where it is nil.
    let platform: Platform?
    let allTags: Bool
    let request: WorkerRequest
    let sink: EventSink
    let interruption: Interruption

    func run() throws(WorkerError) {
        let targets = try source.targets()
        var stored: [KeeperReply.Recorded] = []
        for target in targets {
            try interruption.check()
            let image = try pull(target)
            stored.append(image)
            if !allTags, request.verb == .pull { sendStatus(target.shown, isNew: image.isNew) }
        }
        guard let target = targets.first else { throw .request("there is no image to pull") }
        if allTags {
            let repository = target.names.first?.familiarRepository ?? target.shown
            sendStatus(repository, isNew: stored.contains(where: \.isNew))
        }
    }

    private func sendStatus(_ name: String, isNew: Bool) {
        sink.send(.status(isNew ? "Downloaded newer image for \(name)" : "Image is up to date for \(name)"))
    }

    private func pull(_ target: PullTarget) throws(WorkerError) -> KeeperReply.Recorded {
        let wanted = platform ?? .current
        let manifest = try source.manifest(target, platform: wanted)
        sink.send(.pulling(tag: target.tag, repository: target.repository))
        try verify(manifest, target)
        let bytes = try source.config(manifest)
        let config = try manifest.config(bytes, of: target, for: platform, sink)
        if try !store.open(config: bytes) {
            try LayerFetch(
                store: store, request: request, sink: sink, interruption: interruption
            ).run(manifest, config)
        }
        return try record(manifest, target)
    }

    /// Before anything else is fetched. What comes from a file was put there by its user.
    private func verify(_ manifest: SourceManifest, _ target: PullTarget) throws(WorkerError) {
        guard request.verifiers != nil, let document = manifest.documents.last, let repository = target.digestRepository
        else { return }
        let type = (try? JSONValue(parsing: document.bytes))?["mediaType"]?.string
        let usual = manifest.documents.count > 1 ? MediaType.ociIndex : MediaType.ociManifest
        let name =
            target.names.first
            ?? Reference(domain: repository.domain, path: repository.path, tag: nil, digest: document.digest)
        try store.verify(
            name.canonical,
            Descriptor(mediaType: type ?? usual, digest: document.digest, size: Int64(document.bytes.count)))
    }

    private func record(
        _ manifest: SourceManifest, _ target: PullTarget
    ) throws(WorkerError) -> KeeperReply.Recorded {
        try interruption.check()
        var names = target.names
        if let repository = target.digestRepository, let digest = manifest.digest {
            names.append(Reference(domain: repository.domain, path: repository.path, tag: nil, digest: digest))
        }
        let recorded = try store.record(manifest.documents, names: names)
        // Of what is loaded the keeper tells.
        for name in recorded.kept where request.verb == .pull {
            sink.send(
                .warning(
                    "\(name.name) stays with image \(name.owner); to move it, give the name behind the path"))
        }
        if let digest = manifest.digest { sink.send(.digest(digest)) }
        return recorded
    }
}
