internal import CUserNamespace
internal import Glibc
internal import Sys

/// The one user namespace of a user, and the process that holds it open. Commands and monitors hold the lock
/// `userns.lock` shared; the keeper waits for it alone, and leaves when it gets it. Who it is stands in `userns.state`.
struct NamespaceKeeper: ~Copyable {
    private static let lockName = "userns.lock"
    private static let makingName = "userns.making"
    private static let stateName = "userns.state"

    private let run: OwnedFD
    private let user: UInt32

    /// `runDirectory` is the user's own.
    init(runDirectory: String, user: UInt32) throws(EngineError) {
        run = try call("open", runDirectory) { () throws(Errno) in try Directory.open(runDirectory) }
        self.user = user
    }

    /// Enters the namespace, which is made where there is none, and returns the lock that keeps it. The process must have
    /// one thread.
    func enter() throws(EngineError) -> OwnedFD {
        let directory = run.raw
        let lock = try call("lock", Self.lockName) { () throws(Errno) in
            // A keeper that leaves has it until it has left.
            try FileLock(Self.lockName, in: directory, mode: .shared).keep()
        }
        if let state = State.read(in: directory), state.join(keeperOnly: true, user: user) { return lock }
        let making = try call("lock", Self.makingName) { () throws(Errno) in
            try FileLock(Self.makingName, in: directory)
        }
        if let state = State.read(in: directory) {
            if state.join(keeperOnly: true, user: user) { return lock }
            // The keeper was killed, and what it kept may live on in others.
            if !state.join(keeperOnly: false, user: user) { try NamespaceMaker.make(user: user) }
        } else {
            try NamespaceMaker.make(user: user)
        }
        try startKeeper()
        _ = consume making
        return lock
    }

    private func startKeeper() throws(EngineError) {
        let directory = run.raw
        let new = "\(Self.stateName).new"
        try call("start", "the keeper of the user namespace") { () throws(Errno) in
            // Another open file than ours: locks belong to those.
            let lock = try File.open(Self.lockName, O_RDWR | O_NOFOLLOW, at: directory)
            let file = try File.open(new, O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW, mode: 0o600, at: directory)
            let pid = try check { cuserns_start_keeper(lock.raw, file.raw) }
            _ = consume lock
            guard let start = ProcessStatus.startTime(pid) else { throw .noProcess }
            let user = try File.status("/proc/self/ns/user", follow: true)
            let mounts = try File.status("/proc/self/ns/mnt", follow: true)
            try File.write(file.raw, "\(pid) \(start) \(user.inode) \(mounts.inode)\n")
            _ = consume file
            try File.rename(new, at: directory, to: Self.stateName, at: directory)
        }
    }

    /// What `userns.state` says.
    private struct State {
        var pid: Int32
        var startTime: UInt64
        var userNamespace: UInt64
        var mountNamespace: UInt64

        /// nil where there is no keeper.
        static func read(in directory: Int32) -> State? {
            guard let file = try? File.open(NamespaceKeeper.stateName, O_RDONLY | O_NOFOLLOW, at: directory),
                let bytes = try? File.readAll(file.raw, limit: 256)
            else { return nil }
            let words = String(decoding: bytes, as: UTF8.self).split { $0 == " " || $0 == "\n" }
            guard words.count == 4, let pid = Int32(words[0]), let start = UInt64(words[1]),
                let user = UInt64(words[2]), let mounts = UInt64(words[3])
            else { return nil }
            return State(pid: pid, startTime: start, userNamespace: user, mountNamespace: mounts)
        }

        /// Whether the process is in the namespaces now: by way of the keeper, or of any process that is in them.
        func join(keeperOnly: Bool, user: UInt32) -> Bool {
            if keeperOnly { return ProcessStatus.startTime(pid) == startTime && join(by: pid, user) }
            let processes = ((try? Directory.entries("/proc")) ?? []).compactMap { Int32($0.name) }
            return processes.contains { join(by: $0, user) }
        }

        /// By what the descriptors are, since a number may have passed on to another process.
        private func join(by process: Int32, _ user: UInt32) -> Bool {
            guard let namespace = try? File.open("/proc/\(process)/ns/user", O_RDONLY),
                (try? File.status(namespace.raw))?.inode == userNamespace,
                IDMap.read("/proc/\(process)/uid_map").first.map({ $0.inside == 0 && $0.outside == user }) ?? false
            else { return false }
            if let mounts = try? File.open("/proc/\(process)/ns/mnt", O_RDONLY),
                (try? File.status(mounts.raw))?.inode == mountNamespace
            {
                return cuserns_join(namespace.raw, mounts.raw) == 0
            }
            // A container's process has mounts of its own.
            return cuserns_join(namespace.raw, -1) == 0 && cuserns_unshare_mounts() == 0
        }
    }
}
