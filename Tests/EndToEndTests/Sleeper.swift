internal import Cgroups
internal import Glibc
internal import Sys
internal import TestSupport
import Testing

/// A container that runs detached and is removed with the value.
final class Sleeper: Sendable {
    let runimg: Runimg
    let name = "sleeper-\(Random.hex(bytes: 6))"
    let id: String
    /// A file for what an exec says.
    var output: String { runimg.scratch(name) }

    init(
        _ flags: [String] = [], _ command: [String] = ["sleep", "1000"], runimg other: Runimg? = nil,
        image: String? = nil
    ) throws {
        let engine = try EndToEnd.engine
        runimg = other ?? engine.runimg
        let output = try runimg.run(["run", "-d", "--name", name] + flags + [image ?? engine.image] + command)
        guard output.status == 0, let id = output.lines.last else { throw Tool.Failure(output: output) }
        self.id = id
    }

    deinit { _ = try? runimg.run(["rm", "-f", name]) }

    func exec(
        _ command: [String], flags: [String] = [], input: String = "", timeout: Double = 60
    ) throws -> Tool.Output {
        try runimg.run(["exec"] + flags + [name] + command, input: Array(input.utf8), timeout: timeout)
    }

    @discardableResult
    func check(_ command: [String], flags: [String] = []) throws -> Tool.Output {
        let output = try exec(command, flags: flags)
        guard output.status == 0 else { throw Tool.Failure(output: output) }
        return output
    }

    func lines(_ command: [String], _ flags: [String] = []) throws -> [String] {
        try check(command, flags: flags).lines
    }

    /// An exec that runs on, with its output in a file.
    func start(_ command: [String], flags: [String] = [], to path: String) throws -> ChildProcess {
        let output = try File.open(path, O_WRONLY | O_CREAT | O_TRUNC, mode: 0o644)
        let line = runimg.command(["exec"] + flags + [name] + command)
        return try ChildProcess(
            line[0], Array(line.dropFirst()), environment: Tool.baseEnvironment, output: .descriptor(output.raw))
    }

    func said(_ path: String) -> String { String(decoding: (try? File.readAll(path)) ?? [], as: UTF8.self) }

    /// A file of the container's that its first process is just writing, once that is done.
    func awaited(_ path: String) throws -> String {
        var last = ""
        _ = Wait.until(seconds: 20) {
            guard let next = try? check(["cat", path]).stdout else { return false }
            defer { last = next }
            return !next.isEmpty && next == last && isSleeping
        }
        return last
    }

    private var isSleeping: Bool {
        (try? processes().contains { pid in
            (try? File.readAll("/proc/\(pid)/cmdline", limit: 100))?.starts(with: "sleep".utf8) == true
        }) == true
    }

    /// As the host numbers them, the first process first.
    func processes() throws -> [Int32] { try cgroup().processes().sorted() }

    func isAlone() throws -> Bool { try processes().count == 1 }

    func paused<T>(_ body: () throws -> T) throws -> T {
        let cgroup = try cgroup()
        try cgroup.freeze()
        defer { try? cgroup.thaw() }
        return try body()
    }

    private func cgroup() throws -> Cgroup {
        try #require(try CgroupManager.detect().open(path: "/runimg/\(id)"))
    }
}
