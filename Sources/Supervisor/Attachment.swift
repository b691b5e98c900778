internal import CMonitor
internal import Glibc
package import Sys

/// A command that watches a container through its monitor: bytes and signals pass between the two until the container
/// ends or the user detaches. One thread, one poll loop.
package struct Attachment: Sendable {
    package enum Outcome: Sendable {
        /// To the starter, which is to record it.
        case ended(Spawn.Exit)
        /// Recorded already, with this exit code.
        case recorded(Int32)
        case detached
        /// The monitor died, and the container with it; or it let go of us, since our reader kept everyone waiting.
        case lost
    }

    package struct Options: Sendable {
        package var hasTerminal = false
        package var input = false
        package var output = true
        package var error = true
        package var detachKeys = DetachKeys(DetachKeys.standard)
        package var forwardsSignals = true
        package var deliver: SignalDelivery = { (signal, pidfd) throws(Errno) in try Pidfd.send(signal, to: pidfd) }
        /// Whether a full-screen program is to draw its screen anew.
        package var redraws = false

        package init() {}
    }

    private let connection: MonitorConnection
    private let options: Options

    package init(_ connection: MonitorConnection, _ options: Options) {
        self.connection = connection
        self.options = options
    }

    /// Serves until the end. `pidfd` is the container's process, for signals.
    package func serve(_ signals: borrowing ForwardedSignals, pidfd: Int32) throws(Errno) -> Outcome {
        let isRaw = options.hasTerminal && options.input && Terminal.isTerminal(STDIN_FILENO)
        let raw = isRaw ? try RawTerminal(STDIN_FILENO) : nil
        var state = State(options)
        if options.redraws { try redraw() }
        try sendSize()
        while true {
            var items = [
                PollItem(signals.raw, .readable),
                PollItem(state.isDelivered ? connection.socket.raw : -1, .readable),
                PollItem(state.output.isEmpty ? -1 : STDOUT_FILENO, .writable),
                PollItem(state.error.isEmpty ? -1 : STDERR_FILENO, .writable),
                state.input.isEmpty
                    ? PollItem(state.source, .readable) : PollItem(connection.socket.raw, .writable),
            ]
            try PollItem.wait(&items)
            if !items[0].ready.isEmpty { try forward(signals, to: pidfd) }
            if !items[2].ready.isEmpty { drain(&state.output, "1") }
            if !items[3].ready.isEmpty { drain(&state.error, "2") }
            if !items[4].ready.isEmpty, try passInput(&state) { return finish(raw, .detached) }
            if !items[1].ready.isEmpty, let outcome = try receive(&state) {
                return finish(raw, outcome)
            }
        }
    }

    /// After `ended`: tells the monitor that the end is recorded, and what it is to delete. False when it can't be told.
    @discardableResult
    package func conclude(_ code: Int32, leftover: (path: String, lock: Int32)? = nil) -> Bool {
        // A monitor that lost its patience has had it recorded itself.
        (try? connection.conclude(code, leftover: leftover)) != nil
    }

    /// Has the monitor hold a descriptor until its own end, for which nobody waits.
    package func keep(_ descriptor: Int32) {
        // Where it does not, it is closed by us.
        try? connection.keep(descriptor)
    }

    /// After `ended`, where the monitor is to do what follows: waits for the recorded exit code.
    package func awaitEnd() throws(Errno) -> Int32? { try connection.awaitEnd() }

    private struct State {
        var output: ByteSink
        var error: ByteSink
        var source: Int32
        var input: [UInt8] = []
        var keys: DetachKeys

        init(_ options: Options) {
            output = ByteSink(STDOUT_FILENO)
            error = ByteSink(STDERR_FILENO)
            source = options.input ? STDIN_FILENO : -1
            keys = options.detachKeys
        }

        /// Nothing more is taken from the monitor before: what the caller does not read waits with the container.
        var isDelivered: Bool { output.isEmpty && error.isEmpty }
    }

    /// The raw terminal ends here, whatever else does.
    private func finish(_ raw: consuming RawTerminal?, _ outcome: Outcome) -> Outcome {
        _ = consume raw
        return outcome
    }

    private func receive(_ state: inout State) throws(Errno) -> Outcome? {
        do throws(Errno) {
            switch try connection.next(waiting: false) {
            case .output(let bytes):
                if options.output { state.output.put(bytes) }
            case .error(let bytes):
                if options.error { state.error.put(bytes) }
            case .ended(let exit): return .ended(exit)
            case .recorded(let code): return .recorded(code)
            case .serving: break
            case nil: return .lost
            }
        } catch .again {
            return nil
        } catch .connectionReset {
            return .lost
        }
        return nil
    }

    /// A reader that is gone is the container's loss as well: it sees a broken pipe.
    private func drain(_ sink: inout ByteSink, _ stream: Unicode.Scalar) {
        sink.drain()
        if sink.isOpen { return }
        let number = UInt8(ascii: stream) - UInt8(ascii: "0")
        try? PacketSocket.send(connection.socket.raw, [UInt8(ascii: "B"), number])
    }

    /// Reads from the caller or sends on what was read; true when the user let go.
    private func passInput(_ state: inout State) throws(Errno) -> Bool {
        var hasDetached = false
        if state.input.isEmpty {
            var bytes = [UInt8](repeating: 0, count: Int(CMON_MAX_DATA))
            let source = state.source
            let count: Int
            do throws(Errno) {
                count = try check { bytes.withUnsafeMutableBytes { Glibc.read(source, $0.baseAddress, $0.count) } }
            } catch .again {
                return false
            } catch {
                count = 0
            }
            if count == 0 {
                state.source = -1
                // A terminal without anybody before it: its window is closed.
                state.input = [options.hasTerminal ? UInt8(ascii: "H") : UInt8(ascii: "E")]
            } else {
                let read = Array(bytes.prefix(count))
                let (passed, detached) = options.hasTerminal ? state.keys.filter(read) : (read, false)
                hasDetached = detached
                if !passed.isEmpty { state.input = [UInt8(ascii: "I")] + passed }
            }
        }
        if state.input.isEmpty { return hasDetached }
        do throws(Errno) {
            try PacketSocket.send(connection.socket.raw, state.input, waiting: hasDetached)
            state.input = []
        } catch .again {
            return false
        } catch .brokenPipe {
            // What the monitor said last is still to be read.
            state.input = []
            state.source = -1
        }
        return hasDetached
    }

    /// Programs draw their screen again when its size has changed: for a moment it is another one, as with docker. Nothing
    /// is typed before it is right.
    private func redraw() throws(Errno) {
        try sendSize(enlargedBy: 1)
        usleep(20_000)
    }

    private func sendSize(enlargedBy cells: UInt16 = 0) throws(Errno) {
        guard options.hasTerminal, let size = ForwardedSignals.callerSize() else { return }
        let sizes = [size.rows &+ cells, size.columns &+ cells]
        let cells = sizes.flatMap { cell in withUnsafeBytes(of: cell) { Array($0) } }
        try? PacketSocket.send(connection.socket.raw, [UInt8(ascii: "R")] + cells, waiting: false)
    }

    private func forward(_ signals: borrowing ForwardedSignals, to pidfd: Int32) throws(Errno) {
        while let signal = try signals.next() {
            if signal == SIGWINCH, options.hasTerminal {
                try sendSize()
            } else if options.forwardsSignals {
                do throws(Errno) {
                    try options.deliver(signal, pidfd)
                } catch .noProcess {
                    continue
                }
            }
        }
    }
}
