import Cgroups
import Glibc
import OCI
import Rootfs
import Runtime
import Sys
import TestSupport
import Testing

/// A further process in a running container.
@Suite(.enabled(if: ContainerFixture.hasProbe, ContainerFixture.probeRequirement))
struct FurtherProcessTests {
    @Test func runsBesideTheFirst() throws {
        let container = try RunningContainer(try ContainerFixture())
        let result = try container.shell(
            "echo hello; echo problem >&2; cat; hostname; grep -ac sleep /proc/1/cmdline; exit 7")
        #expect(result.output == "hello\nfixture\n1\n")
        #expect(result.errors == "problem\n")
        #expect(result.exit == .code(7))
        #expect(try container.shell("kill -9 $$").exit == .signal(SIGKILL))
        // The caller stays where it was.
        for name in ["pid", "pid_for_children", "mnt", "net"] {
            #expect(try File.readLink("/proc/self/ns/\(name)") != File.readLink("/proc/\(container.pid)/ns/\(name)"))
        }
    }

    @Test func isAChildOfTheCaller() throws {
        let container = try RunningContainer(try ContainerFixture())
        let process = try container.start(["sleep", "1000"]) { $0.stdio = StandardIO() }
        let stat = String(decoding: try File.readAll("/proc/\(process.pid)/stat", limit: 4096), as: UTF8.self)
        #expect(stat.split(separator: " ")[1] == "(sleep)")
        #expect(stat.split(separator: " ")[3] == "\(getpid())")
        try Pidfd.send(SIGTERM, to: process.pidfd.raw)
        #expect(try Pidfd.wait(process.pidfd.raw) == .signal(SIGTERM))
    }

    /// It is not pid 1, so nothing is left when the container's own first process ends.
    @Test func endsWithTheContainer() throws {
        let container = try RunningContainer(try ContainerFixture())
        let process = try container.start(["sleep", "1000"]) { $0.stdio = StandardIO() }
        _ = try container.end()
        #expect(try Pidfd.wait(process.pidfd.raw) == .signal(SIGKILL))
    }

