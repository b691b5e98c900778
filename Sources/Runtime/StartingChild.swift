internal import CInit
internal import Cgroups
internal import Glibc
internal import Sys

/// A child between clone3 and exec. Dropped, it is killed and reaped.
struct StartingChild: ~Copyable {
    /// Both change once: a process that joins a pid namespace is followed by one inside of it.
    private(set) var pid: pid_t
    private(set) var pidfd: Int32
    private let socket: Int32
    /// The terminal's master, once it has come; -1 before.
    private var master: Int32 = -1
    /// Its parent, and that of a process that follows it.
    private let parent: pid_t

    /// Clones it, in a process of its own where there is a `monitor`; it runs up to its first wait.
    init(
        _ plan: LaunchPlan, cgroup: Cgroup?, joining targets: [Int32], monitor: inout StartingMonitor?,
        clock: LaunchClock? = nil
    ) throws(RuntimeError) {
        // A copy of its own, 16-aligned: its pointers are made in place.
        let base = UnsafeMutableRawPointer.allocate(byteCount: plan.buffer.count, alignment: 16)
        defer { base.deallocate() }
        plan.buffer.withUnsafeBytes { bytes in
            UnsafeMutableRawBufferPointer(start: base, count: bytes.count).copyMemory(from: bytes)
        }
        var arguments = cinit_start_arguments()
        let stub = try InitStub.make()
        arguments.stub = stub.raw
        let ends = try SocketEnds()
        arguments.child_socket = ends.child.raw
        arguments.parent_socket = ends.parent.raw
        arguments.cgroup = -1
        arguments.clock = clock?.memory
        arguments.target_count = Int32(targets.count)
        withUnsafeMutableBytes(of: &arguments.targets) { bytes in
            targets.withUnsafeBytes { bytes.copyMemory(from: $0) }
        }
        arguments.pid_namespace = try StartingChild.openNamespace(plan.parent.pidNamespace)
        defer { if arguments.pid_namespace >= 0 { _ = Glibc.close(arguments.pid_namespace) } }
        var handle: Int32 = -1
        let preparation = try LaunchPreparation(plan.parent, &arguments)
        let result = try StartingChild.start(base, &arguments, &handle, cgroup, &monitor)
        let obstacle = preparation.obstacle(plan.parent)
        _ = consume preparation
        // The child has its own.
        _ = consume stub
        if result < 0 {
            if let obstacle {
                throw .setup(step: obstacle, detail: "\(Errno(rawValue: -result))", remedy: nil)
            }
            throw LaunchFailure.clone(Errno(rawValue: -result), plan)
        }
        pid = result
        pidfd = handle
        parent = monitor?.pid ?? getpid()
        socket = ends.keepParent()
    }

    deinit {
        let handle = OwnedFD(adopting: pidfd)
        _ = Glibc.close(socket)
        if master >= 0 { _ = Glibc.close(master) }
        // Both fail only for a child that is gone already.
        try? Pidfd.send(SIGKILL, to: handle.raw)
        _ = try? Pidfd.wait(handle.raw)
    }

    /// Lets it run on. One that has failed meanwhile says so itself.
    borrowing func release() throws(RuntimeError) {
        if cinit_release(socket) >= 0 { return }
        let error = Errno.current
        if error.rawValue != EPIPE { throw .system(operation: "release", subject: "the container's process", error) }
    }

    /// Returns when it waits for the hooks.
    mutating func awaitHooks(_ plan: LaunchPlan) throws(RuntimeError) {
        while let message = try receive(wait: true) {
            if message.report.kind == UInt32(CINIT_WAITS.rawValue), message.descriptor < 0 { return }
            if !takeTerminal(message, plan) { throw failure(message, plan) }
        }
        throw .lostChild("it ended before it was ready for the hooks")
    }

