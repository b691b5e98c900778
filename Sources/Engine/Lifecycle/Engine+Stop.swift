internal import Cgroups
internal import Glibc
internal import OCI
internal import Supervisor
internal import Sys

extension Engine {
    /// docker's patience with a container that is asked to stop, in seconds.
    static let stopTimeout = 10

    /// Asks a container to end, and kills it when it has not after `timeout` seconds (-1: never). Returns when its end is
    /// recorded. Nothing happens to one that does not run; one that waits for its next start stays where it is.
    package func stop(_ name: String, signal: String?, timeout: Int?) throws(EngineError) {
        try stop(name, signal: signal, timeout: timeout, mark: .stopped)
    }

    /// The same; `mark` says what comes then.
    func stop(_ name: String, signal: String?, timeout: Int?, mark: StopMark) throws(EngineError) {
        let record = try container(named: name)
        let number = try stopSignal(record, signal)
        let patience = timeout ?? record.request.lifecycle.stopTimeout ?? Engine.stopTimeout
        if try isSettledAfterMark(record.id) { return }
        guard let target = try runningTarget(record) else { return }
        try live.markStopped(record.id, mark)
        try send(number, to: target, record)
        note("kill", record, ["signal": "\(number)"])
        var isOver = false
        if number != SIGKILL { isOver = try target.awaitEnd(seconds: patience) }
        if !isOver {
            try send(SIGKILL, to: target, record)
            guard try awaitKilled(target, seconds: -1) else { throw .monitorDied(record.id) }
        }
        try forestallRestart(record)
        note("stop", record)
    }

    /// Sends a signal to the container's first process.
    package func kill(_ name: String, signal: String?) throws(EngineError) {
        let record = try container(named: name)
        let number = try parseSignal(signal ?? "KILL")
        guard let target = try runningTarget(record) else {
            throw .conflict("cannot kill container: \(name): container \(record.id) is not running")
        }
        let usual = try stopSignal(record, nil)
        let isEnd = number == SIGKILL || number == usual
        if isEnd { try live.markStopped(record.id) }
        try send(number, to: target, record)
        note("kill", record, ["signal": "\(number)"])
        // docker's scripts look at once whether it is gone.
        if number == SIGKILL {
            _ = try awaitKilled(target, seconds: Engine.stopTimeout)
            try forestallRestart(record)
        }
    }

    /// nil when it does not run.
    private func runningTarget(_ record: ContainerRecord) throws(EngineError) -> RunningTarget? {
        do throws(EngineError) {
            let process = try process(of: record)
            let connection = try? live.connect(record.id)
            return RunningTarget(id: record.id, process: process, connection: connection)
        } catch .notRunning {
            return nil
        }
    }

    /// A frozen container gets the signal once it runs again: here at once, so that a stop does what it says.
    private func send(
        _ signal: Int32, to target: borrowing RunningTarget, _ record: ContainerRecord
    ) throws(EngineError) {
        do throws(Errno) {
            try deliver(signal, target.process.pidfd.raw)
        } catch {
            if error != .noProcess { throw .system(SystemFailure("send signal \(signal) to", record.shortID, error)) }
        }
        guard signal == SIGKILL || live.isMarkedStopped(record.id) else { return }
        try cgroups { () throws(CgroupError) in
            try cgroupManager(of: record.id).open(path: Engine.cgroupPath(record.id))?.thaw()
        }
    }

    /// Waits for the end of a container that was sent SIGKILL. Its first process ends after all others of its pid
    /// namespace, and those of a frozen container only when that is thawed (cgroups v1).
    private func awaitKilled(_ target: borrowing RunningTarget, seconds: Int) throws(EngineError) -> Bool {
        if try target.awaitEnd(seconds: 1) { return true }
        for id in guests(of: target.id) {
            try cgroups { () throws(CgroupError) in
                try cgroupManager(of: id).open(path: Engine.cgroupPath(id))?.thaw()
            }
        }
        return try target.awaitEnd(seconds: seconds)
    }

