internal import FoundationEssentials
internal import Glibc
internal import Images
internal import OCI
internal import Sys

/// Starts `runimg-image` with one request and reads its events, as git does with its transport helpers.
struct Worker {
    struct Result {
        var image: Digest
        var name: String
    }

    /// Beside us, or where `make install` puts it.
    static func find() throws(EngineError) -> String {
        let own = (try? File.readLink("/proc/self/exe")) ?? "/usr/local/bin/runimg"
        let directory = Path.split(own).parent
        let places = [directory + "/runimg-image", directory + "/../libexec/runimg/runimg-image"]
        for place in places where access(place, X_OK) == 0 { return place }
        throw .workerMissing(searched: places)
    }

    /// Runs the request to its end. Every event but the last goes to `observe`. Ctrl-C reaches the worker by the
    /// terminal; it keeps what it has fetched and says that it was interrupted.
    static func run(_ request: WorkerRequest, observe: (WorkerEvent) -> Void) throws(EngineError) -> Result {
        guard case .done(let image, let name) = try outcome(of: request, observe: observe) else {
            throw .workerDied("it ended with another answer than was asked for")
        }
        return Result(image: image, name: name)
    }

    /// The same, with whatever event is the last. The worker gets `further`, borrowed, as descriptors 3 and so on.
    static func outcome(
        of request: WorkerRequest, further: [Int32] = [], observe: (WorkerEvent) -> Void = { _ in }
    ) throws(EngineError) -> WorkerEvent {
        let path = try find()
        let line = try encode(request)
        let interrupts = SignalSet([SIGINT, SIGTERM, SIGHUP])
        let former = interrupts.block()
        defer { former.install() }

        let input = try call("make a pipe for", path) { () throws(Errno) in try Pipe() }
        let output = try call("make a pipe for", path) { () throws(Errno) in try Pipe() }
        let pid = try call("start", path) { () throws(Errno) in
            try Spawn.start(
                [path], environment: Environment.all, input: input.reader.raw, output: output.writer.raw,
                error: STDERR_FILENO, further: further)
        }
        var requests: OwnedFD? = input.keepWriter()
        let events = output.keepReader()
        let signals = try call("watch signals for", path) { () throws(Errno) in try SignalFD(interrupts) }
        let sent = Worker.send(line, to: requests)
        // Half a request is no request: its end must come, or both of us wait.
        if !sent { requests = nil }
        var reader = EventReader(fd: events.raw, worker: pid)
        var outcome: WorkerEvent?
        while let event = try reader.next(signals) {
            switch event {
            case .done, .resolved, .transferred, .answered, .failed: outcome = event
            default: observe(event)
            }
        }
        _ = consume requests
        let exit = try call("wait for", path) { () throws(Errno) in try Spawn.wait(pid) }
        switch outcome {
        case .failed(let message, let kind): throw .worker(message: message, kind: kind)
        case .some(let event): return event
        case nil: throw .workerDied(!sent ? "it took no request" : "\(exit)")
        }
    }

    private static func send(_ line: [UInt8], to requests: borrowing OwnedFD?) -> Bool {
        switch requests {
        case .some(let writer): (try? File.write(writer.raw, line)) != nil
        case nil: false
        }
    }

    static func encode(_ request: WorkerRequest) throws(EngineError) -> [UInt8] {
        do {
            return Array(try JSONEncoder().encode(request)) + [UInt8(ascii: "\n")]
        } catch {
            throw .invalid("cannot encode the request: \(error)")
        }
    }
}

/// Splits what the worker writes into lines and events, and hands our own signals on to it.
private struct EventReader {
    let fd: Int32
    let worker: pid_t
    private var buffer: [UInt8] = []
    private var ended = false

    /// More without a line's end is no event of ours.
    private static let longestLine = 1 << 20

    init(fd: Int32, worker: pid_t) {
        self.fd = fd
        self.worker = worker
    }

    mutating func next(_ signals: borrowing SignalFD) throws(EngineError) -> WorkerEvent? {
        while true {
            if let end = buffer.firstIndex(of: UInt8(ascii: "\n")) {
                let line = Data(buffer[..<end])
                buffer.removeFirst(end + 1)
                do {
                    return try JSONDecoder().decode(WorkerEvent.self, from: line)
                } catch {
                    throw .workerDied("it wrote what is no event: \(String(decoding: line.prefix(80), as: UTF8.self))")
                }
            }
            if ended || buffer.count > EventReader.longestLine { return nil }
            try fill(signals)
        }
    }

    private mutating func fill(_ signals: borrowing SignalFD) throws(EngineError) {
        var items = [PollItem(fd, .readable), PollItem(signals.raw, .readable)]
        try call("wait for", "runimg-image") { () throws(Errno) in try PollItem.wait(&items) }
        if !items[1].ready.isEmpty {
            try passOn(signals)
        }
        if !items[0].ready.isEmpty {
            var chunk = [UInt8](repeating: 0, count: 16 << 10)
            let size = chunk.count
            let count = try call("read from", "runimg-image") { () throws(Errno) in
                try check { read(fd, &chunk, size) }
            }
            if count == 0 { ended = true }
            buffer += chunk.prefix(count)
        }
    }

    /// Ctrl-C has reached the worker by the terminal already, and a second signal tells it not to clean up.
    private func passOn(_ signals: borrowing SignalFD) throws(EngineError) {
        do throws(Errno) {
            while let signal = try signals.nextArrival() {
                if !signal.isFromKernel { kill(worker, signal.number) }
            }
        } catch {
            throw .system(SystemFailure("read signals for", "runimg-image", error))
        }
    }
}
