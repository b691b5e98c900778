internal import Glibc
internal import OCI
internal import Sys
internal import TestSupport
internal import Testing

/// What an ordinary user gets: containers in a user namespace that has the user and nobody else.
@Suite(.enabled(if: OrdinaryUser.isPossible, "\(OrdinaryUser.need)")) struct OrdinaryUserTests {
    /// A bundle of the user's own, and a way to call a runtime on it; what is left of the user at the end is a failure.
    private static func with(
        _ runtime: OCIRuntime, _ body: ((String...) throws -> Tool.Output) throws -> Void
    ) throws {
        let user = try #require(OrdinaryUser.plain)
        let scratch = try Scratch()
        try check { chmod(scratch.path, 0o755) }
        try OCIContainer.makeRoot(scratch, "bundle/rootfs")
        try scratch.directory("run", mode: 0o700)
        try Tool.check("chown", ["-hR", user.name, scratch("bundle"), scratch("run")])
        let run: (String...) throws -> Tool.Output = { arguments in
            let line = user.command + [runtime.path] + arguments
            return try Tool.run(
                line[0], Array(line.dropFirst()), environment: ["XDG_RUNTIME_DIR": scratch("run")],
                directory: scratch("bundle"))
        }
        let written = try run("spec", "--rootless")
        #expect(written.status == 0, "\(written)")
        var text = String(decoding: try File.readAll(scratch("bundle/config.json")), as: UTF8.self)
        text = text.replacing("\"terminal\": true", with: "\"terminal\": false")
        text = text.replacing("\"sh\"", with: "\"sh\", \"-c\", \"id -u; sleep 1000\"")
        try scratch.file("bundle/config.json", text)
        try body(run)
        #expect(Wait.until(seconds: 10) { user.processes.isEmpty })
        #expect(LeakSnapshot.remains(of: scratch.path).isEmpty)
    }

    @Test(arguments: OCIRuntime.all.filter { $0.kind == .runimg })
    func makesRunsAndRemovesContainers(_ runtime: OCIRuntime) throws {
        try Self.with(runtime) { run in
            for (verb, expected) in [(["create", "c1"], ""), (["start", "c1"], "")] {
                let output = try run(verb[0], verb[1])
                #expect(output.status == 0 && output.stderr == expected, "\(output)")
            }
            // In the network of the host's, which the user has no right to join.
            let further = try run("exec", "c1", "sh", "-c", "id -u; readlink /proc/self/ns/pid")
            #expect(further.status == 0 && further.lines.first == "0", "\(further)")
            let first = try run("exec", "c1", "readlink", "/proc/1/ns/pid")
            #expect(first.lines.first == further.lines.last, "\(first)")
            let listed = try run("list", "-q")
            #expect(listed.lines == ["c1"])
            let killed = try run("kill", "c1", "KILL")
            #expect(killed.status == 0, "\(killed)")
            #expect(Wait.until(seconds: 10) { (try? run("state", "c1").stdout.contains("stopped")) == true })
            let removed = try run("delete", "c1")
            #expect(removed.status == 0, "\(removed)")
        }
    }
}
