internal import CLinux
internal import Glibc
internal import Images
internal import OCI
internal import Registry
internal import Sys

/// The process that keeps its rights. It reads no stranger's bytes but small documents, in Swift; it runs one thread and
/// no library but the C one; it believes nothing that the confined process says without looking.
struct Keeper {
    /// What the confined process may have changed; nil where a question is answered, which changes nothing.
    let storage: Storage?
    let connections: ConnectionPolicy
    /// `host[:port]` of each place that may be asked.
    let endpoints: Set<String>
    let sink: EventSink
    let interruption: Interruption

    private var image: KeptImage?
    private var stored: KeeperReply.Recorded?
    /// The first thing that could not be stored.
    private var refusal: WorkerError?
    /// Endpoints that were said to be ill.
    private var ill: Set<String> = []
    /// What the verifier has let pass.
    private var verified: Set<Digest> = []

    struct Storage {
        let store: ImageStore
        let area: PullArea
        let names: NamePolicy
        var purpose = Purpose.storing
        /// Who is asked about each image; nil: nobody.
        var verifier: ImageVerifier?

        enum Purpose: Sendable { case storing, checking, mending }
    }

    init(
        storage: Storage?, connections: ConnectionPolicy, endpoints: Set<String>, sink: EventSink,
        interruption: Interruption
    ) {
        self.storage = storage
        self.connections = connections
        self.endpoints = endpoints
        self.sink = sink
        self.interruption = interruption
    }

    /// How the confined process ended.
    private enum End {
        case finished
        case failed(WorkerError)
        /// Without a word.
        case gone
    }

    /// Serves the confined process until it ends, ends it where it does not, and tidies up. What was stored is durable.
    mutating func serve(_ child: Int32, over socket: Int32, signals: borrowing SignalFD) throws(WorkerError) {
        let end: End
        do throws(WorkerError) {
            end = try listen(child, socket, signals)
        } catch {
            end = .failed(error)
        }
        kill(child, SIGKILL)
        let exit = try system("wait for", "the confined process") { () throws(Errno) in try Spawn.wait(child) }
        try tidy(end, exit)
    }

    // MARK: Conversation

    private mutating func listen(
        _ child: Int32, _ socket: Int32, _ signals: borrowing SignalFD
    ) throws(WorkerError) -> End {
        var line = KeeperEnd(socket)
        var stop = Stop(child: child)
        var supervisor: ConnectSupervisor?
        // An empty set still reports the error of a pipe without readers (poll(2)).
        var items = [
            PollItem(socket, .readable), PollItem(signals.raw, .readable), PollItem(sink.output, []),
            PollItem(-1, .readable),
        ]
        while true {
            try system("wait for", "the confined process") { () throws(Errno) in _ = try PollItem.wait(&items) }
            if items[2].ready.contains(.error) {
                interruption.request()
                items[2].fd = -1
            }
            try system("read", "signals") { () throws(Errno) in
                while try signals.next() != nil { stop.signalled(interruption) }
            }
            if items[3].ready.contains(.readable) {
                try system("answer", "a connect") { () throws(Errno) in try supervisor?.serve(allows) }
            } else if !items[3].ready.isEmpty {
                items[3].fd = -1
            }
            if !items[0].ready.isEmpty {
                guard try line.fill() else { return .gone }
                while let request = try line.next() {
                    if case .supervise = request {
                        let made = try line.supervisor(of: child)
                        items[3].fd = made.raw
                        supervisor = consume made
                        try answer(.supervised, socket)
                    } else if let end = try handle(request, socket) {
                        return end
                    }
                }
            }
            if interruption.isRequested { stop.ask() }
        }
    }

    private func allows(_ target: InternetName) -> Bool {
        if connections.allows(target.address, port: target.port) { return true }
        sink.send(.warning("connection to \(target) refused: it leads to this machine, or is link-local"))
        return false
    }

    private mutating func handle(_ request: KeeperRequest, _ socket: Int32) throws(WorkerError) -> End? {
        switch request {
        case .event(let event):
            if let event = event.relayed(answers: storage == nil) { sink.send(event) }
        case .endpointIll(let endpoint, let reason):
            guard endpoints.contains(endpoint) else { throw .breach("an endpoint that is none of this pull's") }
            if let storage, ill.insert(endpoint).inserted {
                EndpointMemory(storage.store.layout).note(endpoint, reason)
            }
        case .finished:
            if stored == nil, storage?.purpose == .storing { throw .breach("an end before anything was stored") }
            return .finished
        case .failed(let message, let kind):
            return .failed(.reported(message: ForeignText(message, limit: 4096).description, kind: kind))
        default:
            let reply: KeeperReply
            do throws(WorkerError) {
                reply = try change(request)
            } catch {
                refusal = refusal ?? error
                reply = .failed(message: "\(error)", kind: error.kind)
            }
            try answer(reply, socket)
        }
        return nil
    }

