internal import Glibc
internal import Images
internal import Runtime
internal import Supervisor
internal import Sys

extension Engine {
    /// Makes a container from an image and runs it. Attached, it returns the container's exit code: the process's own, or
    /// 128 and its signal's number; detached, it returns once the process has executed the command. Whatever a start that
    /// failed had made is undone.
    package func run(_ request: RunRequest, observer: (EngineEvent) -> Void) throws(EngineError) -> RunOutcome {
        if request.terminal, request.interactive, !request.detach, !request.dryRun, !Terminal.isTerminal(STDIN_FILENO) {
            throw .notATerminal
        }
        try checkStart(request)
        let timeline = request.timing == true ? try Timeline() : nil
        let request = meant(request)
        let (image, lease) = try obtain(request, observer: observer)
        timeline?.mark(.resolve)
        var record = try newRecord(request, image)
        var draft = try draft(record, image)
        timeline?.mark(.spec)
        if request.dryRun {
            observer(.plan("\(try plan(draft, streams: (-1, -1, -1)))"))
            return .ended(0)
        }
        // Until all is undone again: a second signal must not end us half-way through that.
        let attachment = try attachmentOptions(request)
        let signals = try call("watch signals for", record.shortID) { () throws(Errno) in try ForwardedSignals() }
        let options = StartOptions(
            attached: !request.detach, inputOnce: request.interactive && !request.detach, timeline: timeline,
            ahead: try StartAhead(self, draft, attached: !request.detach))
        var entry = try live.enter(record.id, dataRoot: dataRoot, isNew: true)
        let started: StartedContainer
        do throws(EngineError) {
            try make(&record, image)
            draft.record = record
            _ = consume lease
            try ContainerIDFile.write(record.id, to: request.containerIDFile)
            timeline?.mark(.store)
            started = try firstStart(draft, &entry, options)
        } catch {
            ContainerIDFile.remove(record.id, from: request.containerIDFile)
            if undo(record) { try? entry.leave() }
            throw error
        }
        sweepAside()
        defer { if let timeline { observer(.timing(timeline.spent)) } }
        if request.detach { return .detached(record.id) }
        return try attend(started, record, attachment, signals, timeline, observer)
    }

    /// The first start of a container that was just made.
    private func firstStart(
        _ draft: ContainerDraft, _ entry: inout LiveContainer, _ options: StartOptions
    ) throws(EngineError) -> StartedContainer {
        let request = draft.record.request
        // What ends with the machine is removed whatever its record says.
        if request.remove { return try launch(draft, &entry, options) }
        // Locked, or the end of one that ends at once would be recorded first, and lost.
        return try containers.locked(draft.record.id) { () throws(EngineError) in
            let started = try launch(draft, &entry, options)
            do throws(EngineError) {
                try recordStart(draft.record.id, started.state, durably: request.detach)
            } catch {
                // Without its starter the monitor kills the container, and is gone when nothing is left of it.
                try? Pidfd.send(SIGKILL, to: started.pidfd.raw)
                throw error
            }
            return started
        }
    }

    /// In the record as it is by now: the container may have another name.
    private func recordStart(_ id: String, _ state: LiveState, durably: Bool) throws(EngineError) {
        var record = try containers.load(id)
        record.state.status = .running
        record.state.startedAt = state.startedAt
        try containers.save(record, durably: false)
        if durably { try containers.sync(id) }
    }

    func attachmentOptions(_ request: RunRequest) throws(EngineError) -> Attachment.Options {
        var options = Attachment.Options()
        options.deliver = deliver
        options.hasTerminal = request.terminal
        options.input = request.interactive
        options.forwardsSignals = request.signalProxy
        if let attach = request.attach {
            options.input = request.interactive && attach.contains(.input)
            options.output = attach.contains(.output)
            options.error = attach.contains(.error)
        }
        options.detachKeys = try AttachOptions.keys(request.detachKeys)
        return options
    }

    /// Serves a container to the caller until it ends or the caller lets go of it.
    func attend(
        _ started: borrowing StartedContainer, _ record: ContainerRecord, _ options: Attachment.Options,
        _ signals: borrowing ForwardedSignals, _ timeline: Timeline?, _ observer: (EngineEvent) -> Void
    ) throws(EngineError) -> RunOutcome {
        let attachment = Attachment(started.connection, options)
        let outcome: Attachment.Outcome
        do throws(Errno) {
            outcome = try attachment.serve(signals, pidfd: started.pidfd.raw)
        } catch {
            throw .system(SystemFailure("serve", record.shortID, error))
        }
        switch outcome {
        case .ended(let exit):
            timeline?.mark(.container)
            defer { timeline?.mark(.cleanUp) }
            let removed = leavesFiles(record) ? RemovedContainers(images) : nil
            let end = try conclude(
                record.id, exit, of: started.state.process, known: record, expected: started.state,
                removed: removed, keep: attachment.keep)
            // Where the monitor doesn't delete them, they are deleted here.
            if attachment.conclude(end?.exitCode ?? exit.code, leftover: removed?.leftover) { removed?.leave() }
            for warning in end?.warnings ?? [] { observer(.warning(warning)) }
            return .ended(end?.exitCode ?? exit.code)
        case .recorded(let code): return .ended(code)
        case .detached:
            note("detach", record)
            return .detached(record.id)
        case .lost:
            sweep()
            throw .monitorDied(record.id)
        }
    }

    /// Whether the files of a container that goes by itself may be deleted behind its command: not where their room is
    /// wanted, nor where all processes end with the command.
    private func leavesFiles(_ record: ContainerRecord) -> Bool {
        record.autoRemove && getpid() != 1 && !images.isNearlyFull
    }

    /// So many entries a start looks at, each time others: it costs the same beside a thousand containers as beside ten.
    private static let sweptAside = 32

    /// Removes what dead processes of ours left, while the new container runs: its start does not wait for that.
    func sweepAside() {
        sweep(patiently: false, bound: Engine.sweptAside)
        images.cleanRemoved()
    }
}

/// How a command that started a container leaves it.
package enum RunOutcome: Sendable, Hashable {
    case ended(Int32)
    /// It runs on; its ID.
    case detached(String)
}
