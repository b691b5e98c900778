internal import CInit
internal import Glibc
package import Sys

/// What a container's monitor is started with: the name that makes the executable one, and the lock that it holds.
package struct MonitorLaunch: Sendable {
    /// argv of the process; the first decides what the executable becomes.
    package var arguments: [String]
    package var lock: Int32
    /// One more descriptor that it keeps open, -1 for none.
    package var kept: Int32

    package init(arguments: [String], lock: Int32, kept: Int32 = -1) {
        self.arguments = arguments
        self.lock = lock
        self.kept = kept
    }
}

/// A process that becomes the monitor of the container that it clones. Dropped, it is told to give up: it kills and
/// reaps the container, and is waited for.
struct StartingMonitor: ~Copyable {
    private let arguments: [String]
    private let lock: Int32
    private let kept: Int32
    private let takesOrphans: Bool
    /// Our end of the socket to it, and its end until it has one of its own.
    private var control: Int32
    private var itsEnd: Int32
    private(set) var pid: pid_t = 0

    init(_ launch: MonitorLaunch, takesOrphans: Bool) throws(RuntimeError) {
        self.takesOrphans = takesOrphans
        arguments = launch.arguments
        lock = launch.lock
        kept = launch.kept
        var ends: (Int32, Int32) = (-1, -1)
        if cinit_socket_pair(&ends.0, &ends.1) != 0 {
            throw .system(operation: "socketpair", subject: "for the container's monitor", Errno.current)
        }
        itsEnd = ends.0
        control = ends.1
    }

    deinit {
        if itsEnd >= 0 { _ = Glibc.close(itsEnd) }
        if control >= 0 { _ = Glibc.close(control) }
        // End of file is the word to give up; after its own end the container has left its cgroup.
        if pid > 0 { _ = try? Spawn.wait(pid) }
    }

    /// As cinit_start: the child's pid, or -errno.
    mutating func start(
        _ plan: UnsafeMutableRawPointer, _ arguments: inout cinit_start_arguments, _ pidfd: inout Int32
    ) throws(RuntimeError) -> pid_t {
        var argv = self.arguments.map { strdup($0) } + [nil]
        defer { for text in argv { free(text) } }
        let (itsEnd, lock, kept, takesOrphans) = (itsEnd, lock, kept, takesOrphans)
        let started = argv.withUnsafeMutableBufferPointer { argv in
            var monitor = cinit_monitor(
                argv: argv.baseAddress, control: itsEnd, lock: lock, kept: kept, takes_orphans: takesOrphans ? 1 : 0)
            return cinit_start_monitored(plan, &arguments, &monitor)
        }
        if started < 0 { return started }
        pid = started
        // Only its process may hold that end: its death is to be seen.
        _ = Glibc.close(itsEnd)
        self.itsEnd = -1
        var child: Int32 = 0
        let size = MemoryLayout<Int32>.size
        if cinit_receive(control, &child, size, &pidfd, 1) != size {
            throw .lostChild("its monitor ended before it had started it")
        }
        return child
    }

    /// The socket, once the container runs; the monitor waits there for what it is to do.
    consuming func running() -> OwnedDescriptor {
        let handed = OwnedFD(adopting: control)
        (control, pid) = (-1, 0)
        return OwnedDescriptor(handed)
    }
}

/// A container's first process whose parent is a monitor.
package struct MonitoredProcess: ~Copyable {
    package let process: RunningProcess
    /// Where the monitor waits for what it is to do. End of file makes it kill the container and leave.
    package let control: OwnedDescriptor
    /// Whether it is not the process that the monitor made, but one that followed that and has the same parent.
    package let isSuccessor: Bool
}
