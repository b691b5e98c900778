internal import Glibc
internal import OCI
internal import Supervisor
internal import Sys

/// The containers that a process of ours is serving, a command or a monitor: `/run/runimg/ID`, locked for as long as that
/// process lives. A
/// directory whose lock is free belongs to one that died; all roots share this directory, so each names its own.
struct LiveContainers: Sendable {
    static let defaultDirectory = "/run/runimg"

    let directory: String

    /// Bytes; each published port takes about a hundred.
    private static let longestState = 4 << 20

    /// How long a start that was killed is waited for, seconds.
    private static let patience = 5.0

    /// Enters a container and takes its lock.
    func enter(_ id: String, dataRoot: String, isNew: Bool) throws(EngineError) -> LiveContainer {
        let state = LiveState(dataRoot: dataRoot, pid: getpid(), isNew: isNew)
        let bytes = FieldWriter.line(state)
        try system { () throws(SystemFailure) in try Directory.makePath(directory, mode: 0o700) }
        let path = "\(directory)/\(id)"
        while true {
            do throws(Errno) {
                try Directory.make(path, mode: 0o700)
                let entry = try Directory.open(path)
                let lock = try FileLock("lock", in: entry.raw)
                try LiveContainers.write(bytes, in: entry.raw)
                return LiveContainer(path: path, directory: entry, lock: lock.keep(), state: state)
            } catch .noEntry {
                // A sweep took the directory for a dead one's before it was locked.
                continue
            } catch .exists {
                throw .conflict("container \(id) is being started or stopped by another command")
            } catch {
                throw .system(SystemFailure("enter", path, error))
            }
        }
    }

    /// The entry whose lock this process was given by the monitor that it takes the place of.
    func takeOver(_ id: String, lock: consuming OwnedFD) throws(EngineError) -> LiveContainer {
        let path = "\(directory)/\(id)"
        let entry = try call("open", path) { () throws(Errno) in try Directory.open(path) }
        guard let state = LiveContainers.state(in: entry.raw) else { throw damage(of: id) ?? .noSuchContainer(id) }
        return LiveContainer(path: path, directory: entry, lock: lock, state: state)
    }

    /// What the entry says; nil without one that can be read. One that still says what is `expected` is only compared.
    func state(of id: String, expected: LiveState? = nil) -> LiveState? {
        let path = "\(directory)/\(id)/state.json"
        guard let bytes = try? File.readAll(path, limit: LiveContainers.longestState) else { return nil }
        if let expected, FieldWriter.line(expected) == bytes { return expected }
        return LiveContainers.decode(bytes)
    }

    /// What is wrong with an entry that is there and can't be read; nil where nothing is.
    func damage(of id: String) -> EngineError? {
        let path = "\(directory)/\(id)/state.json"
        guard let bytes = try? File.readAll(path, limit: LiveContainers.longestState),
            LiveContainers.decode(bytes) == nil
        else { return nil }
        let version = (try? JSONValue(parsing: bytes))?["version"]?.integer ?? 1
        if version > Int64(LiveState.currentVersion) { return .newer(path: path, version: Int(version)) }
        return .damaged(
            path: path, reason: bytes.isEmpty ? "it is empty" : "it is not a container's state",
            remedy: "`runimg rm -f \(id.prefix(12))` kills and removes the container; copy out what you need first")
    }

    /// Replaces what the entry says; for who holds the container's lock.
    func update(_ id: String, _ state: LiveState) throws(EngineError) {
        let bytes = FieldWriter.line(state)
        try call("write the state of", "\(directory)/\(id)") { () throws(Errno) in
            let entry = try Directory.open("\(directory)/\(id)")
            try LiveContainers.write(bytes, in: entry.raw)
        }
    }

    /// A connection with the monitor that serves the container.
    func connect(_ id: String) throws(Errno) -> MonitorConnection {
        let entry = try Directory.open("\(directory)/\(id)")
        return try MonitorConnection(directory: entry.raw)
    }

    /// The run directory of a container that is served.
    func path(of id: String) -> String { "\(directory)/\(id)" }

    func forget(_ id: String) throws(EngineError) { try LiveContainers.forget("\(directory)/\(id)") }

