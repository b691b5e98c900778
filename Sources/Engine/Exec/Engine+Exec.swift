internal import Cgroups
internal import Glibc
internal import OCI
internal import Runtime
internal import Supervisor
internal import Sys

extension Engine {
    /// Runs a further process in a running container. Attached, it serves the caller until the process ends, which dies
    /// with the caller, and returns its exit code; detached, it returns 0 once the command has been executed. What keeps
    /// the command from starting has docker's exit codes: 127 for what is not there, 126 for the rest.
    package func exec(_ name: String, _ options: ExecOptions) throws(EngineError) -> Int32 {
        var attach = AttachOptions()
        attach.detachKeys = options.detachKeys
        _ = try attach.keys()
        let record = try container(named: name)
        let process = try execTarget(record, name)
        let cgroup = try execCgroup(record, name)
        let request = try Engine.starting { () throws(EngineError) in try execRequest(record, process, options) }
        let execID = Random.hex(bytes: 32)
        noteExec(record, options.command, exec: execID)
        if options.detach {
            try startDetached(request, cgroup, process)
            return 0
        }
        let code = try serve(request, cgroup, process, interactive: options.interactive, record)
        note("exec_die", record, ["execID": execID, "exitCode": "\(code)"])
        return code
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
        try cgroups { () throws(CgroupError) in try CgroupManager.detect().open(path: Engine.cgroupPath(id)) }
    }

    private func startDetached(
        _ asked: ExecRequest, _ cgroup: Cgroup, _ target: borrowing ContainerProcess
    ) throws(EngineError) {
        var request = asked
        request.stdio = StandardIO()
        let process = try launch(request, cgroup, target)
        if process.terminalNumber < 0 { return }
        // A terminal whose other side is gone hangs its processes up, and one that nobody reads stops them.
        let terminal = process.terminalNumber
        try call("keep the terminal of a process in", request.id) { () throws(Errno) in
            try Terminal.drainAside(terminal)
        }
    }

    private func serve(
        _ asked: ExecRequest, _ cgroup: Cgroup, _ target: borrowing ContainerProcess, interactive: Bool,
        _ record: ContainerRecord
    ) throws(EngineError) -> Int32 {
        var request = asked
        let foreground = try call("watch signals for", record.shortID) { () throws(Errno) in try Foreground() }
        if request.process.terminal {
            let process = try launch(request, cgroup, target)
            return try Engine.serve(process, interactive: interactive, foreground, record)
        }
        let streams = try call("make pipes for", record.shortID) { () throws(Errno) in
            try ContainerStreams(interactive: interactive)
        }
        let ends = streams.containerEnds
        request.stdio = StandardIO(input: ends.input, output: ends.output, error: ends.error)
        let process = try launch(request, cgroup, target)
        return try Engine.serve(process, streams.keepOurs(), foreground, record)
    }

    private func launch(
        _ request: ExecRequest, _ cgroup: Cgroup, _ target: borrowing ContainerProcess
    ) throws(EngineError) -> RunningProcess {
        let pidfd = target.pidfd.raw
        do throws(RuntimeError) {
            return try Launcher.start(try Launcher.plan(request), cgroup: cgroup, joining: [pidfd])
        } catch {
            throw .runtime(error.exitCode == 125 ? .commandNotExecutable("\(error)") : error)
        }
    }

    private static func serve(
        _ process: borrowing RunningProcess, interactive: Bool, _ foreground: borrowing Foreground,
        _ record: ContainerRecord
    ) throws(EngineError) -> Int32 {
        do throws(Errno) {
            return try foreground.serve(
                pidfd: process.pidfd.raw, terminal: process.terminalNumber, interactive: interactive, afterExit: {}
            ).code
        } catch {
            throw .system(SystemFailure("serve", record.shortID, error))
        }
    }

    private static func serve(
        _ process: borrowing RunningProcess, _ streams: consuming AttachedStreams,
        _ foreground: borrowing Foreground, _ record: ContainerRecord
    ) throws(EngineError) -> Int32 {
        do throws(Errno) {
            return try foreground.serve(pidfd: process.pidfd.raw, streams: streams, afterExit: {}).code
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
