internal import CLinux
internal import Glibc

/// One process that becomes two with the same memory (fork(2)), so that one of them can be confined.
package enum SplitProcess {
    package enum Side: Sendable {
        case parent(child: Int32)
        case child
    }

    /// Fails with EBUSY where there is more than one thread: of the others the child would have only their locks.
    package static func split() throws(Errno) -> Side {
        guard try Directory.entries("/proc/self/task").count == 1 else { throw .busy }
        let pid = try check { clinux_fork() }
        return pid == 0 ? .child : .parent(child: pid)
    }

    /// Runs `body`, which ends the process, on a thread of its own, while the calling thread waits in C. The child of a
    /// split has to: Swift's runtime knows a thread by the ID that it asked for once, and the child's first thread still
    /// has the parent's. A lock of the runtime that it held when another thread came (FUTEX_LOCK_PI) would never be free
    /// again.
    package static func runOnNewThread(_ body: @escaping () -> Void) throws(Errno) {
        let box = Unmanaged.passRetained(Body(body))
        SignalSet.all.block()
        let status = clinux_run_on_thread(
            { context in
                if let context { Unmanaged<Body>.fromOpaque(context).takeRetainedValue().run() }
                return nil
            }, box.toOpaque())
        if status != 0 { throw Errno(rawValue: status) }
    }

    /// Not Sendable: the thread that gives it away only waits.
    private final class Body {
        let run: () -> Void
        init(_ run: @escaping () -> Void) { self.run = run }
    }

    /// The calling process is killed when its parent ends, which must be `parent` still (PR_SET_PDEATHSIG). Loses its
    /// effect when the process takes other credentials.
    package static func dieWithParent(_ parent: Int32) throws(Errno) {
        try check { clinux_prctl(PR_SET_PDEATHSIG, UInt(SIGKILL), 0, 0, 0) }
        if getppid() != parent { throw .noProcess }
    }

    /// Closes all descriptors from 3 on but `kept`.
    package static func closeDescriptors(but kept: [Int32]) throws(Errno) {
        var first: UInt32 = 3
        for descriptor in kept.map({ UInt32($0) }).sorted() where descriptor >= first {
            if descriptor > first {
                let (from, to) = (first, descriptor - 1)
                try check { clinux_close_range(from, to, 0) }
            }
            first = descriptor + 1
        }
        try check { clinux_close_range(first, UInt32.max, 0) }
    }

    /// Makes /dev/null of a descriptor (dup2(2)).
    package static func silence(_ descriptors: [Int32]) throws(Errno) {
        let null = try File.open("/dev/null", O_RDWR)
        let raw = null.raw
        for descriptor in descriptors { try check { dup2(raw, descriptor) } }
    }
}
