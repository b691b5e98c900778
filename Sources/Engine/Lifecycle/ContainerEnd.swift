internal import Cgroups
internal import Images
internal import Logs
internal import Sys

/// The recorded end of a container.
struct RecordedEnd: Sendable {
    var record: ContainerRecord
    var exitCode: Int32
    var warnings: [String] = []
    /// Nanoseconds until it is to be started again; nil: not.
    var restartDelay: Int64?
}

extension Engine {
    /// Records that the container's process has ended, and undoes what was made for it. nil when somebody else has done
    /// that. `known` and `expected` are its record and its entry as the caller has them. `keep` is that of `disconnect`, and
    /// `removed` that of `discard`. The entry stays for a container that is to be started again, and where something is left
    /// to clean up.
    func conclude(
        _ id: String, _ exit: Spawn.Exit, of process: LiveState.Process?, known: ContainerRecord? = nil,
        expected: LiveState? = nil, removed: RemovedContainers? = nil, keep: (Int32) -> Void
    ) throws(EngineError) -> RecordedEnd? {
        do throws(EngineError) {
            return try containers.locked(id) { () throws(EngineError) in
                guard let state = live.state(of: id, expected: expected), state.process == process else { return nil }
                // With --rm nothing of the record is needed but what was known before.
                if let known, known.autoRemove { return try conclude(known, exit, state, removed, keep) }
                return try conclude(try containers.load(id), exit, state, removed, keep)
            }
        } catch .noSuchContainer {
            // Removed by a command that did not wait for us any longer: what is left is ours to clear away.
            if let state = live.state(of: id), state.process == process {
                try removeCgroup(of: id)
                _ = leaveRuntime(id, state)
                try disconnect(id, state, keep: keep)
                try live.forget(id)
            }
            return nil
        }
    }

    private func conclude(
        _ before: ContainerRecord, _ exit: Spawn.Exit, _ state: LiveState, _ removed: RemovedContainers?,
        _ keep: (Int32) -> Void
    ) throws(EngineError) -> RecordedEnd {
        var record = before
        var end = RecordedEnd(record: record, exitCode: exit.code)
        let (oomKilled, problem) = try leaveCgroup(record.id)
        if let problem { end.warnings.append(problem) }
        if let left = leaveRuntime(record.id, state) { end.warnings.append(left) }
        if oomKilled { end.warnings.append(Engine.outOfMemory(record.request)) }
        let obstacle = leaveNetworks(record.id, state, keep)
        if let obstacle { end.warnings.append(obstacle) }
        let isStopped = live.isMarkedStopped(record.id)
        let goes = record.autoRemove && !(isStopped && live.isMarked(record.id, .kept))
        do throws(EngineError) {
            try settleRoot(of: record.id, state, goes: goes)
        } catch {
            end.warnings.append("\(error)")
        }
        end.restartDelay = restartDelay(record, exit, state, isStopped: isStopped)
        record.state.status = end.restartDelay == nil ? .exited : .restarting
        record.state.exitCode = exit.code
        record.state.oomKilled = oomKilled
        record.state.isStopped = isStopped
        record.state.startedAt = state.startedAt
        record.state.finishedAt = Clock.timestamp
        record.state.error = nil
        record.state.health = lastHealth(record)
        end.record = record
        if !goes { try containers.save(record, durably: !(isStopped && live.isMarked(record.id, .going))) }
        let events = endEvents(record, exitCode: exit.code, of: state.process)
        // What becomes of volumes comes in between.
        let isOneNote = goes && record.mounts.isEmpty
        if !isOneNote { eventLog.append(events) }
        if goes { try discard(record, into: removed, noting: isOneNote ? events : []) }
        if end.restartDelay == nil, problem == nil, obstacle == nil {
            // Before the lock: nothing of an entry is left without it.
            if record.state.health != nil { try live.forgetHealth(of: record.id) }
            try live.forget(record.id)
        }
        return end
    }

    /// Why it is on its networks still, if it is: then the entry stays, and the next command takes that up.
    private func leaveNetworks(_ id: String, _ state: LiveState, _ keep: (Int32) -> Void) -> String? {
        do throws(EngineError) {
            try disconnect(id, state, keep: keep)
            return nil
        } catch {
            return "\(error)"
        }
    }

    /// Whether the kernel killed for memory in it, and why the cgroup is still there, if it is.
    private func leaveCgroup(_ id: String) throws(EngineError) -> (oomKilled: Bool, problem: String?) {
        let group = try cgroups { () throws(CgroupError) in
            try cgroupManager(of: id).place(path: Engine.cgroupPath(id))
        }
        let kills = (try? group.oomKills()) ?? 0
        do throws(CgroupError) {
            // What shares the host's pid namespace outlives the first process.
            try group.end()
            return (kills > 0, nil)
        } catch {
            // The container has done its work: its exit code is what counts.
            return (kills > 0, "\(error)")
        }
    }

    private func restartDelay(
        _ record: ContainerRecord, _ exit: Spawn.Exit, _ state: LiveState, isStopped: Bool
    ) -> Int64? {
        let policy = record.request.lifecycle.restart
        let count = record.state.restartCount
        guard !isStopped, policy.asksForRestart(exitCode: exit.code, count: count) else { return nil }
        // Not by the times of the record: somebody may have set the clock meanwhile.
        let ranFor = state.process.map { ProcessStatus.age(startTime: $0.startTime) }
        return policy.delay(count: count, ranFor: ranFor ?? 0)
    }

    private static func outOfMemory(_ request: RunRequest) -> String {
        let limit = request.resources.memory.map { " of \($0) bytes (-m raises it)" } ?? ""
        return "the kernel killed a process of the container: out of memory, limit\(limit)"
    }
}

extension RestartPolicy {
    func asksForRestart(exitCode: Int32, count: Int) -> Bool {
        switch kind {
        case .no: false
        case .onFailure: exitCode != 0 && (maximum == 0 || count < maximum)
        case .always, .unlessStopped: true
        }
    }

    /// docker's: 100 ms, doubled with each restart up to a minute; from the start again after a run of ten seconds.
    func delay(count: Int, ranFor nanoseconds: Int64) -> Int64 {
        let first: Int64 = 100_000_000
        if nanoseconds >= 10_000_000_000 { return first }
        return min(60_000_000_000, first << Int64(min(count, 10)))
    }

    /// Of a start that has failed after this delay.
    static func next(after delay: Int64) -> Int64 { min(60_000_000_000, delay * 2) }
}

extension Spawn.Exit {
    /// As shells and docker count: 128 and the signal's number.
    var code: Int32 {
        switch self {
        case .code(let code): code
        case .signal(let signal): 128 + signal
        }
    }
}

/// Runs `body`; its failure becomes the engine's.
func cgroups<T>(_ body: () throws(CgroupError) -> T) throws(EngineError) -> T {
    do throws(CgroupError) {
        return try body()
    } catch {
        throw .cgroup(error)
    }
}
