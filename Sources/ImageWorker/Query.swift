internal import FoundationEssentials
internal import Images
internal import OCI
internal import Registry

/// Answers a question about a repository: small documents and lists, told piece by piece and stored nowhere.
struct Query {
    private let query: RegistryQuery
    private let source: RegistrySource
    private let platform: Platform?
    private let sink: EventSink
    /// Bytes of documents so far.
    private var told = 0

    /// Of one list event.
    private static let tagsAtOnce = 200
    private static let foundAtOnce = 10
    /// Of one event; base64 makes a third more of it.
    private static let bytesAtOnce = 32 << 10

    init(_ query: RegistryQuery, of source: RegistrySource, platform: Platform?, sink: EventSink) {
        self.query = query
        self.source = source
        self.platform = platform
        self.sink = sink
    }

    consuming func run() throws(WorkerError) {
        switch query {
        case .tags:
            let tags = try source.tags()
            for start in stride(from: 0, to: tags.count, by: Query.tagsAtOnce) {
                sink.send(.answer(.tags(Array(tags[start..<min(start + Query.tagsAtOnce, tags.count)]))))
            }
        case .check: for check in try source.check() { sink.send(.answer(.checked(check))) }
        case .manifest(let deep): try manifest(deep: deep)
        case .image: try image()
        case .login: try source.verifyLogin()
        case .search(let term, let limit):
            let found = try source.search(term, limit: limit)
            for start in stride(from: 0, to: found.count, by: Query.foundAtOnce) {
                sink.send(.answer(.found(Array(found[start..<min(start + Query.foundAtOnce, found.count)]))))
            }
        }
    }

    // MARK: Documents

    private mutating func manifest(deep: Bool) throws(WorkerError) {
        let document = try source.document(source.name)
        let kind = try kind(document)
        try tell(kind == .index ? .index : .manifest, document)
        guard deep else { return }
        if kind == .manifest { return try configOfImage(document) }
        let index = try lift(WorkerError.manifest) { () throws(ManifestError) in
            try Index.decode(document.bytes, contentType: document.contentType)
        }
        for entry in index.manifests {
            let part = try source.document(.digest(entry.digest))
            let kind = try self.kind(part, entry)
            try tell(kind == .index ? .index : .manifest, part, platform: entry.platform)
        }
    }

    /// The config says for which platform a manifest is. What is stored beside images, such as a chart, has none.
    private mutating func configOfImage(_ document: FetchedDocument) throws(WorkerError) {
        let config: Descriptor
        do throws(ManifestError) {
            config = try Manifest.decode(document.bytes, contentType: document.contentType).config
        } catch .notAnImage {
            return
        } catch {
            throw .manifest(error)
        }
        try tell(.config, config.mediaType, try source.blob(config))
    }

    private mutating func image() throws(WorkerError) {
        guard let target = try source.targets().first else { return }
        let manifest = try source.manifest(target, platform: platform ?? .current)
        let config = try source.config(manifest)
        _ = try manifest.config(config, of: target, for: platform, sink)
        for (position, document) in manifest.documents.enumerated().reversed() {
            try tell(position == 0 ? .manifest : .index, "", document.bytes)
        }
        try tell(.config, manifest.config?.mediaType ?? "", config)
    }

    private func kind(_ document: FetchedDocument, _ entry: Descriptor? = nil) throws(WorkerError) -> DocumentKind {
        try lift(WorkerError.manifest) { () throws(ManifestError) in
            try DocumentKind.classify(document.bytes, contentType: document.contentType, descriptor: entry)
        }
    }

    private mutating func tell(
        _ role: RegistryDocument.Role, _ document: FetchedDocument, platform: Platform? = nil
    ) throws(WorkerError) {
        try tell(role, document.contentType ?? "", document.bytes, platform: platform)
    }

    private mutating func tell(
        _ role: RegistryDocument.Role, _ mediaType: String, _ bytes: [UInt8], platform: Platform? = nil
    ) throws(WorkerError) {
        told += bytes.count
        guard told <= RegistryReply.byteLimit else {
            throw .source(
                source.shown, reason: "its documents have more than \(RegistryReply.byteLimit) bytes, the limit")
        }
        sink.send(.answer(.document(.init(role: role, mediaType: mediaType, platform: platform))))
        for start in stride(from: 0, to: bytes.count, by: Query.bytesAtOnce) {
            let piece = bytes[start..<min(start + Query.bytesAtOnce, bytes.count)]
            sink.send(.answer(.bytes(Data(piece).base64EncodedString())))
        }
    }
}
