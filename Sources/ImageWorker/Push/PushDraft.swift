internal import Images
internal import OCI
internal import Sys

/// What a push sends, found in the store before a stranger's byte is read, and held until the end.
struct PushDraft: Sendable {
    let images: [OutgoingPush]
    /// Repositories of the same registry that have a blob already, by what the store knows.
    let sources: [Digest: [String]]

    /// Of each blob no more are tried.
    private static let sourceLimit = 2

    init(_ request: WorkerRequest, _ repository: Reference, _ store: ImageStore) throws(WorkerError) {
        guard let push = request.push, !push.images.isEmpty else { throw .request("nothing to push") }
        let (images, others) = try lift(WorkerError.store) { () throws(StoreError) in
            let images = try push.images.map { entry throws(StoreError) in
                guard let image = try store.resolve("\(entry.id)") else { throw .noSuchImage(entry.id.short) }
                let tags = entry.names.compactMap { (try? Reference(parsing: $0))?.tag }
                return OutgoingPush(image: try store.outgoing(image), tags: tags)
            }
            return (images, try store.list().images)
        }
        self.images = images
        let place = try? request.registryRules.place(of: repository).0
        var holders: [Digest: [String]] = [:]
        for image in others {
            let paths = Set((image.names + image.digests).filter { $0.repository != repository.repository })
                .compactMap { try? request.registryRules.place(of: $0).0 }
                .filter { $0.domain == place?.domain && $0.path != place?.path }.map(\.path)
            for layer in image.layers { holders[layer.chainID, default: []] += paths }
        }
        var sources: [Digest: [String]] = [:]
        for entry in images {
            for (chainID, layer) in zip(entry.image.chain, entry.image.layers) {
                sources[layer.descriptor.digest] = Array(Set(holders[chainID] ?? []).sorted().prefix(Self.sourceLimit))
            }
        }
        self.sources = sources
    }

    /// All repositories that something may be taken over from.
    var repositories: [String] { Array(Set(sources.values.joined())).sorted() }
}
