internal import CLinux
internal import Glibc
internal import Images
internal import OCI
internal import Synchronization
internal import Sys

/// The store as the confined process has it: an area to extract into, blobs to fetch, and a keeper to ask for the rest.
/// May be used by several threads at once.
final class StoreClient: Sendable {
    /// Where blobs are fetched to.
    let blobs: String
    /// Where other workers fetch at the same time for the same command.
    let slots: DownloadSlots?
    private let area: String
    private let socket: Int32
    private let numbers = Atomic<UInt32>(0)
    /// One conversation at a time.
    private let talking = Mutex(())
    /// Held for one frame only, so that events do not wait for an answer.
    private let sending = Mutex(())

    /// `socket` leads to the keeper, and is borrowed.
    init(area: String, blobs: String, slots: DownloadSlots?, socket: Int32) {
        self.slots = slots
        self.area = area
        self.blobs = blobs
        self.socket = socket
    }

    /// Whether the keeper is still there to take it.
    func send(_ request: KeeperRequest) -> Bool {
        let frame = request.frame
        return sending.withLock { _ in (try? StreamSocket.send(socket, frame)) != nil }
    }

    private func ask(_ request: KeeperRequest) throws(WorkerError) -> KeeperReply {
        let result = talking.withLock { _ -> Result<KeeperReply, WorkerError> in
            do throws(WorkerError) {
                // Without a keeper nothing can be stored, and it ends us.
                guard send(request) else { throw .interrupted }
                return .success(try receive())
            } catch {
                return .failure(error)
            }
        }
        let reply = try result.get()
        if case .failed(let message, let kind) = reply { throw .reported(message: message, kind: kind) }
        return reply
    }

    private func receive() throws(WorkerError) -> KeeperReply {
        let length = try read(4).reversed().reduce(0) { $0 << 8 | Int($1) }
        guard length <= KeeperReply.limit else { throw .breach("an answer of \(length) bytes") }
        let content = try read(length)
        return try lift({ WorkerError.breach("\($0)") }) { () throws(WireFault) in try KeeperReply(content) }
    }

    private func read(_ count: Int) throws(WorkerError) -> [UInt8] {
        do throws(Errno) {
            return try StreamSocket.receive(socket, exactly: count)
        } catch {
            throw .interrupted
        }
    }

    private func unexpected(_ reply: KeeperReply) -> WorkerError { .breach("the answer \(reply)") }

    // MARK: Verbs

    /// Begins an image; true when it is in the store with all its layers.
    func open(config: [UInt8]) throws(WorkerError) -> Bool {
        let reply = try ask(.open(config: config))
        guard case .opened(let isComplete) = reply else { throw unexpected(reply) }
        return isComplete
    }

    enum Claim {
        /// Another process makes the layer.
        case busy
        case present(directory: String)
        case absent
    }

    func claim(_ place: Int) throws(WorkerError) -> Claim {
        let reply = try ask(.claim(place: UInt32(clamping: place)))
        switch reply {
        case .busy: return .busy
        case .present(let directory): return .present(directory: directory)
        case .absent: return .absent
        default: throw unexpected(reply)
        }
    }

    /// An empty directory for one layer's files.
    func stage() throws(WorkerError) -> StagedTree {
        let number = numbers.wrappingAdd(1, ordering: .relaxed).oldValue
        return try system("stage in", area) { () throws(Errno) in try StagedTree(number, in: area) }
    }

    /// Hands a layer's files and its blob over to be made visible, complete and durable.
    func commit(
        _ tree: StagedTree, place: Int, size: Int64, blob: KeeperRequest.Blob
    ) throws(WorkerError) {
        let reply = try ask(.commit(place: UInt32(clamping: place), number: tree.number, size: size, blob: blob))
        guard case .committed = reply else { throw unexpected(reply) }
    }

    /// Has a layer's files replaced, and its blob where there is another.
    func replace(_ tree: StagedTree, place: Int, blob: Descriptor?) throws(WorkerError) {
        let reply = try ask(
            .replace(
                place: UInt32(clamping: place), number: tree.number,
                blob: blob.map { KeeperRequest.Blob($0, isFetched: false) }))
        guard case .committed = reply else { throw unexpected(reply) }
    }

    func record(
        _ documents: [(digest: Digest, bytes: [UInt8])], names: [Reference]
    ) throws(WorkerError) -> KeeperReply.Recorded {
        let documents = documents.map { KeeperRequest.Document(digest: $0.digest, bytes: $0.bytes) }
        let reply = try ask(.record(documents: documents, names: names.map(\.canonical)))
        guard case .recorded(let recorded) = reply else { throw unexpected(reply) }
        return recorded
    }

    /// Throws where the image may not be had.
    func verify(_ name: String, _ descriptor: Descriptor) throws(WorkerError) {
        let reply = try ask(.verify(name: name, descriptor: descriptor))
        guard case .verified = reply else { throw unexpected(reply) }
    }

    /// From now on the keeper makes the connections that this process asks for.
    func supervise(_ listener: Int32) throws(WorkerError) {
        try system("hand over", "connections") { () throws(Errno) in
            try StreamSocket.send(socket, KeeperRequest.supervise.frame, descriptor: listener)
        }
        let reply = try receive()
        guard case .supervised = reply else { throw unexpected(reply) }
    }
}

/// A layer in the making, gone with this value unless it was committed.
final class StagedTree: Sendable {
    let number: UInt32
    /// The layer's root, mode 0755, to be filled.
    let diff: OwnedFD
    private let path: String
    private let blob: String

    init(_ number: UInt32, in area: String) throws(Errno) {
        self.number = number
        path = "\(area)/\(PullArea.layerName(number))"
        blob = "\(area)/\(PullArea.blobName(number))"
        try Directory.make(path, mode: 0o755)
        diff = try Directory.open(path)
        // Whatever the umask.
        try File.setMode(diff.raw, 0o755)
    }

    /// An empty file for the blob, where it is nowhere else.
    func makeBlob() throws(WorkerError) -> OwnedFD {
        try system("stage", blob) { () throws(Errno) in
            try File.open(blob, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, mode: 0o600)
        }
    }

    deinit {
        // The keeper removes the whole area in the end.
        try? Directory.removeTree(path)
        try? File.unlink(blob)
    }
}
