internal import Glibc
package import Sys

/// Sends a signal to the process that a pidfd stands for.
package typealias SignalDelivery = @Sendable (_ signal: Int32, _ pidfd: Int32) throws(Errno) -> Void

/// The signals that a command passes on to its container. Blocked while the value lives.
package struct ForwardedSignals: ~Copyable {
    private let signals: SignalFD
    private let former: SignalSet

    /// Stop signals keep their meaning for the shell's job control, SIGCHLD and SIGPIPE are ours, and the synchronous
    /// ones are our own faults.
    private static let forwarded: [Int32] = [
        SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGALRM, SIGCONT, SIGIO, SIGPWR, SIGVTALRM,
    ]

    /// Made before the container starts, so that none is lost.
    package init() throws(Errno) {
        let set = SignalSet(ForwardedSignals.forwarded + [SIGWINCH])
        former = set.block()
        signal(SIGPIPE, SIG_IGN)
        signals = try SignalFD(set)
    }

    /// What came after the container's end was meant for it, and must not end us now.
    deinit {
        while let signal = try? signals.next() { _ = signal }
        former.install()
    }

    package var raw: Int32 { signals.raw }

    package borrowing func next() throws(Errno) -> Int32? { try signals.next() }

    /// The caller's terminal size, for a container that gets a terminal.
    package static func callerSize() -> WindowSize? {
        for fd in [STDOUT_FILENO, STDIN_FILENO, STDERR_FILENO] {
            if let size = try? Terminal.size(fd) { return size }
        }
        return nil
    }
}