    /// Returns when the user's command has been executed, or is held. `beforeRelease` gets a process that follows, before
    /// that runs on.
    mutating func awaitExec(
        _ plan: LaunchPlan, _ handOver: SeccompListener.Handover,
        _ beforeRelease: (Int32) throws(RuntimeError) -> Void
    ) throws(RuntimeError) {
        var listener = PendingListener(plan)
        var isWaiting = plan.hasSuccessor
        var isExecuted = !plan.isEmulated && !plan.isHeld
        receiving: while let message = try receive(wait: true) {
            switch message.report.kind {
            case UInt32(CINIT_SUCCESSOR.rawValue) where isWaiting:
                isWaiting = false
                try follow(OwnedFD(adopting: message.descriptor))
                try listener.send(pid, handOver)
                try beforeRelease(pidfd)
                try release()
            case UInt32(CINIT_SECCOMP_LISTENER.rawValue) where listener.isAwaited:
                listener.take(message.descriptor)
                // The process that runs the command is the one to be named.
                if !isWaiting { try listener.send(pid, handOver) }
            case UInt32(CINIT_EXECUTED.rawValue) where plan.isEmulated, UInt32(CINIT_HELD.rawValue) where plan.isHeld:
                isExecuted = true
                break receiving
            default:
                if !takeTerminal(message, plan) { throw failure(message, plan) }
            }
        }
        if !isExecuted, plan.isHeld { throw .lostChild("it ended before it was made") }
        if !isExecuted {
            throw .lostChild("\(Emulator.name) ended before it had run the command" + Emulator.likelyCause)
        }
        if plan.hasTerminal, master < 0 { throw .lostChild("it ended before it had made its terminal") }
        if isWaiting { throw .lostChild("it ended before it was in the container's pid namespace") }
    }

    /// Unasked for, it would be a descriptor that someone made our child send.
    private mutating func takeTerminal(_ message: Message, _ plan: LaunchPlan) -> Bool {
        guard message.report.kind == UInt32(CINIT_TERMINAL_MASTER.rawValue), plan.hasTerminal, master < 0 else {
            return false
        }
        master = message.descriptor
        return true
    }

    private borrowing func failure(_ message: Message, _ plan: LaunchPlan) -> RuntimeError {
        if message.descriptor >= 0 { _ = Glibc.close(message.descriptor) }
        return LaunchFailure.error(message.report, text: message.text, plan)
    }

    /// Holds on to the process in the pid namespace in place of the one that made it. The message may be forged by then:
    /// only a child of the same parent is believed. Where that is a monitor, it reaps the first.
    private mutating func follow(_ successor: consuming OwnedFD) throws(RuntimeError) {
        let next = successor.release()
        do throws(Errno) {
            let number = try Pidfd.process(of: next, childOf: parent)
            if parent == getpid() { _ = try Pidfd.wait(pidfd) }
            _ = Glibc.close(pidfd)
            (pid, pidfd) = (number, next)
        } catch {
            _ = Glibc.close(next)
            throw .lostChild("it named no process of ours: \(error)")
        }
    }

    /// Holds on to the process that another runtime, which the child has become, makes and leaves to the child's parent.
    mutating func follow(_ made: ExternalProcess, terminal listener: OwnedDescriptor?) throws(RuntimeError) {
        var items = [PollItem(pidfd, .readable)]
        do throws(Errno) {
            _ = try PollItem.wait(&items, milliseconds: -1)
        } catch {
            throw .system(operation: "wait for", subject: made.runtime.name, error)
        }
        let number = try made.number()
        let next: OwnedFD
        do throws(Errno) {
            next = try Pidfd.open(number)
        } catch {
            throw .lostChild("\(made.runtime.name) has made process \(number), which is gone: \(error)")
        }
        if let listener { master = try made.receiveTerminal(listener.raw).release() }
        try follow(next)
    }

    /// What it has said so far, if that is a failure.
    borrowing func reportedFailure(_ plan: LaunchPlan) -> RuntimeError? {
        while let message = try? receive(wait: false) {
            if message.descriptor >= 0 { _ = Glibc.close(message.descriptor) }
            if message.report.kind == UInt32(CINIT_TERMINAL_MASTER.rawValue) { continue }
            if message.report.kind == UInt32(CINIT_SECCOMP_LISTENER.rawValue) { continue }
            return LaunchFailure.error(message.report, text: message.text, plan)
        }
        return nil
    }

    consuming func running() -> RunningProcess {
        let (pid, pidfd, master) = (pid, pidfd, master)
        _ = Glibc.close(socket)
        discard self
        return RunningProcess(
            pid: pid, pidfd: OwnedFD(adopting: pidfd), terminal: master < 0 ? nil : OwnedFD(adopting: master))
    }

    private struct Message {
        let report: cinit_report
        let text: String
        let descriptor: Int32
    }

