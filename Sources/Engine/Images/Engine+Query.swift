package import Images
internal import OCI

extension Engine {
    /// Asks the registry of a name, and stores nothing.
    package func query(
        _ query: RegistryQuery, _ asked: PullRequest, observer: (EngineEvent) -> Void
    ) throws(EngineError) -> RegistryReply {
        var request = try workerRequest(.query, asked)
        request.query = query
        var reply = RegistryReply()
        var isWhole = true
        let end = try Worker.outcome(of: request) { event in
            if case .answer(let answer) = event {
                isWhole = reply.add(answer) && isWhole
            } else {
                observer(.pull(event))
            }
        }
        guard case .answered = end, isWhole else {
            throw .workerDied("it ended with another answer than was asked for")
        }
        return reply
    }

    /// An image as its registry has it, for `inspect`. It has no layers here; its size is that of the packed layers.
    package func remoteDetails(
        _ asked: PullRequest, observer: (EngineEvent) -> Void
    ) throws(EngineError) -> ImageDetails {
        let documents = try query(.image, asked, observer: observer).documents
        let name = try Engine.reference(rules(asked.registryRules).qualified(asked.source))
        do throws(ManifestError) {
            guard let first = documents.first, let last = documents.last,
                let manifest = documents.last(where: { $0.header.role == .manifest }), last.header.role == .config,
                let document = try? JSONValue(parsing: last.bytes)
            else { throw .malformed(.manifest, .syntax(offset: 0)) }
            let parsed = try Manifest.decode(manifest.bytes)
            let config = try ImageConfig.decode(last.bytes, descriptor: parsed.config)
            let digest = name.digest ?? Digest.of(first.bytes)
            let image = Image(
                remote: name, config: config, id: parsed.config.digest, digest: digest, size: parsed.totalSize)
            return ImageDetails(image: image, config: document, layers: nil, taggedAt: nil)
        } catch {
            throw .invalid("\(name.familiar): \(error)")
        }
    }

    /// The manifest that an image here was had by, for a name that is its ID; nil for any other name.
    package func keptManifest(ofID text: String) throws(EngineError) -> RegistryDocument? {
        guard Digest(sha256: text) != nil || text.hasPrefix("sha256:") else { return nil }
        guard let image = try find(text) else { throw .noSuchImage(text) }
        let bytes = try store { () throws(StoreError) in
            try image.manifestDigest.flatMap { digest throws(StoreError) in try images.manifest(digest) }
        }
        guard let bytes else {
            throw .invalid("image \(image.id.short) came without a manifest: from an archive, or by commit")
        }
        var document = RegistryDocument(header: .init(role: .manifest, mediaType: ""))
        document.bytes = bytes
        return document
    }

    static func reference(_ text: String) throws(EngineError) -> Reference {
        do throws(ReferenceError) {
            return try Reference(parsing: text).tagged
        } catch {
            throw .invalid("\(error)")
        }
    }
}
