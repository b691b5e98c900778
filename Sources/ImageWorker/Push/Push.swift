internal import CLinux
internal import Glibc
internal import Images
internal import Layers
internal import OCI
internal import Registry
internal import Synchronization
internal import Sys

/// Images of one repository on their way to its registry: blobs first, a few at once, each once for all images; a
/// manifest when all that it names is there; and in the end the digest by which the image is known there.
struct Push: Sendable {
    let store: StoreClient
    let client: RegistryClient
    let images: [OutgoingPush]
    /// Repositories of the same registry that have a blob already.
    let sources: [Digest: [String]]
    let uploads: Int
    let sink: EventSink
    let interruption: Interruption

    func run() throws(WorkerError) {
        sink.send(.refersTo(repository: client.reference.repository))
        try pushBlobs()
        for image in images {
            try interruption.check()
            for tag in image.tags {
                try lift(WorkerError.registry) { () throws(RegistryError) in
                    try client.push(image.image.manifest, image.image.manifestDescriptor, as: tag)
                }
                let descriptor = image.image.manifestDescriptor
                sink.send(.pushed(tag: tag, digest: descriptor.digest, size: descriptor.size))
            }
            try record(image.image)
        }
    }

    /// The image is known by this digest from now on, as one that was pulled.
    private func record(_ image: OutgoingImage) throws(WorkerError) {
        guard try store.open(config: image.config) else {
            throw .source("image \(image.id.short)", reason: "it was removed meanwhile")
        }
        let repository = client.reference
        let name = Reference(
            domain: repository.domain, path: repository.path, tag: nil, digest: image.manifestDescriptor.digest)
        _ = try store.record([(image.manifestDescriptor.digest, image.manifest)], names: [name])
    }

    // MARK: Blobs

    /// A layer's file, or a config's bytes.
    private struct Blob: Sendable {
        var descriptor: Descriptor
        var path: String?
        var bytes: [UInt8] = []
    }

    private var blobs: [Blob] {
        var seen: Set<Digest> = []
        var result: [Blob] = []
        for entry in images {
            let layers = entry.image.layers.map { Blob(descriptor: $0.descriptor, path: $0.path) }
            let config = Blob(descriptor: entry.image.configDescriptor, bytes: entry.image.config)
            result += (layers + [config]).filter { seen.insert($0.descriptor.digest).inserted }
        }
        return result
    }

    private func pushBlobs() throws(WorkerError) {
        let blobs = blobs
        for blob in blobs where blob.path != nil {
            sink.send(.layer(id: blob.descriptor.digest.short, state: .preparing))
        }
        let next = Atomic(0)
        let failure = Monitor<WorkerError?>(nil)
        let group = ThreadGroup()
        try system("start", "threads") { () throws(Errno) in
            for _ in 0..<min(max(1, uploads), blobs.count) {
                try group.start {
                    while failure.read({ $0 == nil }) {
                        let index = next.wrappingAdd(1, ordering: .relaxed).oldValue
                        guard index < blobs.count else { return }
                        do throws(WorkerError) {
                            try push(blobs[index])
                        } catch {
                            return failure.update { $0 = $0 ?? error }
                        }
                    }
                }
            }
        }
        group.join()
        if let error = failure.read(\.self) { throw error }
    }

    private func push(_ blob: Blob) throws(WorkerError) {
        try interruption.check()
        // Open as long as it is sent.
        let file = try blob.path.map { path throws(WorkerError) in try open(path, blob.descriptor) }
        let bytes: BlobBytes = file.map { .file($0.descriptor.raw) } ?? .memory(blob.bytes)
        defer { withExtendedLifetime(file) {} }
        let id = blob.descriptor.digest.short
        let isShown = blob.path != nil
        let total = blob.descriptor.size
        let meter = Progress(sink, id: id, total: total)
        let placement = try lift(WorkerError.registry) { () throws(RegistryError) in
            try client.push(
                blob.descriptor, bytes, sources: sources[blob.descriptor.digest] ?? []
            ) { sent in
                if isShown { meter.pushing(sent) }
            }
        }
        guard isShown else { return }
        switch placement {
        case .wasThere: sink.send(.layer(id: id, state: .alreadyThere))
        case .mounted(let source): sink.send(.layer(id: id, state: .mounted(from: source)))
        case .uploaded: sink.send(.layer(id: id, state: .pushed))
        }
    }

    /// What is sent was read and hashed whole before: a damaged blob is told here, not by the registry.
    private func open(_ path: String, _ descriptor: Descriptor) throws(WorkerError) -> SharedFile {
        let file = try system("open", path) { () throws(Errno) in try File.open(path, O_RDONLY | O_NOFOLLOW) }
        let expected = descriptor.digest
        var source = HashingSource(
            InterruptibleSource(file.raw, name: path, interruption), expected.algorithm)
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 64)
        defer { buffer.deallocate() }
        let digest = try lift({ .layer(shown: expected.short, $0) }) { () throws(LayerError) in
            while try source.read(into: buffer) > 0 {}
            return source.digest
        }
        guard digest == expected, source.count == descriptor.size else {
            throw .blob(
                shown: expected.short,
                reason: "\(path) is damaged: its digest is \(digest); 'system check --repair' mends it")
        }
        return SharedFile(file)
    }
}

/// An image and the tags that it shall have.
struct OutgoingPush: Sendable {
    let image: OutgoingImage
    let tags: [String]
}
