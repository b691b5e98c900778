internal import FoundationEssentials
package import Images
package import OCI

/// What the confined process asks of the keeper, the only one that changes the store. `event`, `endpointIll`, `finished`
/// and `failed` have no reply.
package enum KeeperRequest: Sendable {
    /// To be passed on to whoever started us.
    case event(WorkerEvent)
    /// Begins an image: its config, byte for byte. All that follows, up to `record`, is about it.
    case open(config: [UInt8])
    /// The right to make the layer at that place, 0 at the bottom. Asked for bottom-up (the lock order).
    case claim(place: UInt32)
    /// The layer at that place lies in the pull's area under that number; `size` counts the bytes of its files, and `blob`
    /// is what it was made of, to be kept.
    case commit(place: UInt32, number: UInt32, size: Int64, blob: Blob? = nil)
    /// Whether an image of that name may be had by that manifest or index. Asked before `open`.
    case verify(name: String, descriptor: Descriptor)
    /// The files of the layer at that place, which is held, are to be those in the pull's area under that number, and its
    /// blob the one that lies beside them, if it is said. Only where damage is mended.
    case replace(place: UInt32, number: UInt32, blob: Blob? = nil)
    /// The manifest and then the indexes that it was chosen from, and the names that the image shall have.
    case record(documents: [Document], names: [String])
    /// The frame comes with the descriptor by which connect(2) is supervised. Heard once, before the first foreign byte.
    case supervise
    /// That endpoint is to be asked last for a while, also by others.
    case endpointIll(_ endpoint: String, reason: String)
    case finished
    case failed(message: String, kind: WorkerEvent.FailureKind)

    package struct Blob: Sendable {
        package var descriptor: Descriptor
        /// It is among the fetched ones; else in the area, under the layer's number.
        package var isFetched: Bool

        package init(_ descriptor: Descriptor, isFetched: Bool) {
            self.descriptor = descriptor
            self.isFetched = isFetched
        }
    }

    package struct Document: Sendable {
        package var digest: Digest
        package var bytes: [UInt8]

        package init(digest: Digest, bytes: [UInt8]) {
            self.digest = digest
            self.bytes = bytes
        }
    }

    /// The longest content of a frame: a manifest and its indexes.
    static let limit = (DocumentLimits.indexDepth + 1) * (DocumentLimits.manifestBytes + 1024) + (1 << 20)
    private static let textLimit = 64 << 10
    private static let nameLimit = 10_000

    private enum Verb: UInt8 {
        case event = 1
        case open, claim, commit, record, supervise, finished, failed, endpointIll, replace, verify
    }

    // MARK: Encoding

    package var frame: [UInt8] {
        switch self {
        case .event(let event): return KeeperRequest.frame(.event) { $0.put(KeeperRequest.encode(event)) }
        case .open(let config): return KeeperRequest.frame(.open) { $0.put(config) }
        case .claim(let place): return KeeperRequest.frame(.claim) { $0.put(place) }
        case .commit(let place, let number, let size, let blob):
            return KeeperRequest.frame(.commit) { writer in
                writer.put(place)
                writer.put(number)
                writer.put(size)
                KeeperRequest.put(blob, &writer)
            }
        case .verify(let name, let descriptor):
            return KeeperRequest.frame(.verify) { writer in
                writer.put(name)
                writer.put(descriptor.digest.description)
                writer.put(descriptor.size)
                writer.put(descriptor.mediaType)
            }
        case .replace(let place, let number, let blob):
            return KeeperRequest.frame(.replace) { writer in
                writer.put(place)
                writer.put(number)
                KeeperRequest.put(blob, &writer)
            }
        case .record(let documents, let names):
            return KeeperRequest.frame(.record) { writer in
                writer.put(UInt32(clamping: documents.count))
                for document in documents {
                    writer.put(document.digest.description)
                    writer.put(document.bytes)
                }
                writer.put(UInt32(clamping: names.count))
                for name in names { writer.put(name) }
            }
        case .supervise: return KeeperRequest.frame(.supervise) { _ in }
        case .endpointIll(let endpoint, let reason):
            return KeeperRequest.frame(.endpointIll) { writer in
                writer.put(endpoint)
                writer.put(reason)
            }
        case .finished: return KeeperRequest.frame(.finished) { _ in }
        case .failed(let message, let kind):
            return KeeperRequest.frame(.failed) { writer in
                writer.put(message)
                writer.put(kind.rawValue)
            }
        }
    }

    private static func frame(_ verb: Verb, _ fields: (inout WireWriter) -> Void) -> [UInt8] {
        var writer = WireWriter(verb: verb.rawValue)
        fields(&writer)
        return writer.frame
    }

    private static func put(_ blob: Blob?, _ writer: inout WireWriter) {
        guard let blob else { return writer.put(UInt8(0)) }
        writer.put(UInt8(blob.isFetched ? 2 : 1))
        writer.put(blob.descriptor.digest.description)
        writer.put(blob.descriptor.size)
        writer.put(blob.descriptor.mediaType)
    }

    private static func encode(_ event: WorkerEvent) -> [UInt8] { (try? Array(JSONEncoder().encode(event))) ?? [] }

    // MARK: Decoding

    init(_ content: [UInt8]) throws(WireFault) {
        var reader = WireReader(content)
        let number: UInt8 = try reader.number()
        guard let verb = Verb(rawValue: number) else { throw WireFault(description: "verb \(number)") }
        self = try KeeperRequest.read(verb, &reader)
        try reader.finish()
    }

    private static func read(_ verb: Verb, _ reader: inout WireReader) throws(WireFault) -> KeeperRequest {
        switch verb {
        case .event: return .event(try decode(try reader.content(limit: textLimit)))
        case .open: return .open(config: try reader.content(limit: DocumentLimits.configBytes))
        case .claim: return .claim(place: try reader.number())
        case .commit:
            return .commit(
                place: try reader.number(), number: try reader.number(), size: try reader.number(),
                blob: try blob(&reader))
        case .verify:
            let name = try reader.text(limit: 1024)
            let digest = try digest(try reader.text(limit: 200))
            let size: Int64 = try reader.number()
            return .verify(
                name: name, descriptor: Descriptor(mediaType: try reader.text(limit: 200), digest: digest, size: size))
        case .replace:
            return .replace(place: try reader.number(), number: try reader.number(), blob: try blob(&reader))
        case .record:
            let documents = try reader.list(limit: DocumentLimits.indexDepth + 1) { reader throws(WireFault) in
                Document(
                    digest: try digest(try reader.text(limit: 200)),
                    bytes: try reader.content(limit: DocumentLimits.manifestBytes))
            }
            let names = try reader.list(limit: nameLimit) { reader throws(WireFault) in try reader.text(limit: 1024) }
            return .record(documents: documents, names: names)
        case .supervise: return .supervise
        case .finished: return .finished
        case .endpointIll:
            let endpoint = try reader.text(limit: 1024)
            return .endpointIll(endpoint, reason: try reader.text(limit: textLimit))
        case .failed:
            let message = try reader.text(limit: textLimit)
            let kind = try reader.text(limit: 64)
            guard let kind = WorkerEvent.FailureKind(rawValue: kind) else {
                throw WireFault(description: "an unknown kind of failure")
            }
            return .failed(message: message, kind: kind)
        }
    }

    private static func blob(_ reader: inout WireReader) throws(WireFault) -> Blob? {
        let kind: UInt8 = try reader.number()
        if kind == 0 { return nil }
        let digest = try digest(try reader.text(limit: 200))
        let size: Int64 = try reader.number()
        let type = try reader.text(limit: 200)
        guard kind <= 2, size >= 0, LayerCompression(mediaType: type) != nil else {
            throw WireFault(description: "a blob that is none")
        }
        return Blob(Descriptor(mediaType: type, digest: digest, size: size), isFetched: kind == 2)
    }

    private static func digest(_ text: String) throws(WireFault) -> Digest {
        do throws(Digest.ParseError) {
            return try Digest(parsing: text)
        } catch {
            throw WireFault(description: "a digest that is none")
        }
    }

    private static func decode(_ bytes: [UInt8]) throws(WireFault) -> WorkerEvent {
        do throws(JSONFault) {
            return try BoundedJSON.decode(WorkerEvent.self, from: bytes, limit: textLimit)
        } catch {
            throw WireFault(description: "an event that is none")
        }
    }
}
