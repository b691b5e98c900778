internal import Glibc
package import OCI
internal import Synchronization
internal import Sys

/// Who is told of the calls that a filter with SCMP_ACT_NOTIFY stops, and answers them (seccomp_unotify(2)). Lives until
/// it goes out of scope: whoever waits for an answer then gets ENOSYS from the kernel.
package final class SeccompAgent: Sendable {
    /// What becomes of one call.
    package enum Answer: Sendable {
        /// The call fails so, without having been made.
        case error(Int32)
        /// The call returns this, without having been made.
        case value(Int64)
        /// The call is made.
        case proceed
    }

    package let path: String
    private let shared: Shared
    private let thread: Mutex<JoinableThread?>

    /// Listens in `scratch`; each call is answered by what `answer` says to how many came before it.
    package init(_ scratch: Scratch, _ answer: @escaping @Sendable (Int) -> Answer) throws {
        path = scratch("agent-\(Random.hex(bytes: 3))")
        let shared = Shared(listener: try UnixListener(path), answer: answer)
        self.shared = shared
        thread = Mutex(try JoinableThread { shared.serve() })
    }

    deinit {
        shared.isOver.store(true, ordering: .relaxed)
        thread.withLock { $0.take()?.join() }
    }

    /// The messages that runtimes have sent, each with its descriptor: config-linux.md, "containerprocessstate".
    package var states: [JSONValue] { shared.seen.withLock { $0.states } }
    /// The processes whose calls were answered.
    package var callers: [UInt32] { shared.seen.withLock { $0.callers } }
    /// What went wrong on its side.
    package var failures: [String] { shared.seen.withLock { $0.failures } }

    private struct Seen {
        var states: [JSONValue] = []
        var callers: [UInt32] = []
        var failures: [String] = []
    }

    private final class Shared: Sendable {
        let isOver = Atomic<Bool>(false)
        let seen = Mutex(Seen())
        private let listener: UnixListener
        private let answer: @Sendable (Int) -> Answer

        init(listener: UnixListener, answer: @escaping @Sendable (Int) -> Answer) {
            self.listener = listener
            self.answer = answer
        }

        func serve() {
            var talking: [Conversation] = []
            var notified: [OwnedDescriptor] = []
            while !isOver.load(ordering: .relaxed) {
                let numbers = [listener.raw] + talking.map(\.connection.raw) + notified.map(\.raw)
                var all = numbers.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
                guard poll(&all, nfds_t(all.count), 20) > 0 else { continue }
                let ready = Dictionary(all.map { ($0.fd, $0.revents) }) { $1 }
                do {
                    for item in notified where (ready[item.raw] ?? 0) & Int16(POLLIN) != 0 { try reply(item.raw) }
                    // POLLHUP: no process with the filter is left.
                    notified.removeAll { ![0, Int16(POLLIN)].contains(ready[$0.raw] ?? 0) }
                    for item in talking where ready[item.connection.raw] != 0 {
                        if try item.isWhole(), let descriptor = take(item) { notified.append(descriptor) }
                    }
                    talking.removeAll(where: \.isOver)
                    if ready[listener.raw] != 0 {
                        talking.append(Conversation(connection: OwnedDescriptor(try listener.accept())))
                    }
                } catch {
                    seen.withLock { $0.failures.append("\(error)") }
                }
            }
        }

        private func take(_ item: Conversation) -> OwnedDescriptor? {
            seen.withLock { seen in
                if let state = item.state { seen.states.append(state) }
                if item.state == nil || item.passed == nil {
                    seen.failures.append("\(item.bytes.count) bytes, descriptor: \(item.passed != nil)")
                }
            }
            return item.passed
        }

        /// struct seccomp_notif, struct seccomp_notif_resp and their requests (linux/seccomp.h).
        private func reply(_ descriptor: Int32) throws {
            var notice = [UInt64](repeating: 0, count: 10)
            // Its caller was killed meanwhile.
            guard ioctl(descriptor, UInt(0xc050_2100), &notice) == 0 else { return }
            let number = seen.withLock { seen in
                seen.callers.append(UInt32(truncatingIfNeeded: notice[1]))
                return seen.callers.count - 1
            }
            // The number, the value, and the error with the flags behind it.
            var response: [UInt64] = [notice[0], 0, 0]
            switch answer(number) {
            case .error(let error): response[2] = UInt64(UInt32(bitPattern: -error))
            case .value(let value): response[1] = UInt64(bitPattern: value)
            // SECCOMP_USER_NOTIF_FLAG_CONTINUE
            case .proceed: response[2] = 1 << 32
            }
            if ioctl(descriptor, UInt(0xc018_2101), &response) != 0, Glibc.errno != ENOENT {
                throw Errno.current
            }
        }
    }
}

/// What one runtime sends, which may come in pieces: a stream has no messages.
private final class Conversation {
    let connection: OwnedDescriptor
    private(set) var bytes: [UInt8] = []
    private(set) var passed: OwnedDescriptor?
    private(set) var state: JSONValue?
    private(set) var isOver = false

    init(connection: OwnedDescriptor) { self.connection = connection }

    /// Takes what has come; whether that was the last piece.
    func isWhole() throws(Errno) -> Bool {
        do throws(Errno) {
            let (more, descriptor) = try StreamSocket.receiveDescriptor(connection.raw, limit: 65536)
            bytes += more
            if let descriptor { passed = descriptor }
            state = try? JSONValue(parsing: bytes)
            isOver = state != nil || more.isEmpty
        } catch {
            isOver = true
            throw error
        }
        return isOver
    }
}
