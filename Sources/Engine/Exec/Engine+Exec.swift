internal import Cgroups
internal import Glibc
internal import OCI
internal import Runtime
internal import Supervisor
internal import Sys

extension Engine {
    /// Runs a further process in a running container. Attached, it serves the caller until the process ends, which dies
    /// with the caller, or the user lets go of it; detached, it returns once the command has been executed. What keeps
    /// the command from starting has docker's exit codes: 127 for what is not there, 126 for the rest.
    package func exec(_ name: String, _ options: ExecOptions) throws(EngineError) -> RunOutcome {
        let keys = try AttachOptions.keys(options.detachKeys)
        let record = try container(named: name)
        let process = try execTarget(record, name)
        let cgroup = try execCgroup(record, name)
        let request = try Engine.starting { () throws(EngineError) in try execRequest(record, process, options) }
        let execID = Random.hex(bytes: 32)
        noteExec(record, options.command, exec: execID)
        if options.detach {
            try startDetached(request, cgroup, process, record)
            return .ended(0)
        }
        switch try serve(request, cgroup, process, interactive: options.interactive, keys, record) {
        case .ended(let exit):
            note("exec_die", record, ["execID": execID, "exitCode": "\(exit.code)"])
            return .ended(exit.code)
        case .detached:
            note("exec_detach", record, ["execID": execID])
            return .detached(record.id)
        }
    }

    private func execTarget(_ record: ContainerRecord, _ name: String) throws(EngineError) -> ContainerProcess {
        do throws(EngineError) {
            return try process(of: record)
        } catch .notRunning where condition(of: record) == .restarting {
            throw .conflict("container \(name) is restarting, wait until the container is running")
        }
    }

    /// The cgroup that the process is to be in. In a frozen one it would not even begin to run.
    private func execCgroup(_ record: ContainerRecord, _ name: String) throws(EngineError) -> Cgroup {
        guard let found = try openCgroup(of: record.id) else { throw .notRunning(record.id) }
        let isFrozen = try cgroups { () throws(CgroupError) in try found.isFrozen() }
        if isFrozen { throw .conflict("container \(name) is paused, unpause the container before exec") }
        return found
    }

    /// nil for a container that does not run.
    func openCgroup(of id: String) throws(EngineError) -> Cgroup? {
        try cgroups { () throws(CgroupError) in try cgroupManager(of: id).open(path: Engine.cgroupPath(id)) }
    }

    private func startDetached(
        _ asked: ExecRequest, _ cgroup: Cgroup, _ target: borrowing ContainerProcess, _ record: ContainerRecord
    ) throws(EngineError) {
        var request = asked
        request.stdio = StandardIO()
        let process = try launch(request, cgroup, target, record)
        if process.terminalNumber >= 0 { try leave(process, request.id) }
    }

    /// A terminal whose other side is gone hangs its processes up, and one that nobody reads stops them.
    private func leave(_ process: borrowing RunningProcess, _ id: String) throws(EngineError) {
        let terminal = process.terminalNumber
        try call("keep the terminal of a process in", id) { () throws(Errno) in try Terminal.drainAside(terminal) }
    }

    private func serve(
        _ asked: ExecRequest, _ cgroup: Cgroup, _ target: borrowing ContainerProcess, interactive: Bool,
        _ keys: DetachKeys, _ record: ContainerRecord
    ) throws(EngineError) -> Foreground.Outcome {
        var request = asked
        let deliver = deliver
        let foreground = try call("watch signals for", record.shortID) { () throws(Errno) in
            try Foreground(deliver: deliver)
        }
        if request.process.terminal {
            let process = try launch(request, cgroup, target, record)
            let outcome = try Engine.serve(process, interactive: interactive, keys, foreground, record)
            if case .detached = outcome { try leave(process, record.id) }
            return outcome
        }
        let streams = try call("make pipes for", record.shortID) { () throws(Errno) in
            try ContainerStreams(interactive: interactive)
        }
        let ends = streams.containerEnds
        request.stdio = StandardIO(input: ends.input, output: ends.output, error: ends.error)
        let process = try launch(request, cgroup, target, record)
        return try Engine.serve(process, streams.keepOurs(), foreground, record)
    }

    private func launch(
        _ request: ExecRequest, _ cgroup: Cgroup, _ target: borrowing ContainerProcess, _ record: ContainerRecord
    ) throws(EngineError) -> RunningProcess {
        do throws(EngineError) {
            return try startBeside(target, request, cgroup, record)
        } catch .runtime(let error) {
            throw .runtime(error.exitCode == 125 ? .commandNotExecutable("\(error)") : error)
        }
    }

    /// Starts a further process of the container whose first is `target`.
    func startBeside(
        _ target: borrowing ContainerProcess, _ request: ExecRequest, _ cgroup: Cgroup, _ record: ContainerRecord
    ) throws(EngineError) -> RunningProcess {
        if isEmulated {
            let plan = try emulatedPlan(request, record)
            return try runtime { () throws(RuntimeError) in try Launcher.start(plan, cgroup: cgroup) }
        }
        if let other = externalRuntime(of: record) { return try startBeside(other, request) }
        let pidfd = target.pidfd.raw
        return try runtime { () throws(RuntimeError) in
            try Launcher.start(try Launcher.plan(request), cgroup: cgroup, joining: [pidfd])
        }
    }

    private static func serve(
        _ process: borrowing RunningProcess, interactive: Bool, _ keys: DetachKeys,
        _ foreground: borrowing Foreground, _ record: ContainerRecord
    ) throws(EngineError) -> Foreground.Outcome {
        do throws(Errno) {
            return try foreground.serve(
                pidfd: process.pidfd.raw, terminal: process.terminalNumber, interactive: interactive, detachKeys: keys)
        } catch {
            throw .system(SystemFailure("serve", record.shortID, error))
        }
    }

    private static func serve(
        _ process: borrowing RunningProcess, _ streams: consuming AttachedStreams,
        _ foreground: borrowing Foreground, _ record: ContainerRecord
    ) throws(EngineError) -> Foreground.Outcome {
        do throws(Errno) {
            return try foreground.serve(pidfd: process.pidfd.raw, streams: streams)
        } catch {
            throw .system(SystemFailure("serve", record.shortID, error))
        }
    }

    /// A user that is not there, a directory that is not absolute: the command can't be executed.
    private static func starting<T>(_ body: () throws(EngineError) -> T) throws(EngineError) -> T {
        do throws(EngineError) {
            return try body()
        } catch .invalid(let text) {
            throw .runtime(.commandNotExecutable(text))
        }
    }
}
