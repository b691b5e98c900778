internal import Glibc
package import OCI
internal import Sys

/// A container of a bench: its bundle, and what is done with it.
package final class OCIContainer: Sendable {
    package let bench: OCIBench
    package let id: String
    package let bundle: String
    package let config: OCIConfig
    /// Its control group below each hierarchy.
    package let cgroup: String

    package var rootfs: String { "\(bundle)/rootfs" }

    private static let applets = (try? Tool.check("/bin/busybox", ["--list"]).lines) ?? []

    init(_ bench: OCIBench, id: String, cgroup: String, _ change: (inout OCIConfig) throws -> Void) throws {
        self.bench = bench
        self.id = id
        self.cgroup = cgroup
        bundle = try bench.scratch.directory(id)
        try OCIContainer.makeRoot(bench.scratch, "\(id)/rootfs")
        var config = OCIConfig(cgroup: cgroup)
        try change(&config)
        self.config = config
        try write(config)
    }

    /// Busybox with all its commands, users, and the directories that mounts want.
    package static func makeRoot(_ scratch: Scratch, _ name: String) throws {
        for directory in ["bin", "dev", "etc", "proc", "root", "run", "sys", "tmp"] {
            try scratch.directory("\(name)/\(directory)")
        }
        try check { chmod(scratch("\(name)/tmp"), 0o1777) }
        try scratch.file("\(name)/bin/busybox", try File.readAll("/bin/busybox"), mode: 0o755)
        for applet in applets where applet != "busybox" {
            try File.symlink("busybox", scratch("\(name)/bin/\(applet)"))
        }
        try scratch.file("\(name)/etc/passwd", "root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000::/:/bin/sh\n")
        try scratch.file("\(name)/etc/group", "root:x:0:\nuser:x:1000:\nmore:x:2000:user\n")
    }

    package func write(_ config: OCIConfig) throws { try write(config.document.written) }
    package func write(_ text: String) throws { try bench.scratch.file("\(id)/config.json", text) }

    /// Puts a file into the root file system.
    package func file(_ name: String, _ text: String, mode: UInt32 = 0o644) throws {
        try bench.scratch.file("\(id)/rootfs/\(name)", text, mode: mode)
    }

    /// Gives the tree to the user that is root of a user namespace.
    package func give(to owner: Int = 100_000) throws {
        try Tool.check("chown", ["-hR", "\(owner):\(owner)", rootfs])
    }

    // MARK: Verbs

    @discardableResult
    package func create(_ flags: String..., globals: [String] = []) throws -> Tool.Output {
        let output = try bench.run(["create", "--bundle", bundle] + flags + [id], globals: globals, to: id)
        guard output.status == 0 else { throw Tool.Failure(output: output) }
        return output
    }

    @discardableResult
    package func start() throws -> Tool.Output { try bench.check("start", id) }

    /// Creates and starts.
    package func launch(_ flags: String...) throws {
        let output = try bench.run(["create", "--bundle", bundle] + flags + [id], to: id)
        guard output.status == 0 else { throw Tool.Failure(output: output) }
        try start()
    }

    /// `run` to the program's end.
    package func run(_ flags: String..., input: String = "", timeout: Double = 60) throws -> Tool.Output {
        try bench.run(["run", "--bundle", bundle] + flags + [id], input: input, to: id, timeout: timeout)
    }

    package func state() throws -> JSONValue { try JSONValue(parsing: bench.check("state", id).stdoutBytes) }
    /// `none` where there is no answer.
    package var status: String { (try? state()["status"]?.string) ?? "none" }
    package var pid: Int32 { Int32(clamping: (try? state()["pid"]?.integer) ?? 0) }

    package func kill(_ signal: String = "KILL") throws { try bench.check("kill", id, signal) }
    package func delete() throws { try bench.check("delete", id) }

    package func exec(_ arguments: String..., flags: [String] = [], input: String = "") throws -> Tool.Output {
        try bench.run(["exec"] + flags + [id] + arguments, input: input)
    }

    /// What a shell in it prints, without the last line's end.
    package func shell(_ script: String, flags: [String] = []) throws -> String {
        let output = try bench.run(["exec"] + flags + [id, "sh", "-c", script])
        guard output.status == 0 else { throw Tool.Failure(output: output) }
        return output.lines.joined(separator: "\n")
    }

    // MARK: Watching

    /// What its first process has printed so far.
    package var output: String {
        String(decoding: (try? File.readAll(bench.scratch("files/\(id).out"), limit: 16 << 20)) ?? [], as: UTF8.self)
    }
    package var lines: [String] { output.split(separator: "\n").map(String.init) }

    package func becomes(_ status: String, seconds: Double = 10) -> Bool {
        Wait.until(seconds: seconds) { self.status == status }
    }

    /// Waits until its first process has printed a text.
    package func prints(_ text: String, seconds: Double = 10) -> Bool {
        Wait.until(seconds: seconds) { output.contains(text) }
    }

    /// Starts it, waits for its end and returns what it printed.
    package func finish() throws -> [String] {
        try start()
        guard becomes("stopped") else { throw NotStopped(id: id, output: output) }
        return lines
    }

    package struct NotStopped: Error {
        let id: String
        let output: String
    }

    /// A file of its control group, by the controller and the file's names in the first and the second version.
    package func limit(_ controller: String, _ name: String, unified: String) -> String? {
        let second = File.exists("/sys/fs/cgroup/unified") ? "/sys/fs/cgroup/unified" : "/sys/fs/cgroup"
        let hasFirst = File.exists("/sys/fs/cgroup/\(controller)")
        let place = hasFirst ? "/sys/fs/cgroup/\(controller)\(cgroup)/\(name)" : "\(second)\(cgroup)/\(unified)"
        guard let bytes = try? File.readAll(place, limit: 1 << 16) else { return nil }
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").joined(separator: "\n")
    }
}
