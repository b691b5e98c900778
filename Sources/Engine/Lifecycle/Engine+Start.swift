internal import Glibc
internal import Supervisor
internal import Sys

extension Engine {
    /// Starts a container that does not run; nothing happens to one that does.
    package func start(_ name: String) throws(EngineError) {
        let found = try container(named: name)
        _ = try startLocked(found.id, StartOptions())
        sweepAside()
    }

    /// Starts a container and serves it to the caller to its end, as `run` does; joins one that runs already.
    package func startAttached(
        _ name: String, input: Bool, options: AttachOptions, observer: (EngineEvent) -> Void
    ) throws(EngineError) -> RunOutcome {
        let found = try container(named: name)
        if condition(of: found).isRunning { return try attach(name, input: input, options: options) }
        var attachment = try attachmentOptions(found.request)
        attachment.input = input && found.request.interactive
        attachment.forwardsSignals = options.signalProxy
        attachment.detachKeys = try options.keys()
        let signals = try call("watch signals for", found.shortID) { () throws(Errno) in try ForwardedSignals() }
        let start = StartOptions(attached: true, inputOnce: attachment.input)
        guard let begun = try startLocked(found.id, start) else {
            return try attach(name, input: input, options: options)
        }
        sweepAside()
        return try attend(begun.started, begun.record, attachment, signals, nil, observer)
    }

    /// Connects the caller with a running container.
    package func attach(
        _ name: String, input: Bool, options: AttachOptions
    ) throws(EngineError) -> RunOutcome {
        let record = try container(named: name)
        switch condition(of: record) {
        case .running:
            if isPaused(record.id) { throw .conflict("You cannot attach to a paused container, unpause it first") }
        case .restarting:
            throw .conflict("You cannot attach to a restarting container, wait until it is running")
        default: throw .conflict("You cannot attach to a stopped container, start it first")
        }
        var attachment = try attachmentOptions(record.request)
        attachment.input = input && record.request.interactive
        attachment.forwardsSignals = options.signalProxy
        attachment.detachKeys = try options.keys()
        attachment.output = true
        attachment.error = true
        attachment.redraws = true
        let process = try process(of: record)
        do throws(Errno) {
            let signals = try ForwardedSignals()
            let connection = try live.connect(record.id)
            try connection.subscribe(output: true, input: attachment.input)
            note("attach", record)
            switch try Attachment(connection, attachment).serve(signals, pidfd: process.pidfd.raw) {
            case .recorded(let code): return .ended(code)
            case .ended(let exit): return .ended(exit.code)
            case .detached:
                note("detach", record)
                return .detached(record.id)
            case .lost: break
            }
        } catch {
            throw .system(SystemFailure("attach to", record.shortID, error))
        }
        if condition(of: record).isRunning {
            throw .conflict("its output was not read for too long; container \(record.id) runs on without us")
        }
        sweep()
        throw .monitorDied(record.id)
    }

    /// Starts the container with its lock held; nil when it runs.
    private func startLocked(_ id: String, _ options: StartOptions) throws(EngineError) -> StartedRecord? {
        // Its last server may have been killed: what that left is in the way.
        clearDead(id)
        let patience = Clock.monotonicNanoseconds + Int64(Engine.stopTimeout) * 1_000_000_000
        while true {
            var isEnding = false
            let started = try containers.locked(id) { () throws(EngineError) in
                // Whoever records its end needs the lock for that.
                isEnding = try condition(of: containers.load(id)) == .ending && Clock.monotonicNanoseconds < patience
                return isEnding ? nil : try startHolding(id, options)
            }
            if !isEnding { return started }
            usleep(2000)
        }
    }

    private func startHolding(_ id: String, _ options: StartOptions) throws(EngineError) -> StartedRecord? {
        var record = try containers.load(id)
        switch condition(of: record) {
        case .running, .starting, .restarting:
            if isPaused(record.id) { throw .conflict("cannot start a paused container, try unpause instead") }
            return nil
        case .created, .exited, .ending: break
        }
        let image = try image(of: record)
        var draft = try draft(record, image)
        draft.mounted = try mountedPath(of: id)
        try awaitLeft(id)
        var entry = try live.enter(id, dataRoot: dataRoot, isNew: false)
        do throws(EngineError) {
            try containers.renewWork(id)
            try tidyLeft(id, isOurs: true)
            let started = try launch(draft, &entry, options)
            record.state.status = .running
            record.state.startedAt = started.state.startedAt
            record.state.finishedAt = nil
            record.state.error = nil
            record.state.health = nil
            record.state.isStopped = false
            record.state.restartCount = 0
            try containers.save(record, durably: record.request.lifecycle.restart.kind != .no)
            return StartedRecord(started: started, record: record)
        } catch {
            try recordFailure(error, record)
            try? entry.leave()
            throw error
        }
    }

    /// docker keeps the reason why a start failed, and its exit code.
    private func recordFailure(_ error: EngineError, _ waiting: ContainerRecord) throws(EngineError) {
        var record = waiting
        record.state.error = "\(error)"
        record.state.exitCode = error.exitCode ?? 128
        try containers.save(record)
    }

    /// One whose end is recorded may still be entered for some microseconds.
    private func awaitLeft(_ id: String) throws(EngineError) {
        let end = Clock.monotonicNanoseconds + 5_000_000_000
        while live.hasEntry(id), Clock.monotonicNanoseconds < end { usleep(1000) }
    }
}

/// A container that was started, and what its record says now.
struct StartedRecord: ~Copyable {
    let started: StartedContainer
    let record: ContainerRecord
}

/// What a command that joins a container was asked.
package struct AttachOptions: Sendable {
    package var signalProxy = true
    /// nil: docker's.
    package var detachKeys: String?

    package init() {}

    func keys() throws(EngineError) -> DetachKeys { try AttachOptions.keys(detachKeys) }

    /// What `--detach-keys` says; docker's keys for nil.
    static func keys(_ text: String?) throws(EngineError) -> DetachKeys {
        guard let text else { return DetachKeys(DetachKeys.standard) }
        do throws(DetachKeys.InvalidKeys) {
            return try DetachKeys(parsing: text)
        } catch {
            throw .invalid("\(error)")
        }
    }
}
