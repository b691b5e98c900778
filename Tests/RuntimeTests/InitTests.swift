import Glibc
import OCI
import Runtime
import Sys
import TestSupport
import Testing

/// The program that stands between the runtime and the user's command.
@Suite(.enabled(if: ContainerFixture.hasProbe, ContainerFixture.probeRequirement))
struct InitTests {
    @Test func leavesNothingBehindWithoutInit() throws {
        let inside = try ContainerFixture.withProbe().probe()
        #expect(inside["pid"] == "1")
        #expect(inside["ppid"] == "0")
    }

    @Test func staysPidOneAndReaps() throws {
        let fixture = try ContainerFixture.withProbe()
        let inside = try fixture.probe { $0.useInit = true }
        #expect(inside["pid"] == "2")
        #expect(inside["ppid"] == "1")
        #expect(inside["pgid"] == "2")
        #expect(inside.keys.filter { $0.hasPrefix("fd.") }.sorted() == ["fd.0", "fd.1", "fd.2"])
        #expect(inside["signals_blocked"] == "0000000000000000")
        let orphan = try fixture.run(["/probe", "orphan"]) { $0.useInit = true }
        #expect(orphan.output == "orphan=reaped\n")
    }

    @Test func passesExitCodesOn() throws {
        let fixture = try ContainerFixture()
        #expect(try fixture.shell("exit 42") { $0.useInit = true }.exit == .code(42))
        #expect(try fixture.shell("kill -TERM $$; sleep 5") { $0.useInit = true }.exit == .code(143))
    }

    @Test(arguments: [SIGTERM, SIGUSR1, SIGHUP, SIGINT, SIGWINCH, 40]) func passesSignalsOn(number: Int32) throws {
        let fixture = try ContainerFixture()
        let output = try PipeEnds()
        let script = "trap 'echo got; exit 3' \(number); echo ready; while :; do sleep 0.05; done"
        let request = try fixture.request(["/bin/sh", "-c", script]) { request in
            request.useInit = true
            request.stdio = StandardIO(output: output.writer)
        }
        let process = try Launcher.start(try Launcher.plan(request))
        var line = [UInt8](repeating: 0, count: 6)
        _ = try line.withUnsafeMutableBytes { try File.read(output.reader.raw, into: $0) }
        #expect(line == Array("ready\n".utf8))
        try Pidfd.send(number, to: process.pidfd.raw)
        #expect(try Pidfd.wait(process.pidfd.raw) == .code(3))
        #expect(String(decoding: try output.readAll(), as: UTF8.self) == "got\n")
    }

    @Test(
        "R1: neither the command's own executable nor process 1's leads to a file of the host",
        arguments: [false, true])
    func hidesTheHostsBinary(useInit: Bool) throws {
        let own = try File.status("/proc/self/exe", follow: true)
        let before = try File.readAll("/proc/self/exe", limit: 1 << 30).count
        let fixture = try ContainerFixture.withProbe { _, image in
            try File.symlink("/proc/self/exe", "\(image)/bin/self")
        }
        let written = try fixture.run(["/probe", "writeexe", "/proc/1/exe"]) { $0.useInit = useInit }
        #expect(written.output == "write=ETXTBSY\n")
        let shown = try fixture.shell("readlink /proc/1/exe") { $0.useInit = useInit }.output
        #expect(useInit ? shown.hasPrefix("/memfd:runimg-init") : shown.hasPrefix("/bin/"), "\(shown)")
        // The command is the stub itself then; it must not take its arguments for orders.
        for arguments in [["/proc/self/exe"], ["self", "i", "/bin", "sh"], ["/bin/self", "p", "/bin", "true"]] {
            let result = try fixture.run(arguments) { $0.useInit = useInit }
            #expect(result.exit == .code(127) || result.exit == .code(0), "\(result)")
        }
        let after = try File.status("/proc/self/exe", follow: true)
        #expect(after.inode == own.inode && after.modified == own.modified)
        #expect(try File.readAll("/proc/self/exe", limit: 1 << 30).count == before)
    }

    /// A script whose interpreter is /proc/self/exe runs the stub, and finds it sealed.
    @Test("R1: the stub is sealed") func sealsTheStub() throws {
        let fixture = try ContainerFixture { scratch, _ in
            let script = "#!/proc/self/exe\n"
            try scratch.file("overlay2/base/diff/bin/evil", script, mode: 0o755)
        }
        let script = "exec 9</proc/1/exe; (echo x >/proc/self/fd/9) 2>&1; ls -l /proc/1/exe | sed 's/.*-> //'"
        let result = try fixture.shell(script) { $0.useInit = true }
        #expect(result.output.contains("memfd:runimg-init"))
        #expect(result.output.contains("Text file busy") || result.output.contains("Operation not permitted"))
        let evil = try fixture.run(["evil"])
        #expect(evil.exit == .code(127) || evil.exit == .code(0))
    }
}
