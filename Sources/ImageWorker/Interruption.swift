internal import CLinux
internal import Glibc
internal import Synchronization
internal import Sys

/// Whether the work shall end: after SIGINT, SIGTERM or SIGHUP, or when nobody reads the events any more. Threads ask at
/// every block of bytes; what they hold is given back on the way out, and what was fetched stays.
final class Interruption: Sendable {
    private let requested = Atomic(false)

    var isRequested: Bool { requested.load(ordering: .relaxed) }

    func request() { requested.store(true, ordering: .relaxed) }

    func check() throws(WorkerError) {
        if isRequested { throw .interrupted }
    }

    /// Watches from a thread of its own until the process ends. Call it before any other thread starts: they inherit
    /// the blocked signals.
    /// The end of `output`, a pipe or socket without readers, is a request as well.
    func watch(output: Int32) throws(Errno) {
        let signals = SignalSet([SIGINT, SIGTERM, SIGHUP])
        signals.block()
        let descriptor = try SignalFD(signals)
        let box = SignalBox(descriptor)
        let thread = try JoinableThread { self.loop(box, output: output) }
        // It ends with the process.
        _ = consume thread
    }

    private func loop(_ signals: SignalBox, output: Int32) {
        // An empty set still reports the error of a pipe without readers (poll(2)).
        var items = [PollItem(signals.descriptor.raw, .readable), PollItem(output, [])]
        var first: Int64?
        while true {
            do throws(Errno) {
                try PollItem.wait(&items)
                if items[1].ready.contains(.error) {
                    request()
                    items[1].fd = -1
                }
                while try signals.descriptor.next() != nil {
                    // Who asks again does not want to wait for the cleaning up; the next command does it. Within a
                    // second it is the same wish come twice, to the process group and by way of the caller.
                    let now = Clock.monotonicNanoseconds
                    if let first, now - first > 1_000_000_000 { _exit(1) }
                    first = first ?? now
                    request()
                }
            } catch {
                return
            }
        }
    }
}

/// A closure cannot own a noncopyable value.
private final class SignalBox: Sendable {
    let descriptor: SignalFD

    init(_ descriptor: consuming SignalFD) { self.descriptor = descriptor }
}