    /// Tells whoever serves the container that its next end is a command's doing, and what comes then.
    func markStopped(_ id: String, _ mark: StopMark = .stopped) throws(EngineError) {
        let path = "\(directory)/\(id)/\(LiveContainer.stopMark)"
        do throws(Errno) {
            let file = try File.open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, mode: 0o600)
            if mark != .stopped { try File.write(file.raw, mark.rawValue) }
            _ = consume file
        } catch {
            // It ended meanwhile.
            if error != .noEntry { throw .system(SystemFailure("create", path, error)) }
        }
    }

    func isMarkedStopped(_ id: String) -> Bool { File.exists("\(directory)/\(id)/\(LiveContainer.stopMark)") }

    func isMarked(_ id: String, _ mark: StopMark) -> Bool {
        (try? File.readAll("\(directory)/\(id)/\(LiveContainer.stopMark)", limit: 16)) == Array(mark.rawValue.utf8)
    }

    /// What an entry holds as a rule, and what it may hold besides; the lock last.
    private static let usualNames = ["state.json", MonitorConnection.socketName, LiveContainer.stopMark, "lock"]
    private static let allNames = ["state.new", healthName, newHealthName] + usualNames

    /// Removes an entry, its lock last.
    static func forget(_ path: String) throws(EngineError) {
        try call("remove", path) { () throws(Errno) in
            // Whoever looks at the entry in this moment may put a mark or a lock into it once more.
            for round in 0..<100 {
                // By name, so no walk.
                for name in round == 0 ? LiveContainers.usualNames : LiveContainers.allNames {
                    do throws(Errno) { try File.unlink("\(path)/\(name)") } catch {
                        if error != .noEntry { throw error }
                    }
                }
                if round > 0 { try removeNetwork(path) }
                do throws(Errno) {
                    return try Directory.remove(path)
                } catch .notEmpty {
                    continue
                } catch {
                    if error == .noEntry { return }
                    throw error
                }
            }
        }
    }

    /// Takes away what a network lives by, where it is there.
    static func removeNetwork(_ path: String) throws(Errno) {
        // Of a container on networks of CNI's its namespace is mounted there.
        try? DetachedMount.unmount("\(path)/\(LiveContainer.networkMark)", lazily: true)
        do throws(Errno) {
            try File.unlink("\(path)/\(LiveContainer.networkMark)")
        } catch {
            if error != .noEntry { throw error }
        }
        do throws(Errno) {
            try Directory.remove("\(path)/\(LiveContainer.networkDirectory)")
        } catch {
            if error != .noEntry { throw error }
        }
    }

    /// The containers that have an entry.
    func entered() -> Set<String> {
        Set(((try? Directory.entries(directory)) ?? []).map(\.name).filter(ResourceName.isContainerID))
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
    /// `body` has cleaned it up, then forgotten. Failures are collected: one must not keep the rest. Returns what else was
    /// seen as well.
    func forEachDead(
        dataRoot: String, patiently: Bool, bound: Int?, _ body: (String, LiveState?) throws(EngineError) -> Void
    ) -> (failures: [EngineError], served: [SeenEntry]) {
        var failures: [EngineError] = []
        var served: [SeenEntry] = []
        for entry in survey(dataRoot: dataRoot, patiently: patiently, bound: bound) {
            switch entry.standing {
            case .served: served.append(entry)
            case .foreign: continue
            // Whoever is just making it makes it anew.
            case .empty: try? Directory.remove("\(directory)/\(entry.id)")
            case .dead:
                do throws(EngineError) {
                    try sweep(entry.id, dataRoot: dataRoot, patiently: patiently, body)
                } catch {
                    failures.append(error)
                }
            }
        }
        return (failures, served)
    }

    private func sweep(
        _ id: String, dataRoot: String, patiently: Bool, _ body: (String, LiveState?) throws(EngineError) -> Void
    ) throws(EngineError) {
        let path = "\(directory)/\(id)"
        // Looked at before the lock is tried: two roots' sweeps must not keep each other from their own.
        guard let entry = try? Directory.open(path) else { return }
        let before = LiveContainers.state(in: entry.raw)
        if isForeign(before, dataRoot) { return }
        // A monitor is known by the process that it serves; who made the entry has long gone then.
        let starter = before?.process == nil ? before?.pid : nil
        guard let lock = takeLock(in: entry.raw, server: patiently ? starter : nil) else { return }
        // Made but not described when we looked, and taken by now.
        let state = LiveContainers.state(in: entry.raw)
        if isForeign(state, dataRoot) { return }
        try body(id, state)
        try call("remove", path) { () throws(Errno) in try Directory.removeTree(path) }
        _ = consume lock
    }

    /// What the entry in a run directory says, of whichever root it is.
    static func state(at path: String) -> LiveState? {
        guard let bytes = try? File.readAll("\(path)/state.json", limit: longestState) else { return nil }
        return decode(bytes)
    }

    private static func state(in entry: Int32) -> LiveState? {
        guard let bytes = try? File.readAll("state.json", at: entry, limit: longestState) else { return nil }
        return decode(bytes)
    }

    private static func decode(_ bytes: [UInt8]) -> LiveState? {
        guard let state = try? LiveState(reading: bytes), state.version ?? 1 <= LiveState.currentVersion
        else { return nil }
        return state
    }

    /// Whole at any moment for whoever reads; gone with the machine, so not synced.
    static func write(_ state: [UInt8], in entry: Int32) throws(Errno) {
        let file = try File.open("state.new", O_WRONLY | O_CREAT | O_TRUNC, mode: 0o600, at: entry)
        try File.write(file.raw, state)
        try file.close()
        try File.rename("state.new", at: entry, to: "state.json", at: entry)
    }

    /// Whether the entry says that it belongs to another data root, which is there to clean up itself.
    private func isForeign(_ state: LiveState?, _ dataRoot: String) -> Bool {
        guard let state else { return false }
        return state.dataRoot != dataRoot && File.exists(state.dataRoot)
    }
}

extension LiveContainers {
    /// The lock, if its holder is gone. A command that was killed in a start leaves it for a moment to the monitor, which
    /// sees that and gives up: with `server`, who began the start, that is waited for.
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
