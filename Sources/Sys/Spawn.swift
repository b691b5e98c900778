internal import CLinux
internal import Glibc

/// Another program started by posix_spawn(3), with nothing inherited but what is named here.
package enum Spawn {
    /// Starts `executable`, or else `arguments[0]`, a path, with three descriptors of ours as its 0, 1 and 2, and `further` as 3 and so on;
    /// returns the child's pid. The child starts with no signal blocked and default actions, with `session` in a session of
    /// its own.
    package static func start(
        _ arguments: [String], executable: String? = nil, environment: [String], input: Int32, output: Int32,
        error: Int32,
        further: [Int32] = [], session: Bool = false
    ) throws(Errno) -> Int32 {
        // Out of the way of the numbers that the child gets.
        let copies = Descriptors()
        for descriptor in further { try copies.add(descriptor, above: 3 + further.count) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for (child, parent) in [(Int32(0), input), (1, output), (2, error)] {
            posix_spawn_file_actions_adddup2(&actions, parent, child)
        }
        for (index, copy) in copies.all.enumerated() {
            posix_spawn_file_actions_adddup2(&actions, copy, 3 + Int32(index))
        }
        clinux_spawn_close_from(&actions, 3 + Int32(further.count))
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = SignalSet().raw
        var all = SignalSet.all.raw
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        let flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | (session ? POSIX_SPAWN_SETSID : 0)
        posix_spawnattr_setflags(&attributes, Int16(flags))

        var argv = arguments.map { strdup($0) } + [nil]
        var envp = environment.map { strdup($0) } + [nil]
        defer { for text in argv + envp { free(text) } }
        var pid: Int32 = 0
        let status = posix_spawn(&pid, executable ?? arguments[0], &actions, &attributes, &argv, &envp)
        if status != 0 { throw Errno(rawValue: status) }
        return pid
    }

    /// Copies that are closed together.
    private final class Descriptors {
        private(set) var all: [Int32] = []

        func add(_ descriptor: Int32, above lowest: Int) throws(Errno) {
            all.append(try check { clinux_fcntl(descriptor, F_DUPFD_CLOEXEC, lowest) })
        }

        deinit { for descriptor in all { _ = OwnedFD(adopting: descriptor) } }
    }

    /// How a child ended.
    package enum Exit: Sendable, Hashable {
        case code(Int32)
        case signal(Int32)

        /// As wait(2) tells it.
        package init(waitStatus status: Int32) {
            self = status & 0x7f == 0 ? .code((status >> 8) & 0xff) : .signal(status & 0x7f)
        }
    }

    /// Waits for the child `pid` (waitpid(2)).
    package static func wait(_ pid: Int32) throws(Errno) -> Exit {
        var status: Int32 = 0
        try check { waitpid(pid, &status, 0) }
        return Exit(waitStatus: status)
    }
}

/// The processes below this one.
package enum ChildProcesses {
    /// From now on a process whose parent ends becomes ours (prctl(2), PR_SET_CHILD_SUBREAPER).
    package static func takeInOrphans() throws(Errno) {
        try check { clinux_prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) }
    }
}

/// The process's own environment.
package enum Environment {
    package static subscript(name: String) -> String? {
        guard let value = getenv(name) else { return nil }
        return String(cString: value)
    }

    /// All `NAME=value` strings.
    package static var all: [String] {
        var result: [String] = []
        guard var entry = clinux_environment() else { return [] }
        while let text = entry.pointee {
            result.append(String(cString: text))
            entry += 1
        }
        return result
    }

    /// The same by name; entries without a value's mark are left out.
    package static var dictionary: [String: String] {
        var result: [String: String] = [:]
        for entry in all {
            guard let mark = entry.firstIndex(of: "=") else { continue }
            result[String(entry[..<mark])] = String(entry[entry.index(after: mark)...])
        }
        return result
    }
}
