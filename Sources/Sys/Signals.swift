internal import CLinux
internal import Glibc

/// A set of signals (sigsetops(3)).
package struct SignalSet: Sendable {
    fileprivate(set) var raw: sigset_t

    package init(_ signals: [Int32] = []) {
        var set = sigset_t()
        sigemptyset(&set)
        for signal in signals { sigaddset(&set, signal) }
        raw = set
    }

    /// Whether one of them waits for the calling thread (sigpending(2)), which blocks them.
    package var isPending: Bool {
        var (pending, wanted) = (sigset_t(), raw)
        sigpending(&pending)
        return (1...64).contains { sigismember(&pending, $0) == 1 && sigismember(&wanted, $0) == 1 }
    }

    package static var all: SignalSet {
        var set = SignalSet()
        sigfillset(&set.raw)
        return set
    }

    /// Blocks the set in the calling thread and returns what was blocked before (pthread_sigmask(3)).
    @discardableResult
    package func block() -> SignalSet {
        var set = raw
        var old = SignalSet()
        pthread_sigmask(SIG_BLOCK, &set, &old.raw)
        return old
    }

    /// Makes the set the calling thread's mask.
    package func install() {
        var set = raw
        pthread_sigmask(SIG_SETMASK, &set, nil)
    }
}

/// Signals as bytes to read (signalfd(2)). They must be blocked.
package struct SignalFD: ~Copyable {
    private let fd: OwnedFD

    package var raw: Int32 { fd.raw }

    package init(_ set: SignalSet) throws(Errno) {
        var mask = set.raw
        fd = OwnedFD(adopting: try check { signalfd(-1, &mask, Int32(SFD_CLOEXEC | SFD_NONBLOCK)) })
    }

    /// A signal that has come.
    package struct Arrival: Sendable {
        package let number: Int32
        /// Sent by the kernel, as a terminal does for Ctrl-C to its whole foreground group; not by kill(2).
        package let isFromKernel: Bool
    }

    /// The next pending signal's number, or nil.
    package borrowing func next() throws(Errno) -> Int32? { try nextArrival()?.number }

    /// The next pending signal, or nil.
    package borrowing func nextArrival() throws(Errno) -> Arrival? {
        var info = signalfd_siginfo()
        let raw = fd.raw
        do throws(Errno) {
            let size = MemoryLayout<signalfd_siginfo>.size
            let count = try check { Glibc.read(raw, &info, size) }
            guard count == size else { return nil }
            return Arrival(number: Int32(bitPattern: info.ssi_signo), isFromKernel: info.ssi_code == SI_KERNEL)
        } catch .again {
            return nil
        }
    }
}
