internal import Cgroups
internal import Glibc
internal import Images
internal import Logs
internal import Sys

extension Engine {
    /// Cleans up after processes of ours that were killed: their containers' processes, cgroups and, where `--rm` was
    /// said, the containers themselves. Returns what could not be cleaned.
    ///
    /// - Parameters:
    ///   - patiently: whether a container that is just dying is waited for, some milliseconds.
    ///   - bound: how many entries are looked at, each time others; nil: all.
    @discardableResult
    package func sweep(patiently: Bool = true, bound: Int? = nil) -> [EngineError] {
        look(patiently: patiently, bound: bound).failures
    }

    /// The same; what is served was seen on the way.
    func look(patiently: Bool = true, bound: Int? = nil) -> (failures: [EngineError], served: [SeenEntry]) {
        do throws(EngineError) { try checkFormat(dataRoot) } catch { return ([error], []) }
        let failures = sweepAfterBoot()
        let seen = live.forEachDead(dataRoot: dataRoot, patiently: patiently, bound: bound) {
            id, state throws(EngineError) in
            try cleanUp(id, state)
        }
        return (failures + seen.failures, seen.served)
    }

    /// Cleans up after one container whose server died.
    private func cleanUp(_ id: String, _ state: LiveState?) throws(EngineError) {
        if let failure = state?.failure {
            notice(
                "the end of container \(id) (exit code \(failure.exitCode)) was not taken care of: \(failure.reason)"
            )
        }
        try removeCgroup(of: id)
        if let state, let problem = leaveRuntime(id, state) { notice("container \(id.prefix(12)): \(problem)") }
        let known = try? containers.load(id)
        // A command that was killed before it had made or started its container has promised nothing.
        let isHalfMade = state?.isNew == true && known?.state.status == .created
        let goes = known?.autoRemove ?? true || isHalfMade
        if let state { try disconnect(id, state) }
        if let state { try settleRoot(of: id, state, goes: goes) }
        guard let record = try recordOrRemains(id) else { return }
        for case .volume(let name) in record.mounts.map(\.kind) { try volumes.settleAside(name) }
        if record.autoRemove || isHalfMade {
            try discard(record)
            return
        }
        // One that was made before, and whose start did not come to its end, is as it was.
        guard state?.process != nil || record.state.isUnderWay else { return }
        // Its end is recorded; only something else of it was left.
        if record.state.status == .exited, record.state.startedAt == state?.startedAt { return }
        try recordLoss(record, state)
    }

    /// Clears away what a command that was killed left entered, also where another command is just doing that: its lock
    /// looks like somebody's who serves the container.
    func clearDead(_ id: String) {
        let end = Clock.monotonicNanoseconds + 5_000_000_000
        var attempts = 3
        while live.hasEntry(id), Clock.monotonicNanoseconds < end {
            if !live.isServed(id) {
                sweep()
                // Something is in the way of that, which whoever goes on will be told.
                attempts -= 1
                if attempts == 0 { return }
            } else if let state = live.state(of: id) {
                // A monitor's, or that of a command which is at work.
                if state.process != nil || Glibc.kill(state.pid, 0) == 0 { return }
            }
            usleep(2000)
        }
    }

    /// Records the end of a container that its monitor has not recorded.
    private func recordLoss(_ before: ContainerRecord, _ state: LiveState?) throws(EngineError) {
        var record = before
        record.state.status = .exited
        record.state.exitCode = state?.failure?.exitCode ?? 137
        record.state.startedAt = state?.startedAt ?? record.state.startedAt
        record.state.finishedAt = Clock.timestamp
        record.state.error =
            state?.failure.map { "its end could not be recorded at its time: \($0.reason)" } ?? "its monitor was killed"
        record.state.health = lastHealth(record)
        try containers.save(record)
        noteEnd(record, exitCode: record.state.exitCode ?? 137, of: state?.process)
    }

    /// Takes up the end of a container that is recorded as running and that nobody serves, whether or not it is entered:
    /// somebody may have emptied the run directory. False where something is in the way, and another look is for later.
    func settleLost(_ id: String) throws(EngineError) -> Bool {
        sweep()
        do throws(EngineError) {
            return try containers.locked(id) { () throws(EngineError) in
                let record = try containers.load(id)
                if !record.state.isUnderWay { return true }
                if live.hasEntry(id) { return live.isServed(id) }
                try recordLoss(record, nil)
                return true
            }
        } catch .noSuchContainer {
            return true
        }
    }

    /// The record of a container that nobody serves. nil where it can't be used: what was being made or removed when its
    /// command was killed is cleared away, and anything else, which may hold somebody's data, is left as it is.
    func recordOrRemains(_ id: String) throws(EngineError) -> ContainerRecord? {
        do throws(EngineError) {
            return try containers.load(id)
        } catch .system(let failure) where failure.errno != .noEntry {
            // Not told by the disk this time: looked after by another command.
            throw .system(failure)
        } catch {
            if containers.isRemains(id) { try containers.remove(id, name: nil) }
            return nil
        }
    }

    /// Removes all of a container: its processes, cgroup, layer, record and anonymous volumes. With `removed`, whoever has
    /// that syncs the containers' directory. `events` came before, and are noted with it whether or not it is removed.
    func discard(
        _ record: ContainerRecord, volumes removesVolumes: Bool = true, into removed: RemovedContainers? = nil,
        noting events: [Event] = []
    ) throws(EngineError) {
        var events = events
        defer { eventLog.append(events) }
        if removesVolumes { try removeAnonymousVolumes(record) }
        do throws(EngineError) {
            try removeFiles(of: record, into: removed)
        } catch .system(let failure) where failure.errno == .busy {
            // Somebody had its files mounted.
            try unmount(record, lazily: true)
            try containers.remove(record.id, name: record.name)
        }
        events.append(Engine.destruction(of: record))
        // Up to here the image was in use.
        images.noteUse(record.image)
    }

    /// One that goes by itself and has little is entered until nothing of it is left. Any other one goes at once: after a
    /// kill it is there whole, or not at all.
    private func removeFiles(of record: ContainerRecord, into given: RemovedContainers?) throws(EngineError) {
        let id = record.id
        let removed = given ?? RemovedContainers(images)
        let (layer, merged) = (try? File.status(containers.layer(id)), try? File.status(containers.merged(id)))
        let isMounted = merged.map { $0.device != layer?.device } ?? false
        if let given, record.autoRemove, !isMounted {
            // Also once more, by the way of those below.
            try containers.leaveName(of: id, record.name)
            if (try? images.removeEnded(id, directory: containers.directory(id), into: given)) != nil { return }
        }
        if record.autoRemove, !isMounted, try !containers.removeBriefly(layer: id) {
            // The rest of it takes long, and nobody waits for that.
        } else if record.autoRemove || isMounted {
            return try containers.remove(id, name: record.name)
        }
        guard (try? images.removeContainer(id, directory: containers.directory(id), into: removed)) != nil else {
            // Also on a full disk, where there is no place to move anything to.
            return try containers.remove(id, name: record.name)
        }
        if !record.autoRemove, given == nil { try containers.syncDirectory() }
        try containers.dropName(record.name, of: id)
        if given == nil { try store { () throws(StoreError) in try removed.delete() } }
    }

    func removeCgroup(of id: String) throws(EngineError) {
        try cgroups { () throws(CgroupError) in
            try cgroupManager(of: id).place(path: Engine.cgroupPath(id)).end()
        }
    }

    static func cgroupPath(_ id: String) -> String { "/runimg/\(id)" }
}