    @Test func saysWhyItDoesNotStart() throws {
        let fixture = try ContainerFixture { scratch, _ in try scratch.file("overlay2/base/diff/plain", "text\n") }
        let container = try RunningContainer(fixture)
        let refusals: [(String, String, Int32)] = [
            ("nothing", "exec: \"nothing\": executable file not found in $PATH", 127),
            ("/x", "exec: \"/x\": stat /x: no such file or directory", 127),
            ("/plain", "exec: \"/plain\": permission denied", 126),
            ("/etc", "exec: \"/etc\": is a directory", 126),
        ]
        for (command, message, code) in refusals {
            let error = try container.failure([command, "argument"])
            #expect("\(error)" == message)
            #expect(error.exitCode == code)
        }
        let missing = try container.failure(["true"]) { $0.process.cwd = "/no/such" }
        #expect("\(missing)" == "chdir to cwd (\"/no/such\"): no such file or directory")
        #expect(missing.exitCode == 127)
        #expect(try container.failure([]).description == "no command specified")
        var mute = container.request(["true"])
        mute.seccomp = Spec.Seccomp(defaultAction: "SCMP_ACT_ERRNO")
        #expect(throws: RuntimeError.self) {
            _ = try Launcher.start(try Launcher.plan(mute), cgroup: container.cgroup, joining: [container.pidfd.raw])
        }
        #expect(try container.cgroup.processes() == [container.pid])
    }

    @Test func needsARunningContainer() throws {
        let container = try RunningContainer(try ContainerFixture())
        try Pidfd.send(SIGKILL, to: container.pidfd.raw)
        // Dead and not reaped: its number is still taken.
        var item = [PollItem(container.pidfd.raw, .readable)]
        _ = try PollItem.wait(&item, milliseconds: 10_000)
        let error = try container.failure(["true"])
        #expect("\(error)".hasSuffix("no such process (ESRCH); the container has ended"), "\(error)")
    }

    @Test("F19: the namespaces are those of the process that was meant, not of the one that has its number")
    func theNumberIsNotLookedAt() throws {
        let plan = try Launcher.plan(ExecRequest(id: "id", process: Spec.Process(args: ["true"]), seccomp: nil))
        #expect(!"\(plan)".contains("/proc/"))
        // Reaped, its number is free: the pidfd is no other process's.
        let container = try RunningContainer(try ContainerFixture())
        try Pidfd.send(SIGKILL, to: container.pidfd.raw)
        _ = try Pidfd.wait(container.pidfd.raw)
        #expect("\(try container.failure(["true"]))".contains("ESRCH"))
    }

    @Test("R22: every process is in the container's cgroup before it executes anything", arguments: [0, 1000])
    func everyProcessIsInTheCgroup(uid: UInt32) throws {
        let container = try RunningContainer(try ContainerFixture())
        let output = try PipeEnds()
        let script = "cat /proc/self/cgroup; sleep 60 & (setsid sleep 60 &) ; echo ready; wait"
        let process = try container.start(["/bin/sh", "-c", script]) { request in
            request.stdio = StandardIO(input: -1, output: output.writer, error: -1)
            request.process.user = .init(uid: uid, gid: uid)
        }
        output.closeWriter()
        var text = ""
        while !text.hasSuffix("ready\n") {
            var chunk = [UInt8](repeating: 0, count: 4096)
            let count = try chunk.withUnsafeMutableBytes { try File.read(output.reader.raw, into: $0) }
            if count == 0 { break }
            text += String(decoding: chunk[..<count], as: UTF8.self)
        }
        // In the namespace the container's cgroup is the root.
        #expect(text.split(separator: "\n").dropLast().allSatisfy { $0.hasSuffix(":/") }, "\(text)")
        let namespace = try File.readLink("/proc/\(container.pid)/ns/pid")
        let pids = try Directory.entries("/proc").map(\.name).filter { name in
            Int32(name) != nil && (try? File.readLink("/proc/\(name)/ns/pid")) == namespace
        }
        #expect(pids.count >= 4)
        for pid in pids {
            let cgroups = String(decoding: try File.readAll("/proc/\(pid)/cgroup", limit: 65536), as: UTF8.self)
            #expect(
                cgroups.split(separator: "\n").allSatisfy { $0.hasSuffix(":\(container.cgroup.path)") }, "\(cgroups)")
        }
        try Pidfd.send(SIGKILL, to: process.pidfd.raw)
        _ = try Pidfd.wait(process.pidfd.raw)
    }

    @Test("R2: a further process's working directory is inside, by whatever name")
    func theWorkingDirectoryIsInside() throws {
        let held = dup(try Directory.open("/root").raw)
        defer { close(held) }
        let fixture = try ContainerFixture { _, image in
            try File.symlink("/proc/self/fd/\(held)", "\(image)/link")
            try File.symlink("/root/../../../etc", "\(image)/etcetera")
        }
        let container = try RunningContainer(fixture)
        let names =
            (3...30).map { "/proc/self/fd/\($0)" } + ["/proc/self/fd/\(held)", "/link", "/link/..", "/proc/1/root"]
        for path in names {
            let error = try container.failure(["/bin/sh", "-c", "pwd; ls"]) { $0.process.cwd = path }
            #expect("\(error)".contains(path), "\(error)")
        }
        #expect(try container.shell("pwd") { $0.process.cwd = "/../../.." }.output == "/\n")
        #expect(try container.shell("pwd; ls passwd") { $0.process.cwd = "/etcetera" }.output == "/etc\npasswd\n")
    }

    @Test("R3: a further process has its three descriptors, and the container none of the caller's")
    func noDescriptorIsInherited() throws {
        let directory = try Directory.open("/root")
        let held = (0..<20).map { _ in dup(directory.raw) }
        defer { for fd in held { close(fd) } }
        let container = try RunningContainer(try ContainerFixture.withProbe())
        let inside = Probe.parse(try container.exec(["/probe"]).output)
        #expect(inside.keys.filter { $0.hasPrefix("fd.") }.sorted() == ["fd.0", "fd.1", "fd.2"])
        #expect(inside["fd.0"] == "/dev/null")
        #expect(inside["signals_blocked"] == "0000000000000000")
        #expect(inside["signals_ignored"] == "0000000000000000")
        #expect(inside["sid"] == inside["pid"])
    }
}