    /// nil is end-of-file: the socket closed at exec, or with the child.
    private borrowing func receive(wait: Bool) throws(RuntimeError) -> Message? {
        let header = MemoryLayout<cinit_report>.size
        var bytes = [UInt8](repeating: 0, count: header + Int(CINIT_MAX_TEXT))
        var descriptor: Int32 = -1
        let count = cinit_receive(socket, &bytes, bytes.count, &descriptor, wait ? 1 : 0)
        if count < 0 { throw .lostChild("receive its report: \(Errno.current)") }
        if count == 0 { return nil }
        if count < header {
            if descriptor >= 0 { _ = Glibc.close(descriptor) }
            throw .lostChild("a report of \(count) bytes")
        }
        let report = bytes.withUnsafeBytes { $0.loadUnaligned(as: cinit_report.self) }
        return Message(
            report: report, text: String(decoding: bytes[header..<count], as: UTF8.self), descriptor: descriptor)
    }

    private static func openNamespace(_ path: String?) throws(RuntimeError) -> Int32 {
        guard let path else { return -1 }
        do throws(Errno) {
            return try File.open(path, O_RDONLY).release()
        } catch {
            throw .system(operation: "open namespace", subject: path, error)
        }
    }

    private static func start(
        _ plan: UnsafeMutableRawPointer, _ arguments: inout cinit_start_arguments, _ pidfd: inout Int32,
        _ cgroup: Cgroup?, _ monitor: inout StartingMonitor?
    ) throws(RuntimeError) -> pid_t {
        guard let cgroup else { return try clone(plan, &arguments, &pidfd, &monitor) }
        let join = try join(cgroup)
        arguments.cgroup = join.directory ?? -1
        try add(join.tasks, to: &arguments)
        let pid = try clone(plan, &arguments, &pidfd, &monitor)
        _ = consume join
        return pid
    }

    private static func clone(
        _ plan: UnsafeMutableRawPointer, _ arguments: inout cinit_start_arguments, _ pidfd: inout Int32,
        _ monitor: inout StartingMonitor?
    ) throws(RuntimeError) -> pid_t {
        try monitor?.start(plan, &arguments, &pidfd) ?? cinit_start(plan, &arguments, &pidfd)
    }

    private static func join(_ cgroup: Cgroup) throws(RuntimeError) -> CgroupJoin {
        do throws(CgroupError) {
            return try cgroup.join()
        } catch {
            throw .setup(step: "join cgroup \(cgroup.path)", detail: "\(error)", remedy: nil)
        }
    }

    private static func add(_ tasks: [Int32], to arguments: inout cinit_start_arguments) throws(RuntimeError) {
        if tasks.count > Int(CINIT_MAX_TASKS) {
            throw .invalid("\(tasks.count) cgroup hierarchies, and a launch joins at most \(Int(CINIT_MAX_TASKS))")
        }
        arguments.task_count = Int32(tasks.count)
        withUnsafeMutableBytes(of: &arguments.tasks) { bytes in
            tasks.withUnsafeBytes { bytes.copyMemory(from: $0) }
        }
    }
}

/// The pair over which parent and child talk.
private struct SocketEnds: ~Copyable {
    let child: OwnedFD
    let parent: OwnedFD

    init() throws(RuntimeError) {
        var ends: (Int32, Int32) = (-1, -1)
        if cinit_socket_pair(&ends.0, &ends.1) != 0 {
            throw .system(operation: "socketpair", subject: "for the container's process", Errno.current)
        }
        child = OwnedFD(adopting: ends.0)
        parent = OwnedFD(adopting: ends.1)
    }

    /// Closes the child's end, so that the child's death is end-of-file.
    consuming func keepParent() -> Int32 { parent.release() }
}

/// The container's first program, made for each launch: a container that holds its own open for writing, which the seals
/// do not prevent, must not make the next one's exec fail (ETXTBSY).
enum InitStub {
    static func make() throws(RuntimeError) -> OwnedFD {
        let made = cinit_make_stub()
        if made < 0 {
            throw .system(operation: "memfd_create", subject: "for the container's init", Errno(rawValue: -made))
        }
        return OwnedFD(adopting: made)
    }

    /// As a program, for who takes a path only.
    static func write(to path: String, mode: mode_t) throws(RuntimeError) {
        let image = try make()
        do throws(Errno) {
            let (parent, name) = Path.split(path)
            let directory = try Directory.open(parent)
            let bytes = try File.bytes(image.raw, at: 0, count: 1 << 16)
            try File.replace(name, in: directory.raw, with: bytes, mode: mode, durably: false)
        } catch {
            throw .system(operation: "write", subject: path, error)
        }
    }
}
