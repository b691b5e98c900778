import Cgroups
import Glibc
import OCI
import Runtime
import Sys
import TestSupport
import Testing

/// A container in a cgroup of its own, for further processes; gone with the value.
final class RunningContainer {
    let fixture: ContainerFixture
    let spec: Spec
    let pid: pid_t
    let pidfd: OwnedFD
    let cgroup: Cgroup
    private let output: PipeEnds
    /// Printed behind the last line that was read to.
    private var unread: [UInt8] = []

    init(
        _ fixture: ContainerFixture, _ arguments: [String] = ["/bin/sleep", "1000"],
        _ change: (inout LaunchRequest) -> Void = { _ in }
    ) throws {
        let output = try PipeEnds()
        let cgroup = try CgroupManager.detect().create(path: "/runimg-\(fixture.id)", resources: Spec.Resources())
        let request = try fixture.request(arguments) { request in
            request.stdio = StandardIO(input: -1, output: output.writer, error: -1)
            request.spec.linux.cgroupsPath = cgroup.path
            change(&request)
        }
        let process: RunningProcess
        do {
            process = try Launcher.start(try Launcher.plan(request), cgroup: cgroup)
        } catch {
            try? cgroup.remove()
            throw error
        }
        output.closeWriter()
        spec = request.spec
        pid = process.pid
        pidfd = try process.pidfd.duplicate()
        self.fixture = fixture
        self.cgroup = cgroup
        self.output = output
    }

    deinit {
        try? Pidfd.send(SIGKILL, to: pidfd.raw)
        _ = try? Pidfd.wait(pidfd.raw)
        try? cgroup.remove()
    }

    /// What its first process has printed, up to a line of these words.
    func read(to end: String) throws -> String {
        var lines = ""
        while let line = try nextLine() {
            lines += line
            if line == "\(end)\n" { break }
        }
        return lines
    }

    /// nil at the end.
    private func nextLine() throws -> String? {
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            if let end = unread.firstIndex(of: UInt8(ascii: "\n")) {
                defer { unread.removeFirst(end + 1) }
                return String(decoding: unread[...end], as: UTF8.self)
            }
            let count = try chunk.withUnsafeMutableBytes { try File.read(output.reader.raw, into: $0) }
            if count == 0 { return nil }
            unread += chunk[..<count]
        }
    }

    /// Ends it, and returns what it had still printed.
    func end() throws -> String {
        try Pidfd.send(SIGKILL, to: pidfd.raw)
        unread += try output.readAll()
        return String(decoding: unread, as: UTF8.self)
    }

    /// As the engine makes it: all that the first process was given, but the command.
    func request(_ arguments: [String], _ change: (inout ExecRequest) -> Void = { _ in }) -> ExecRequest {
        var request = ExecRequest(id: fixture.id, process: spec.process, seccomp: spec.linux.seccomp)
        request.process.args = arguments
        request.joinsUserNamespace = spec.linux.namespaces.contains { $0.type == .user }
        request.joinsTimeNamespace = spec.linux.namespaces.contains { $0.type == .time }
        // Threads of a test process come and go.
        request.diesWithParent = false
        change(&request)
        return request
    }

    func start(
        _ arguments: [String], _ change: (inout ExecRequest) -> Void = { _ in }
    ) throws -> RunningProcess {
        try Launcher.start(
            try Launcher.plan(request(arguments, change)), cgroup: cgroup, joining: [pidfd.raw])
    }

    /// Runs a further process to its end, with pipes for output and error and nothing to read.
    func exec(
        _ arguments: [String], _ change: (inout ExecRequest) -> Void = { _ in }
    ) throws -> ContainerResult {
        let output = try PipeEnds()
        let errors = try PipeEnds()
        let process = try start(arguments) { request in
            request.stdio = StandardIO(input: -1, output: output.writer, error: errors.writer)
            change(&request)
        }
        let text = try output.readAll()
        let errorText = try errors.readAll()
        let exit = try Pidfd.wait(process.pidfd.raw)
        return ContainerResult(
            exit: exit, output: String(decoding: text, as: UTF8.self),
            errors: String(decoding: errorText, as: UTF8.self))
    }

    func shell(_ script: String, _ change: (inout ExecRequest) -> Void = { _ in }) throws -> ContainerResult {
        try exec(["/bin/sh", "-c", script], change)
    }

    /// The error that a start must end with.
    func failure(
        _ arguments: [String], _ change: (inout ExecRequest) -> Void = { _ in }
    ) throws -> RuntimeError {
        do {
            let result = try exec(arguments, change)
            Issue.record("started: \(result)")
            throw RuntimeError.lostChild("started")
        } catch let error as RuntimeError {
            return error
        }
    }
}