    /// It may have ended by itself in the moment before it was marked, and wait for its next start now.
    private func forestallRestart(_ record: ContainerRecord) throws(EngineError) {
        if record.request.lifecycle.restart.kind == .no { return }
        do throws(EngineError) {
            if try !isSettledAfterMark(record.id) { try stop(record.id, signal: "KILL", timeout: nil) }
        } catch .noSuchContainer {
            return
        }
    }

    /// Sees a start or an end that is under way to its end, marked so that no restart follows. True when nothing runs
    /// then; a container that waits for its next start is among these, and stays where it is.
    private func isSettledAfterMark(_ id: String) throws(EngineError) -> Bool {
        let end = Clock.monotonicNanoseconds + Int64(Engine.stopTimeout) * 1_000_000_000
        while Clock.monotonicNanoseconds < end {
            let record = try container(named: id)
            switch condition(of: record) {
            case .created, .exited: return true
            case .running: return false
            case .restarting:
                try cancelRestart(record)
                return true
            case .starting, .ending:
                if let damage = live.damage(of: id) { throw damage }
                try live.markStopped(id)
                usleep(2000)
            }
        }
        return false
    }

    private func cancelRestart(_ record: ContainerRecord) throws(EngineError) {
        try live.markStopped(record.id)
        // The connection wakes whoever waits for the time of the next start.
        _ = try? live.connect(record.id)
        let end = Clock.monotonicNanoseconds + Int64(Engine.stopTimeout) * 1_000_000_000
        while live.isServed(record.id), Clock.monotonicNanoseconds < end {
            usleep(2000)
            // It may have been started in that very moment.
            if condition(of: record).isRunning { return try stop(record.id, signal: nil, timeout: nil) }
        }
    }

    func stopSignal(_ record: ContainerRecord, _ asked: String?) throws(EngineError) -> Int32 {
        try parseSignal(asked ?? record.request.process.stopSignal ?? record.execution.stopSignal ?? "TERM")
    }

    private func parseSignal(_ text: String) throws(EngineError) -> Int32 {
        guard let number = SignalNumber.parse(text) else { throw .invalid("Invalid signal: \(text)") }
        return number
    }
}

/// A running container that is to end.
private struct RunningTarget: ~Copyable {
    let id: String
    let process: ContainerProcess
    /// nil when its monitor is just leaving.
    let connection: MonitorConnection?

    /// Waits for the end and its record; false when `seconds` have passed before (-1: no limit).
    borrowing func awaitEnd(seconds: Int) throws(EngineError) -> Bool {
        let end = Clock.monotonicNanoseconds + Int64(seconds) * 1_000_000_000
        guard try awaitExit(until: seconds < 0 ? nil : end) else { return false }
        _ = try recordedEnd(seconds: 60)
        return true
    }

    private borrowing func awaitExit(until end: Int64?) throws(EngineError) -> Bool {
        while true {
            let rest = end.map { max(0, $0 - Clock.monotonicNanoseconds) / 1_000_000 + 1 }
            var items = [PollItem(process.pidfd.raw, .readable)]
            do throws(Errno) {
                let milliseconds = rest.map { Int32(clamping: min($0, 3_600_000)) } ?? -1
                if try PollItem.wait(&items, milliseconds: milliseconds) > 0 { return true }
            } catch {
                throw .system(SystemFailure("wait for", id, error))
            }
            if let end, Clock.monotonicNanoseconds >= end { return false }
        }
    }

    /// The exit code as it was recorded; nil when the time has passed or the monitor died without a record.
    borrowing func recordedEnd(seconds: Int) throws(EngineError) -> Int32? {
        guard let connection else { return nil }
        do throws(Errno) {
            return try connection.awaitEnd(milliseconds: seconds < 0 ? -1 : Int32(clamping: seconds * 1000))
        } catch {
            throw .system(SystemFailure("wait for the end of", id, error))
        }
    }
}
