internal import FoundationEssentials
internal import Glibc
internal import Sys

/// The containers that a process of ours is serving: `/run/runimg/ID`, locked for as long as that process lives. A
/// directory whose lock is free belongs to one that died; all roots share this directory, so each names its own.
struct LiveContainers: Sendable {
    static let defaultDirectory = "/run/runimg"

    let directory: String

    private struct State: Codable {
        var dataRoot: String
        /// Who serves the container.
        var pid: Int32
    }

    /// How long a server's dying container is waited for.
    private static let patience = 5.0

    /// Enters a container and takes its lock.
    func enter(_ id: String, dataRoot: String) throws(EngineError) -> LiveContainer {
        let bytes: [UInt8]
        do {
            bytes = Array(try JSONEncoder().encode(State(dataRoot: dataRoot, pid: getpid())))
        } catch {
            throw .invalid("cannot write the state of container \(id): \(error)")
        }
        try system { () throws(SystemFailure) in try Directory.makePath(directory, mode: 0o700) }
        let path = "\(directory)/\(id)"
        while true {
            do throws(Errno) {
                try Directory.make(path, mode: 0o700)
                let entry = try Directory.open(path)
                let lock = try FileLock("lock", in: entry.raw)
                let file = try File.open("state.json", O_WRONLY | O_CREAT | O_TRUNC, mode: 0o600, at: entry.raw)
                try File.write(file.raw, bytes)
                return LiveContainer(path: path, lock: lock)
            } catch .noEntry {
                // A sweep took the directory for a dead one's before it was locked.
                continue
            } catch {
                throw .system(SystemFailure("enter", path, error))
            }
        }
    }

    /// Whether a process of ours serves the container or died while it did, and nobody has cleaned up yet.
    func hasEntry(_ id: String) -> Bool { File.exists("\(directory)/\(id)") }

    /// Whether a process of ours serves the container now.
    func isServed(_ id: String) -> Bool {
        guard let entry = try? Directory.open("\(directory)/\(id)") else { return false }
        do throws(Errno) {
            guard let lock = try FileLock.attempt("lock", in: entry.raw, mode: .shared) else { return true }
            _ = consume lock
            return false
        } catch {
            return false
        }
    }

    /// The containers of `dataRoot`, or of no root that is there, whose server died; each is locked by us until
    /// `body` has cleaned it up, then forgotten. Failures are collected: one must not keep the rest.
    func forEachDead(
        dataRoot: String, patiently: Bool, _ body: (String) throws(EngineError) -> Void
    ) -> [EngineError] {
        guard let entries = try? Directory.entries(directory) else { return [] }
        var failures: [EngineError] = []
        for entry in entries where ResourceName.isContainerID(entry.name) {
            do throws(EngineError) {
                try sweep(entry.name, dataRoot: dataRoot, patiently: patiently, body)
            } catch {
                failures.append(error)
            }
        }
        return failures
    }

    private func sweep(
        _ id: String, dataRoot: String, patiently: Bool, _ body: (String) throws(EngineError) -> Void
    ) throws(EngineError) {
        let path = "\(directory)/\(id)"
        // Looked at before the lock is tried: two roots' sweeps must not keep each other from their own.
        guard let entry = try? Directory.open(path) else { return }
        let before = state(in: entry.raw)
        if isForeign(before, dataRoot) { return }
        guard let lock = takeLock(in: entry.raw, server: patiently ? before?.pid : nil) else { return }
        // Made but not described when we looked, and taken by now.
        if isForeign(state(in: entry.raw), dataRoot) { return }
        try body(id)
        try call("remove", path) { () throws(Errno) in try Directory.removeTree(path) }
        _ = consume lock
    }

    private func state(in entry: Int32) -> State? {
        guard let bytes = try? File.readAll("state.json", at: entry, limit: 1 << 16) else { return nil }
        return try? JSONDecoder().decode(State.self, from: Data(bytes))
    }

    /// Whether the entry says that it belongs to another data root, which is there to clean up itself.
    private func isForeign(_ state: State?, _ dataRoot: String) -> Bool {
        guard let state else { return false }
        return state.dataRoot != dataRoot && File.exists(state.dataRoot)
    }
}

extension LiveContainers {
    /// The lock, if its holder is gone. A server that was killed leaves it for a moment to the container's first
    /// process, which inherited the descriptor and dies with its parent: with `server` that is waited for.
    private func takeLock(in directory: Int32, server: Int32?) -> FileLock? {
        let end = Clock.monotonicNanoseconds + Int64(LiveContainers.patience * 1e9)
        while true {
            do throws(Errno) {
                if let lock = try FileLock.attempt("lock", in: directory) { return lock }
            } catch {
                return nil
            }
            guard let server, kill(server, 0) != 0, Errno.current == .noProcess,
                Clock.monotonicNanoseconds < end
            else { return nil }
            usleep(5000)
        }
    }
}

/// One container that this process serves.
struct LiveContainer: ~Copyable {
    private let path: String
    private let lock: FileLock

    init(path: String, lock: consuming FileLock) {
        self.path = path
        self.lock = lock
    }

    /// Forgets the container, once nothing of it is left to clean up.
    consuming func leave() throws(EngineError) {
        let path = path
        try call("remove", path) { () throws(Errno) in
            // Three entries at most, so no walk.
            try File.unlink(path + "/state.json")
            try File.unlink(path + "/lock")
            do throws(Errno) {
                try Directory.remove(path)
            } catch {
                // A sweep came upon the nameless rest just now, and removes it itself.
                if error != .notEmpty, error != .noEntry { throw error }
            }
        }
    }
}