    private mutating func change(_ request: KeeperRequest) throws(WorkerError) -> KeeperReply {
        guard let storage else { throw .breach("a change of the store, to which only a question was put") }
        if case .open(let config) = request {
            // What it holds of the one before would keep this one's layers from being claimed.
            image = nil
            let opened = try KeptImage(config: config, storage.store)
            image = opened
            return .opened(isComplete: opened.isComplete && opened.isKnown)
        }
        if case .verify(let name, let descriptor) = request { return try verify(name, descriptor, storage) }
        guard var current = image else { throw .breach("a request before the image that it is about") }
        // Taken out, so that it is changed in place.
        image = nil
        defer { image = current }
        switch request {
        case .claim(let place): return try current.claim(place)
        case .commit(let place, let number, let size, let blob):
            return try current.commit(place, number: number, size: size, blob, from: storage.area)
        case .replace(let place, let number, let blob):
            guard storage.purpose == .mending else { throw .breach("other files for a layer") }
            return try current.replace(place, number: number, blob, from: storage.area)
        case .record(let documents, let texts):
            if storage.verifier != nil, !(documents.last.map { verified.contains($0.digest) } ?? false) {
                throw .breach("an image that was not verified")
            }
            let recorded = try current.record(documents, texts, storage.names)
            stored = stored ?? recorded
            if case .loaded = storage.names { tell(of: current, recorded) }
            return .recorded(recorded)
        default: throw .breach("a request that has no answer")
        }
    }

    private mutating func verify(
        _ text: String, _ descriptor: Descriptor, _ storage: Storage
    ) throws(WorkerError) -> KeeperReply {
        guard let name = try? Reference(parsing: text),
            storage.names.judge(name, manifest: descriptor.digest) != .forbidden
        else { throw .breach("the name \(ForeignText(text)), which was not asked for") }
        try storage.verifier?.check(name.canonical, descriptor)
        verified.insert(descriptor.digest)
        return .verified
    }

    private func tell(of image: KeptImage, _ recorded: KeeperReply.Recorded) {
        for name in image.names { sink.send(.loaded(image: image.id, name: name.name, formerly: name.formerly)) }
        for kept in recorded.kept { sink.send(.kept(name: kept.name, owner: kept.owner)) }
        if image.names.isEmpty { sink.send(.loaded(image: image.id, name: nil, formerly: nil)) }
    }

    /// Who asks without end and never reads an answer does not hold us up.
    private func answer(_ reply: KeeperReply, _ socket: Int32) throws(WorkerError) {
        do throws(Errno) {
            try StreamSocket.send(socket, reply.frame, waiting: false)
        } catch .again {
            throw .breach("answers that nobody reads")
        } catch {
            // It is gone, which the next read says.
            return
        }
    }

    // MARK: End

    private mutating func tidy(_ end: End, _ exit: Spawn.Exit) throws(WorkerError) {
        // Space first: the disk may be full. What cannot be removed is found by the next command.
        try? storage?.area.remove()
        let made = image?.made ?? []
        image = nil
        var failure: WorkerError?
        switch end {
        case .finished: break
        case .failed(let error): failure = error
        case .gone: failure = .died(exit)
        }
        if let failure {
            // What ended the conversation tells more than what was refused in it. Else a disk that is full is so for
            // him too who has interrupted the work meanwhile.
            var reported = refusal ?? (interruption.isRequested ? WorkerError.interrupted : failure)
            if case .breach = failure { reported = failure }
            if !reported.keepsFetched { try? storage?.store.removeUnused(made) }
            throw reported
        }
        if storage?.purpose != .storing { return sink.send(.answered) }
        guard let stored else { throw .breach("an end before anything was stored") }
        sink.send(.done(image: stored.id, name: stored.name))
    }
}

/// What comes from the confined process.
private struct KeeperEnd: ~Copyable {
    private let socket: Int32
    private var frames = FrameBuffer(limit: KeeperRequest.limit)
    /// Of the first frames; later ones bring none.
    private var descriptor: OwnedDescriptor?
    private var isSupervised = false

    init(_ socket: Int32) { self.socket = socket }

    /// False at the end.
    mutating func fill() throws(WorkerError) -> Bool {
        do throws(Errno) {
            var bytes: [UInt8]
            if isSupervised {
                bytes = try StreamSocket.receive(socket, limit: 256 << 10)
            } else {
                let (first, passed) = try StreamSocket.receiveDescriptor(socket, limit: 64 << 10)
                bytes = first
                descriptor = passed ?? descriptor
            }
            frames.append(bytes)
            return !bytes.isEmpty
        } catch {
            // Reset: it ended with something of ours unread.
            return false
        }
    }

    mutating func next() throws(WorkerError) -> KeeperRequest? {
        try lift({ (fault: WireFault) in WorkerError.breach(fault.description) }) { () throws(WireFault) in
            guard let content = try frames.next() else { return nil }
            return try KeeperRequest(content)
        }
    }

    mutating func supervisor(of child: Int32) throws(WorkerError) -> ConnectSupervisor {
        guard !isSupervised, let descriptor else { throw .breach("supervision once more") }
        isSupervised = true
        self.descriptor = nil
        return try system("supervise", "connections") { () throws(Errno) in
            try ConnectSupervisor(try descriptor.duplicate(), of: child)
        }
    }
}

/// Tells the confined process that the work shall end.
private struct Stop {
    let child: Int32
    private var first: Int64?
    private var hasAsked = false

    init(child: Int32) { self.child = child }

    /// Who asks again does not want to wait for the cleaning up; the next command does it. Within a second it is the
    /// same wish come twice, to the process group and by way of the caller.
    mutating func signalled(_ interruption: Interruption) {
        let now = Clock.monotonicNanoseconds
        if let first, now - first > 1_000_000_000 {
            kill(child, SIGKILL)
            _exit(1)
        }
        first = first ?? now
        interruption.request()
    }

    mutating func ask() {
        if hasAsked { return }
        hasAsked = true
        kill(child, SIGTERM)
    }
}
