internal import CLinux
internal import FoundationEssentials
internal import Glibc
internal import Images
internal import OCI
internal import Registry
internal import Sys

/// What stands in for a pull where a test plays a worker that was taken over. The shipped program has none.
package struct Takeover {
    /// False leaves the process its rights, which shows what the confinement is good for.
    package var confines: Bool
    package var body: (Seat) -> Void

    package init(confines: Bool, body: @escaping (Seat) -> Void) {
        self.confines = confines
        self.body = body
    }
}

/// `runimg-image`: one `WorkerRequest` on standard input, `WorkerEvent`s on standard output. Before the first foreign
/// byte it becomes two processes: one that keeps its rights and changes the store, and one that reads what strangers
/// wrote and is confined.
package enum Worker {
    /// More than the longest request; a line without end is refused.
    private static let requestLimit = 1 << 20

    /// Does what was asked and returns the exit status: 0 when all is stored and synced, 1 when nothing is.
    package static func main(takeover: Takeover? = nil) -> Int32 {
        signal(SIGPIPE, SIG_IGN)
        let interruption = Interruption()
        let sink = EventSink(output: STDOUT_FILENO, interruption: interruption)
        do throws(WorkerError) {
            OpenFilesLimit.raise()
            try run(try readRequest(), sink, interruption, takeover)
            return 0
        } catch {
            sink.send(.failed(message: "\(error)", kind: error.kind))
            return 1
        }
    }

    private static func run(
        _ request: WorkerRequest, _ sink: EventSink, _ interruption: Interruption, _ takeover: Takeover?
    ) throws(WorkerError) {
        if request.verb == .transfer { return try ConfinedTransfer.run(request, sink) }
        if request.verb == .save { return try Save.run(request, sink) }
        if request.verb == .credentials { return try CredentialDesk.run(request, sink) }
        if request.verb == .resolve { return try RegistrySource.explain(request, sink) }
        let isNamed = request.verb.namesSource || request.verb.mayNameSource && !request.source.isEmpty
        let name = isNamed ? try SourceName(request) : nil
        let names = try names(name, request)
        var endpoints: [Endpoint] = []
        var connections = ConnectionPolicy(endpoints: [], environment: [:])
        if case .registry(let reference)? = name {
            (endpoints, connections) = try RegistrySource.reach(reference, request)
        }
        let storage = request.verb == .query ? nil : try storage(request, names)
        var keeper = Keeper(
            storage: storage, connections: connections, endpoints: Set(endpoints.map(\.name)), sink: sink,
            interruption: interruption)
        do throws(WorkerError) {
            var push: PushDraft?
            if request.verb == .push, case .registry(let reference)? = name, let storage {
                push = try PushDraft(request, reference, storage.store)
            }
            var check: CheckDraft?
            if let asked = request.check, let storage { check = try CheckDraft(asked, storage.store) }
            try split(request, name, Drafts(push: push, check: check), &keeper, takeover)
        } catch {
            // Where it came to nothing before the keeper could do it.
            try? storage?.area.remove()
            throw error
        }
    }

    private static func storage(_ request: WorkerRequest, _ names: NamePolicy) throws(WorkerError) -> Keeper.Storage {
        let store = ImageStore(dataRoot: request.dataRoot, marks: request.marks)
        let area = try lift(WorkerError.store) { () throws(StoreError) in
            try store.prepare()
            try store.clean()
            store.awaitRoom()
            return try store.makePullArea()
        }
        let purpose = request.check.map { $0.repairs ? Keeper.Storage.Purpose.mending : .checking } ?? .storing
        let isPulled = if case .registry = names { request.verb == .pull } else { false }
        let verifier = isPulled ? request.verifiers.map { ImageVerifier(directory: $0) } : nil
        return Keeper.Storage(store: store, area: area, names: names, purpose: purpose, verifier: verifier)
    }

    /// The one place where the two processes part.
    private static func split(
        _ request: WorkerRequest, _ name: SourceName?, _ drafts: Drafts, _ keeper: inout Keeper,
        _ takeover: Takeover?
    ) throws(WorkerError) {
        let interrupts = SignalSet([SIGINT, SIGTERM, SIGHUP])
        interrupts.block()
        let signals = try system("watch", "signals") { () throws(Errno) in try SignalFD(interrupts) }
        let ends = try system("make", "a pair of sockets") { () throws(Errno) in try StreamSocket.Pair() }
        let slots = try request.downloadSlots.map { count throws(WorkerError) in
            try DownloadSlots(max(1, min(count, 16)))
        }
        let parent = getpid()
        let side = try system("split", "the process") { () throws(Errno) in try SplitProcess.split() }
        switch side {
        case .child:
            let socket = ends.keepSecond().release()
            // Some seconds of progress, while the keeper waits for the disk.
            StreamSocket.setSendBuffer(socket, 4 << 20)
            ConfinedProcess(
                request: request, name: name, drafts: drafts, layout: StoreLayout(root: request.dataRoot),
                area: keeper.storage?.area.path, connections: keeper.connections, socket: socket, slots: slots,
                parent: parent, takeover: takeover
            ).run()
        case .parent(let child):
            let socket = ends.keepFirst()
            try keeper.serve(child, over: socket.raw, signals: signals)
        }
    }

    private static func names(_ name: SourceName?, _ request: WorkerRequest) throws(WorkerError) -> NamePolicy {
        guard let name else {
            if let load = request.load { return .loaded(moves: load.movesNames) }
            guard let text = request.commit?.name ?? request.importTar?.name else { return .local(tag: nil) }
            return .registry(
                try lift({ .request("\($0)") }) { () throws(ReferenceError) in
                    try Reference(parsing: text)
                }, allTags: false)
        }
        if case .registry(let reference) = name {
            if request.allTags, reference.tag != nil || reference.digest != nil {
                throw .request("tag can't be used with --all-tags/-a")
            }
            return .registry(reference, allTags: request.allTags)
        }
        if request.allTags { throw .request("--all-tags needs the name of a repository") }
        return .local(tag: name.tag)
    }

    private static func readRequest() throws(WorkerError) -> WorkerRequest {
        var line: [UInt8] = []
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 4096, alignment: 16)
        defer { buffer.deallocate() }
        while !line.contains(UInt8(ascii: "\n")) {
            let count = try system("read", "the request") { () throws(Errno) in
                try File.read(STDIN_FILENO, into: buffer)
            }
            if count == 0 { break }
            line += buffer[..<count]
            if line.count > requestLimit { throw .request("the request has more than \(requestLimit) bytes") }
        }
        let text = line.prefix { $0 != UInt8(ascii: "\n") }
        do {
            return try JSONDecoder().decode(WorkerRequest.self, from: Data(text))
        } catch {
            throw .request("the request is no JSON of the form that this runimg-image knows")
        }
    }
}

extension WorkerRequest.Verb {
    /// Whether the request says where an image is asked for.
    var namesSource: Bool { self == .pull || self == .query || self == .push }

    /// Whether it may do so.
    var mayNameSource: Bool { self == .check }

    /// Whether what is asked for comes by a descriptor.
    var readsFile: Bool { self == .load || self == .importTar }
}
