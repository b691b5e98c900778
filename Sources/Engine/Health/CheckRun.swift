internal import Cgroups
internal import Glibc
internal import OCI
internal import Runtime
internal import Sys

/// One run of a health check's command in the container, as `exec` runs one: with the container's user, environment,
/// capabilities and limits.
struct CheckRun {
    let engine: Engine
    let record: ContainerRecord
    let check: HealthCheck

    /// docker's.
    private static let maximumOutput = 4096

    /// nil when the container's processes can't be joined any more.
    func result(in target: borrowing ContainerProcess) throws(EngineError) -> ContainerHealth.Result? {
        let start = Clock.timestamp
        func result(_ code: Int32, _ output: String) -> ContainerHealth.Result {
            ContainerHealth.Result(start: start, end: Clock.timestamp, exitCode: code, output: output)
        }
        guard let cgroup = try engine.openCgroup(of: record.id) else { return nil }
        let pipe = try call("make a pipe for a check of", record.shortID) { () throws(Errno) in try Pipe() }
        let process: RunningProcess
        do throws(EngineError) {
            var options = ExecOptions()
            options.command = check.command
            var request = try engine.execRequest(record, target, options)
            request.process.terminal = false
            request.stdio = StandardIO(output: pipe.writer.raw, error: pipe.writer.raw)
            process = try engine.startBeside(target, request, cgroup, record)
        } catch .notRunning {
            return nil
        } catch {
            return result(-1, "\(error)")
        }
        let reader = pipe.keepReader()
        let (exit, output) = try collect(process, reader)
        guard let exit else {
            let seconds = Double(check.timeout) / 1e9
            let limit = seconds == seconds.rounded() ? "\(Int64(seconds))s" : "\(seconds)s"
            return result(-1, "Health check exceeded timeout (\(limit))" + (output.isEmpty ? "" : ": \(output)"))
        }
        return result(exit.code, output)
    }

    /// The process's end, nil when its time ran out and it was killed, and the beginning of what it wrote.
    private func collect(
        _ process: borrowing RunningProcess, _ reader: borrowing OwnedFD
    ) throws(EngineError) -> (Spawn.Exit?, String) {
        var output = CheckOutput(limit: CheckRun.maximumOutput)
        do throws(Errno) {
            let fd = reader.raw
            try Sys.check { fcntl(fd, F_SETFL, O_NONBLOCK) }
            let end = Clock.monotonicNanoseconds.addingReportingOverflow(check.timeout)
            let deadline = end.overflow ? Int64.max : end.partialValue
            let hasEnded = try awaitEnd(process.pidfd.raw, fd, until: deadline, &output)
            // With its session: nothing that it started stays to pile up in the container.
            if !hasEnded { engine.isEmulated ? try engine.deliver(SIGKILL, process.pidfd.raw) : kill(process) }
            let exit = try Pidfd.wait(process.pidfd.raw)
            // What was written before the end; a process that goes on in the background is not waited for.
            for _ in 0..<16 where output.take(from: fd) {}
            return (hasEnded ? exit : nil, output.text)
        } catch {
            throw .system(SystemFailure("serve a health check of", record.shortID, error))
        }
    }

    private func kill(_ process: borrowing RunningProcess) { _ = Glibc.kill(-process.pid, SIGKILL) }

    /// Whether the process ended in time.
    private func awaitEnd(
        _ pidfd: Int32, _ fd: Int32, until deadline: Int64, _ output: inout CheckOutput
    ) throws(Errno) -> Bool {
        var items = [PollItem(pidfd, .readable), PollItem(fd, .readable)]
        while true {
            let rest = deadline - Clock.monotonicNanoseconds
            if rest <= 0 { return false }
            try PollItem.wait(&items, milliseconds: Int32(clamping: rest / 1_000_000 + 1))
            if !items[0].ready.isEmpty { return true }
            if !items[1].ready.isEmpty, !output.take(from: fd) { items[1].fd = -1 }
        }
    }
}

/// The beginning of what a check writes.
private struct CheckOutput {
    private let limit: Int
    private var bytes: [UInt8] = []
    private var isCut = false

    init(limit: Int) { self.limit = limit }

    var text: String { String(decoding: bytes, as: UTF8.self) + (isCut ? "..." : "") }

    /// Reads once; false at the end, or when there is nothing to read.
    mutating func take(from fd: Int32) -> Bool {
        var chunk = [UInt8](repeating: 0, count: 4096)
        let count = read(fd, &chunk, chunk.count)
        if count <= 0 { return false }
        let room = limit - bytes.count
        bytes += chunk[..<min(count, room)]
        if count > room { isCut = true }
        return true
    }
}
