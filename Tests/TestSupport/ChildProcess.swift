internal import CLinux
internal import Glibc
package import Sys

/// A program that a test started: in a process group of its own, with only the descriptors it was given, killed with
/// its group when the owner goes away.
package struct ChildProcess: ~Copyable {
    package let pid: Int32
    private let handle: OwnedFD
    private var result: ExitResult?

    package enum ExitResult: Sendable, Hashable {
        case exited(Int32)
        case signaled(Int32)
    }

    /// Where one of the three standard descriptors leads.
    package enum Stream {
        case null
        /// A descriptor of the caller's, who keeps it.
        case descriptor(Int32)
    }

    /// Starts `path`. `controllingTerminal` makes a session of its own and opens that name as descriptors 0 to 2, which
    /// gives the session its terminal (tty_ioctl(4)).
    package init(
        _ path: String, _ arguments: [String], environment: [String: String], directory: String? = nil,
        input: Stream = .null, output: Stream = .null, errors: Stream = .null, controllingTerminal: String? = nil
    ) throws {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        if let controllingTerminal {
            posix_spawn_file_actions_addopen(&actions, 0, controllingTerminal, O_RDWR, 0)
            posix_spawn_file_actions_adddup2(&actions, 0, 1)
            posix_spawn_file_actions_adddup2(&actions, 0, 2)
        } else {
            for (number, stream) in [input, output, errors].enumerated() {
                switch stream {
                case .null: posix_spawn_file_actions_addopen(&actions, Int32(number), "/dev/null", O_RDWR, 0)
                case .descriptor(let fd): posix_spawn_file_actions_adddup2(&actions, fd, Int32(number))
                }
            }
        }
        if let directory { posix_spawn_file_actions_addchdir_np(&actions, directory) }
        posix_spawn_file_actions_addclosefrom_np(&actions, 3)

        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        var all = sigset_t()
        sigfillset(&all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setpgroup(&attributes, 0)
        // POSIX_SPAWN_SETSID is 0x80; a session leader is the leader of its group as well.
        let group = controllingTerminal == nil ? Int32(POSIX_SPAWN_SETPGROUP) : 0x80
        let flags = group | Int32(POSIX_SPAWN_SETSIGMASK) | Int32(POSIX_SPAWN_SETSIGDEF)
        posix_spawnattr_setflags(&attributes, Int16(flags))

        var child: pid_t = 0
        let status = ChildProcess.withCStrings([path] + arguments) { argv in
            ChildProcess.withCStrings(environment.map { "\($0.key)=\($0.value)" }.sorted()) { envp in
                posix_spawn(&child, path, &actions, &attributes, argv, envp)
            }
        }
        if status != 0 { throw SystemFailure("spawn", path, Errno(rawValue: status)) }
        let descriptor = try check { clinux_pidfd_open(child, 0) }
        pid = child
        handle = OwnedFD(adopting: descriptor)
        result = nil
    }

    deinit {
        if result != nil { return }
        Glibc.kill(-pid, SIGKILL)
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0, Glibc.errno == EINTR {}
    }

    /// A descriptor that polls readable when the process has ended.
    package var exitDescriptor: Int32 { handle.raw }

    package func signal(_ number: Int32) throws(Errno) {
        let fd = handle.raw
        try check { clinux_pidfd_send_signal(fd, number) }
    }

    /// Sends to every process of the group.
    package func signalGroup(_ number: Int32) {
        Glibc.kill(-pid, number)
    }

    /// Waits at most `seconds`; nil when the process still runs then.
    package mutating func wait(seconds: Double) throws -> ExitResult? {
        if let result { return result }
        var poller = pollfd(fd: handle.raw, events: Int16(POLLIN), revents: 0)
        let ready = try check { poll(&poller, 1, Int32(max(0, Wait.bound(seconds)) * 1000)) }
        return ready == 0 ? nil : try reap()
    }

    /// Ends the group, politely at first.
    @discardableResult
    package mutating func stop(graceSeconds: Double = 3) throws -> ExitResult {
        if let result { return result }
        signalGroup(SIGTERM)
        if let result = try wait(seconds: graceSeconds) { return result }
        signalGroup(SIGKILL)
        return try reap()
    }

    /// Kills without a word, as a power cut would.
    @discardableResult
    package mutating func kill() throws -> ExitResult {
        if let result { return result }
        signalGroup(SIGKILL)
        return try reap()
    }

    private mutating func reap() throws -> ExitResult {
        var status: Int32 = 0
        let child = pid
        try check { waitpid(child, &status, 0) }
        let result: ExitResult = status & 0x7f == 0 ? .exited((status >> 8) & 0xff) : .signaled(status & 0x7f)
        self.result = result
        return result
    }

    private static func withCStrings<R>(
        _ strings: [String], _ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> R
    ) -> R {
        var pointers: [UnsafeMutablePointer<CChar>?] = strings.map { strdup($0) }
        pointers.append(nil)
        defer { for pointer in pointers { free(pointer) } }
        return pointers.withUnsafeMutableBufferPointer { buffer in
            // An array with at least the final nil has a base address.
            guard let base = buffer.baseAddress else { preconditionFailure("empty argument vector") }
            return body(base)
        }
    }
}
