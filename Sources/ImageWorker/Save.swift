internal import CLinux
internal import FoundationEssentials
internal import Glibc
internal import Images
internal import Layers
internal import OCI
internal import Sys

/// Writes images as one tar that is an OCI image layout and docker's archive at once: each blob is there once, and
/// `index.json` and `manifest.json` both point to it. Nothing foreign is read; what is written is hashed on its way.
struct Save {
    private let request: SaveRequest
    private let store: ImageStore
    private var writer: ArchiveWriter
    private var written: Set<Digest> = []

    static func run(_ request: WorkerRequest, _ sink: EventSink) throws(WorkerError) {
        guard let save = request.save else { throw .request("nothing to save") }
        let store = ImageStore(dataRoot: request.dataRoot, marks: request.marks)
        var body = Save(request: save, store: store)
        let bytes = try body.write()
        sink.send(.transferred(bytes: bytes))
    }

    private init(request: SaveRequest, store: ImageStore) {
        self.request = request
        self.store = store
        writer = ArchiveWriter(WorkerRequest.fileDescriptor, name: request.output)
    }

    private mutating func write() throws(WorkerError) -> Int64 {
        var images: [(image: OutgoingImage, names: [Reference])] = []
        for entry in request.images {
            let image = try lift(WorkerError.store) { () throws(StoreError) in
                guard let image = try store.resolve("\(entry.id)") else { throw .noSuchImage(entry.id.short) }
                return try store.outgoing(image)
            }
            images.append((image, entry.names.compactMap { try? Reference(parsing: $0) }))
        }
        try put { writer throws(LayerError) in
            try writer.directory("blobs")
            try writer.directory("blobs/sha256")
        }
        for (image, _) in images { try write(image) }
        let documents = try SavedDocuments(images)
        try put { writer throws(LayerError) in
            try writer.file("index.json", documents.index)
            try writer.file("manifest.json", documents.manifest)
            try writer.file("oci-layout", Array(#"{"imageLayoutVersion":"1.0.0"}"#.utf8))
            try writer.finish()
        }
        return Int64(written.count)
    }

    private mutating func write(_ image: OutgoingImage) throws(WorkerError) {
        for layer in image.layers {
            let descriptor = layer.descriptor
            guard written.insert(descriptor.digest).inserted else { continue }
            let file = try system("open", layer.path) { () throws(Errno) in
                try File.open(layer.path, O_RDONLY | O_NOFOLLOW)
            }
            var source = FileSource(file.raw, name: layer.path)
            let digest = try put { writer throws(LayerError) in
                try writer.file(
                    SavedDocuments.path(descriptor.digest), size: descriptor.size, from: &source,
                    descriptor.digest.algorithm)
            }
            guard digest == descriptor.digest else {
                throw .blob(
                    shown: descriptor.digest.short,
                    reason: "\(layer.path) is damaged: its digest is \(digest); 'system check --repair' mends it")
            }
        }
        for (digest, bytes) in [(image.id, image.config), (image.manifestDescriptor.digest, image.manifest)]
        where written.insert(digest).inserted {
            try put { writer throws(LayerError) in try writer.file(SavedDocuments.path(digest), bytes) }
        }
    }

    private mutating func put<T>(_ body: (inout ArchiveWriter) throws(LayerError) -> T) throws(WorkerError) -> T {
        do throws(LayerError) {
            return try body(&writer)
        } catch {
            throw .transfer(error)
        }
    }
}

/// The two lists of what is in a saved archive.
struct SavedDocuments {
    private(set) var index: [UInt8] = []
    private(set) var manifest: [UInt8] = []

    private struct Entry: Encodable {
        let config: String
        let repoTags: [String]?
        let layers: [String]

        enum CodingKeys: String, CodingKey {
            case config = "Config"
            case repoTags = "RepoTags"
            case layers = "Layers"
        }
    }

    static func path(_ digest: Digest) -> String { "blobs/\(digest.algorithm.rawValue)/\(digest.hex)" }

    init(_ images: [(image: OutgoingImage, names: [Reference])]) throws(WorkerError) {
        var descriptors: [Descriptor] = []
        var entries: [Entry] = []
        for (image, names) in images {
            let tags = names.map(\.familiar)
            entries.append(
                Entry(
                    config: SavedDocuments.path(image.id), repoTags: tags.isEmpty ? nil : tags,
                    layers: image.layers.map { SavedDocuments.path($0.descriptor.digest) }))
            if names.isEmpty { descriptors.append(image.manifestDescriptor) }
            for name in names {
                var descriptor = image.manifestDescriptor
                // The full name as docker and containerd write it; the other is what skopeo and podman look for.
                descriptor.annotations = [
                    LayoutSource.imageName: name.canonical,
                    LayoutSource.referenceName: name.tag ?? Reference.defaultTag,
                ]
                descriptors.append(descriptor)
            }
        }
        index = try SavedDocuments.encode(Index(mediaType: MediaType.ociIndex, manifests: descriptors))
        manifest = try SavedDocuments.encode(entries)
    }

    private static func encode(_ value: some Encodable) throws(WorkerError) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        do {
            return Array(try encoder.encode(value))
        } catch {
            throw .request("cannot encode the archive's list: \(error)")
        }
    }
}
