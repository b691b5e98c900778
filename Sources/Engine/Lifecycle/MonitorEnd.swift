internal import Glibc
internal import Images
internal import Supervisor
internal import Sys

extension Engine {
    /// The end of a container whose monitor became this process: recorded, told to who waits for it, and where its policy
    /// says so followed by the next start.
    package func concludeForMonitor(_ id: String) throws(EngineError) {
        guard let legacy = MonitorLegacy.take(), ResourceName.isContainerID(id) else {
            throw .invalid("this command is the monitor's")
        }
        // A terminal's or a service manager's signals are not for us, as they were not for the monitor.
        SignalSet([SIGHUP, SIGINT, SIGTERM, SIGQUIT, SIGPIPE]).block()
        var entry = try live.takeOver(id, lock: MonitorLegacy.lock)
        do throws(EngineError) {
            let end = try conclude(id, legacy.exit, of: entry.state.process) { socket in
                // Open until our end, for which nobody waits.
                _ = fcntl(socket, F_DUPFD_CLOEXEC, 0)
            }
            legacy.tellEnd(end?.exitCode ?? legacy.exit.code)
            guard let end, var delay = end.restartDelay else { return }
            // The container whose namespaces it shares may start again later than it would itself.
            while try restart(end.record, &entry, after: delay, legacy) { delay = RestartPolicy.next(after: delay) }
            legacy.closeListener()
        } catch {
            // Nobody reads what we print: the next command finds the entry, says this and takes it up.
            let failure = LiveState.Failure(exitCode: legacy.exit.code, reason: "\(error)")
            do throws(EngineError) { try entry.record(failure) } catch {
                // Without the entry it is settled: somebody removed the container.
                if live.hasEntry(id) { KernelLog.write("runimg: container \(id): \(failure.reason); \(error)") }
            }
            throw error
        }
    }

    /// True when it is to be tried again.
    private func restart(
        _ record: ContainerRecord, _ entry: inout LiveContainer, after delay: Int64, _ legacy: MonitorLegacy
    ) throws(EngineError) -> Bool {
        do throws(EngineError) {
            if waitToRestart(record.id, delay, legacy) {
                do throws(EngineError) {
                    try startAgain(record.id, &entry)
                } catch .cannotJoin(let reason) {
                    return try awaitsOwner(record.id, reason)
                } catch .noSuchContainer(let id) where id == record.id {
                    throw .noSuchContainer(id)
                } catch {
                    try endRestarts(record.id, error: "\(error)")
                }
            } else {
                try endRestarts(record.id, error: nil)
            }
        } catch .noSuchContainer {
            // Removed meanwhile.
            try live.forget(record.id)
        }
        return false
    }

    /// A start that failed for want of another container counts as one: whether the policy asks for one more.
    private func awaitsOwner(_ id: String, _ reason: String) throws(EngineError) -> Bool {
        try containers.locked(id) { () throws(EngineError) in
            var record = try containers.load(id)
            record.state.restartCount += 1
            let policy = record.request.lifecycle.restart
            guard !live.isMarkedStopped(id),
                policy.asksForRestart(exitCode: record.state.exitCode ?? 1, count: record.state.restartCount)
            else {
                try endRestarts(record, error: reason)
                return false
            }
            record.state.error = reason
            try containers.save(record, durably: false)
            return true
        }
    }

    /// False when a command stops the container meanwhile; it wakes us by connecting.
    private func waitToRestart(_ id: String, _ delay: Int64, _ legacy: MonitorLegacy) -> Bool {
        let end = Clock.monotonicNanoseconds + delay
        while !live.isMarkedStopped(id) {
            let rest = end - Clock.monotonicNanoseconds
            if rest <= 0 { return true }
            _ = legacy.awaitCaller(milliseconds: Int32(clamping: rest / 1_000_000 + 1))
        }
        return false
    }

    private func startAgain(_ id: String, _ entry: inout LiveContainer) throws(EngineError) {
        try containers.locked(id) { () throws(EngineError) in
            var record = try containers.load(id)
            if live.isMarkedStopped(id) { return try endRestarts(record, error: nil) }
            record.state.restartCount += 1
            var draft = try draft(record, try image(of: record))
            draft.mounted = try mountedPath(of: id)
            try tidyLeft(id, isOurs: true)
            let started = try launch(draft, &entry, StartOptions())
            record.state.status = .running
            record.state.startedAt = started.state.startedAt
            try containers.save(record, durably: false)
        }
    }

    private func endRestarts(_ id: String, error: String?) throws(EngineError) {
        try containers.locked(id) { () throws(EngineError) in
            try endRestarts(try containers.load(id), error: error)
        }
    }

    private func endRestarts(_ waiting: ContainerRecord, error: String?) throws(EngineError) {
        var record = waiting
        record.state.status = .exited
        record.state.isStopped = error == nil
        record.state.error = error
        try containers.save(record)
        try live.forget(record.id)
    }
}
