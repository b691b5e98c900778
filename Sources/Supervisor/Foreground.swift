internal import Glibc
package import Sys

/// A further process of a container attached to the command that started it: bytes and signals pass between the two until
/// it ends. One thread, one poll loop.
package struct Foreground: ~Copyable {
    package enum Outcome: Sendable {
        case ended(Spawn.Exit)
        /// The user let go of it, and it runs on.
        case detached
    }

    private let signals: ForwardedSignals
    private let deliver: SignalDelivery

    /// Blocks the signals that are to be passed on. Made before the container starts, so that none is lost.
    package init(deliver: @escaping SignalDelivery) throws(Errno) {
        signals = try ForwardedSignals()
        self.deliver = deliver
    }

    /// Serves a process without a terminal until it has ended and all it wrote is delivered.
    package borrowing func serve(pidfd: Int32, streams: consuming AttachedStreams) throws(Errno) -> Outcome {
        var streams = streams
        var pumps = [
            Pump(from: streams.output?.raw ?? -1, to: STDOUT_FILENO),
            Pump(from: streams.error?.raw ?? -1, to: STDERR_FILENO),
        ]
        if let input = streams.input?.raw {
            // Ours alone, so it may be non-blocking.
            try check { fcntl(input, F_SETFL, O_NONBLOCK) }
            pumps.append(Pump(from: STDIN_FILENO, to: input))
        }
        return try loop(pidfd: pidfd, terminal: nil, pumps: &pumps) { index in
            // The container sees what a process in a pipeline sees: a broken pipe, or end of file.
            switch index {
            case 0: streams.output = nil
            case 1: streams.error = nil
            default: streams.input = nil
            }
        }
    }

    /// Serves a process that has the caller's own standard descriptors until it has ended.
    package borrowing func serve(pidfd: Int32) throws(Errno) -> Outcome {
        var none = [Pump(from: -1, to: STDOUT_FILENO), Pump(from: -1, to: STDERR_FILENO)]
        return try loop(pidfd: pidfd, terminal: nil, pumps: &none) { _ in }
    }

    /// Serves a container with a terminal, whose master end is `terminal`. The caller's own terminal is raw meanwhile
    /// when `interactive`, and `detachKeys` typed there let go of the process.
    package borrowing func serve(
        pidfd: Int32, terminal: Int32, interactive: Bool, detachKeys: DetachKeys
    ) throws(Errno) -> Outcome {
        let raw = interactive && Terminal.isTerminal(STDIN_FILENO) ? try RawTerminal(STDIN_FILENO) : nil
        if let size = ForwardedSignals.callerSize() { try? Terminal.setSize(terminal, size) }
        var pumps = [Pump(from: terminal, to: STDOUT_FILENO)]
        if interactive { pumps.append(Pump(from: STDIN_FILENO, to: terminal, keys: raw == nil ? nil : detachKeys)) }
        let outcome = try loop(pidfd: pidfd, terminal: terminal, pumps: &pumps) { _ in
            // The caller's terminal is gone, or the container has let go of its own.
            Foreground.hangUp(terminal)
        }
        _ = consume raw
        return outcome
    }

    /// Closes the master side, which for the container's session is what a closed window is to a shell: SIGHUP, and end
    /// of file on its terminal. The number stays taken, for its owner to close.
    private static func hangUp(_ terminal: Int32) {
        guard let null = try? File.open("/dev/null", O_RDWR) else { return }
        _ = dup3(null.raw, terminal, O_CLOEXEC)
    }

    /// The first two pumps at most are outputs; the last may be the input.
    private borrowing func loop(
        pidfd: Int32, terminal: Int32?, pumps: inout [Pump], ended: (Int) -> Void
    ) throws(Errno) -> Outcome {
        let outputs = terminal == nil ? 2 : 1
        var exit: Spawn.Exit?
        var closed = Array(repeating: false, count: pumps.count)
        while true {
            if let exit, pumps.prefix(outputs).allSatisfy(\.isDone) { return .ended(exit) }
            var items = [PollItem(signals.raw, .readable), PollItem(exit == nil ? pidfd : -1, .readable)]
            // Once the process is gone nobody reads its input.
            items += pumps.enumerated().map { index, pump in
                exit != nil && index >= outputs ? PollItem(-1, .readable) : pump.pollItem
            }
            // What is still written comes from the kernel's buffers: a second without a byte is the end, even where a
            // process outside the container holds the other end.
            let count = try PollItem.wait(&items, milliseconds: exit == nil ? -1 : 1000)
            if count == 0, let exit, pumps.prefix(outputs).allSatisfy({ $0.pollItem.wanted == .readable }) {
                return .ended(exit)
            }
            if !items[0].ready.isEmpty { try forwardSignals(to: exit == nil ? pidfd : nil, terminal: terminal) }
            if !items[1].ready.isEmpty {
                exit = try Pidfd.wait(pidfd)
            }
            for index in pumps.indices {
                if !pumps[index].advance(items[index + 2]) { pumps[index].end() }
                if pumps[index].isDetached { return .detached }
                if pumps[index].isDone, !closed[index] {
                    closed[index] = true
                    ended(index)
                }
            }
        }
    }

    private borrowing func forwardSignals(to pidfd: Int32?, terminal: Int32?) throws(Errno) {
        while let signal = try signals.next() {
            if signal == SIGWINCH, let terminal {
                if let size = ForwardedSignals.callerSize() { try? Terminal.setSize(terminal, size) }
            } else if let pidfd {
                do throws(Errno) {
                    try deliver(signal, pidfd)
                } catch .noProcess {
                    continue
                }
            }
        }
    }
}
