internal import FoundationEssentials
internal import Glibc
internal import Images
internal import Sys

/// Runs workers side by side, in the order of their requests and at most so many at once. One that fails does not stop the
/// others; a signal stops all, and starts no more.
struct WorkerGroup {
    let requests: [WorkerRequest]
    let atOnce: Int
    /// Files that all of them get as descriptors 3 and on.
    var shared: [Int32] = []

    private static let isInterrupted = EngineError.worker(message: "interrupted", kind: .interrupted)

    /// Until all have ended. `observe` hears every event but the last, which goes to `ended`.
    func run(
        observe: (Int, WorkerEvent) -> Void, ended: (Int, Result<WorkerEvent, EngineError>) -> Void
    ) throws(EngineError) {
        let path = try Worker.find()
        let interrupts = SignalSet([SIGINT, SIGTERM, SIGHUP])
        let former = interrupts.block()
        defer { former.install() }
        let signals = try call("watch signals for", path) { () throws(Errno) in try SignalFD(interrupts) }
        var waiting = Array(requests.indices)[...]
        var running: [(index: Int, worker: RunningWorker)] = []
        while true {
            while running.count < atOnce, let next = waiting.popFirst() {
                do throws(EngineError) {
                    running.append((next, try RunningWorker(requests[next], path, shared)))
                } catch {
                    ended(next, .failure(error))
                }
            }
            if running.isEmpty { return }
            var items = running.map { PollItem($0.worker.events.raw, .readable) } + [PollItem(signals.raw, .readable)]
            try call("wait for", "runimg-image") { () throws(Errno) in try PollItem.wait(&items) }
            if items.last?.ready.isEmpty == false, try passOn(signals, running.map(\.worker)) {
                for index in waiting { ended(index, .failure(WorkerGroup.isInterrupted)) }
                waiting = []
            }
            for (index, worker) in zip(items, running).compactMap({ $0.ready.isEmpty ? nil : $1 }) {
                try worker.read { observe(index, $0) }
                guard worker.hasEnded else { continue }
                running.removeAll { $0.index == index }
                ended(index, try worker.outcome())
            }
        }
    }

    /// Ctrl-C has reached the workers by the terminal already, and a second signal tells them not to clean up. Whether
    /// there was one.
    private func passOn(_ signals: borrowing SignalFD, _ workers: [RunningWorker]) throws(EngineError) -> Bool {
        var hasCome = false
        do throws(Errno) {
            while let signal = try signals.nextArrival() {
                hasCome = true
                if signal.isFromKernel { continue }
                for worker in workers { kill(worker.pid, signal.number) }
            }
        } catch {
            throw .system(SystemFailure("read signals for", "runimg-image", error))
        }
        return hasCome
    }
}

/// A worker that was started: what it writes is split into lines and events.
final class RunningWorker {
    let pid: Int32
    let events: OwnedFD
    private(set) var hasEnded = false
    /// Its end must not come before the worker's: it would be a request that was cut.
    private var requests: OwnedFD?
    private let tookRequest: Bool
    private var buffer: [UInt8] = []
    private var last: WorkerEvent?
    private var failure: EngineError?

    /// More without a line's end is no event of ours.
    private static let longestLine = 1 << 20

    init(_ request: WorkerRequest, _ path: String, _ shared: [Int32]) throws(EngineError) {
        let line = try Worker.encode(request)
        let input = try call("make a pipe for", path) { () throws(Errno) in try Pipe() }
        let output = try call("make a pipe for", path) { () throws(Errno) in try Pipe() }
        pid = try call("start", path) { () throws(Errno) in
            try Spawn.start(
                [path], environment: Environment.all, input: input.reader.raw, output: output.writer.raw,
                error: STDERR_FILENO, further: shared)
        }
        events = output.keepReader()
        let writer = input.keepWriter()
        tookRequest = (try? File.write(writer.raw, line)) != nil
        // Half a request is no request: its end must come, or both of us wait.
        if tookRequest { requests = consume writer }
    }

    /// Takes in what it has written; call it when there is something.
    func read(_ observe: (WorkerEvent) -> Void) throws(EngineError) {
        var chunk = [UInt8](repeating: 0, count: 16 << 10)
        let (size, fd) = (chunk.count, events.raw)
        let count = try call("read from", "runimg-image") { () throws(Errno) in
            try check { Glibc.read(fd, &chunk, size) }
        }
        buffer += chunk.prefix(count)
        while let end = buffer.firstIndex(of: UInt8(ascii: "\n")) {
            take(Data(buffer[..<end]), observe)
            buffer.removeFirst(end + 1)
        }
        if count == 0 || failure != nil || buffer.count > RunningWorker.longestLine { hasEnded = true }
    }

    private func take(_ line: Data, _ observe: (WorkerEvent) -> Void) {
        guard let event = try? JSONDecoder().decode(WorkerEvent.self, from: line) else {
            let shown = String(decoding: line.prefix(80), as: UTF8.self)
            failure = failure ?? .workerDied("it wrote what is no event: \(shown)")
            return
        }
        switch event {
        case .done, .resolved, .credentials, .transferred, .answered, .failed: last = event
        default: observe(event)
        }
    }

    /// Waits for the process.
    func outcome() throws(EngineError) -> Result<WorkerEvent, EngineError> {
        requests = nil
        let exit = try call("wait for", "runimg-image") { [pid] () throws(Errno) in try Spawn.wait(pid) }
        if let failure { return .failure(failure) }
        switch last {
        case .failed(let message, let kind): return .failure(.worker(message: message, kind: kind))
        case .some(let event): return .success(event)
        case nil: return .failure(.workerDied(!tookRequest ? "it took no request" : "\(exit)"))
        }
    }
}
