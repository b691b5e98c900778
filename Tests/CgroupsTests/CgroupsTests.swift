import Cgroups
import Glibc
import OCI
import Sys
import TestSupport
import Testing

/// On the machine's own hierarchies.
@Suite(.enabled(if: Machine.isRoot, "needs root")) struct CgroupsTests {
    @Test func isInEveryHierarchyAndLeavesNothing() throws {
        let fixture = try CgroupFixture()
        let cgroup = try fixture.make()
        #expect(cgroup.path == fixture.path)
        for hierarchy in fixture.manager.layout.hierarchies {
            #expect(File.exists(hierarchy.mountPoint + fixture.path))
        }
        let shell = try ShellInCgroup("cat /proc/self/cgroup", in: cgroup)
        let (result, output) = try shell.finish()
        #expect(result == .exited(0))
        let lines = output.split(separator: "\n")
        #expect(!lines.isEmpty && lines.allSatisfy { $0.hasSuffix(":\(fixture.path)") }, "\(output)")
        try cgroup.remove()
        #expect(fixture.isThere == false)
        #expect(try fixture.manager.open(path: fixture.path) == nil)
        // Once more: nothing there is no error.
        try cgroup.remove()
    }

    @Test func joinsByDescriptor() throws {
        let fixture = try CgroupFixture()
        let cgroup = try fixture.make()
        let join = try cgroup.join()
        let legacy = fixture.manager.layout.hierarchies.filter { !$0.isUnified }.count
        #expect(join.tasks.count == legacy)
        #expect((join.directory == nil) == !fixture.manager.layout.hierarchies.contains { $0.isUnified })
        for fd in join.tasks { #expect(fcntl(fd, F_GETFD) & FD_CLOEXEC == FD_CLOEXEC) }
        // Without a value of its own a v1 cpuset would refuse everybody.
        if Machine.isV1, Machine.hasCpuset { #expect(try !fixture.value("cpuset", "cpuset.mems").isEmpty) }
    }

    @Test(
        "F21: what the kernel kills for want of memory is counted, of this cgroup and by the kernel only",
        .enabled(if: Machine.hasMemory, "needs the memory controller"),
        arguments: [
            ("exec tail -n 1 /dev/zero", .signaled(SIGKILL), 1), ("tail -n 1 /dev/zero; exit 5", .exited(5), 1),
            ("sh -c 'kill -9 $$'; exit 6", .exited(6), 0), ("kill -9 $$", .signaled(SIGKILL), 0),
        ] as [(String, ChildProcess.ExitResult, UInt64)])
    func countsOOMKills(_ script: String, _ result: ChildProcess.ExitResult, _ kills: UInt64) throws {
        let fixture = try CgroupFixture()
        let neighbour = try CgroupFixture()
        func limited(_ fixture: borrowing CgroupFixture) throws -> Cgroup {
            try fixture.make {
                var memory = Spec.Memory()
                memory.limit = 24 << 20
                if Machine.isUnified || Machine.hasSwapLimit { memory.swap = 24 << 20 }
                $0.memory = memory
            }
        }
        let cgroup = try limited(fixture)
        let beside = try limited(neighbour)
        #expect(try cgroup.oomKills() == 0)
        let shell = try ShellInCgroup(script, in: cgroup)
        #expect(try shell.finish().result == result)
        #expect(try cgroup.oomKills() == kills)
        #expect(try beside.oomKills() == 0)
        try cgroup.remove()
        try beside.remove()
    }

    @Test(.enabled(if: Machine.hasPids, "needs the pids controller")) func boundsProcesses() throws {
        let fixture = try CgroupFixture()
        let cgroup = try fixture.make { $0.pids = Spec.Pids(limit: 6) }
        #expect(try fixture.value("pids", "pids.max") == "6")
        let shell = try ShellInCgroup("for i in 1 2 3 4 5 6 7 8 9; do sleep 60 & done; wait", in: cgroup)
        #expect(try Wait.until(seconds: 5) { try cgroup.processes().count >= 2 })
        #expect(try cgroup.processes().count <= 6)
        try cgroup.killAll()
        #expect(try cgroup.processes().isEmpty)
        _ = try shell.finish()
        try cgroup.remove()
    }

    @Test func killsAForkBombAndWhatItNested() throws {
        let fixture = try CgroupFixture()
        let cgroup = try fixture.make { if Machine.hasPids { $0.pids = Spec.Pids(limit: 100) } }
        // As a container with a writable cgroup could: a cgroup below, with a process in it.
        let inner = "\(try fixture.directory(fixture.manager.layout.mode == .legacy ? "freezer" : ""))/inner/deeper"
        try Directory.makePath(inner, mode: 0o755)
        let shell = try ShellInCgroup("(while true; do (sleep 60 &) ; sleep 0.01; done) & sleep 60", in: cgroup)
        #expect(try Wait.until(seconds: 5) { try cgroup.processes().count > 5 })
        try cgroup.killAll()
        #expect(try cgroup.processes().isEmpty)
        _ = try shell.finish()
        try cgroup.remove()
        #expect(fixture.isThere == false)
    }

    @Test func freezesAndThaws() throws {
        let fixture = try CgroupFixture()
        let cgroup = try fixture.make()
        let shell = try ShellInCgroup("while true; do echo x; sleep 0.01; done >/dev/null", in: cgroup)
        try cgroup.freeze()
        let pid = try #require(try cgroup.processes().first)
        let before = try File.readAll("/proc/\(pid)/stat", limit: 4096)
        Wait.sleep(0.1)
        #expect(try File.readAll("/proc/\(pid)/stat", limit: 4096) == before)
        try cgroup.thaw()
        #expect(try Wait.until(seconds: 5) { try File.readAll("/proc/\(pid)/stat", limit: 4096) != before })
        // What is frozen can be killed, too.
        try cgroup.freeze()
        try cgroup.killAll()
        _ = try shell.finish()
        try cgroup.remove()
    }

    @Test func aStaleCgroupIsMadeAnewAndABusyOneRefused() throws {
        let fixture = try CgroupFixture()
        _ = try fixture.make { if Machine.hasPids { $0.pids = Spec.Pids(limit: 7) } }
        let fresh = try fixture.make()
        if Machine.hasPids { #expect(try fixture.value("pids", "pids.max") == "max") }
        let shell = try ShellInCgroup("sleep 60", in: fresh)
        do {
            _ = try fixture.make()
            Issue.record("a cgroup with processes was made anew")
        } catch {
            let text = "\(error)"
            #expect(text.contains("\(fixture.path): EBUSY: it is there already, with processes"), "\(text)")
        }
        #expect(try fresh.processes().count >= 1)
        try fresh.killAll()
        _ = try shell.finish()
    }

    @Test func whatIsBelowIsFoundByPath() throws {
        let fixture = try CgroupFixture()
        let cgroup = try fixture.make()
        #expect(try cgroup.descendant("/a/b") == nil)
        #expect(try cgroup.descendant("/")?.path == cgroup.path)
        // In one hierarchy only, as a program in the container would make it.
        let first = try #require(fixture.manager.layout.hierarchies.first)
        try Directory.makePath(first.mountPoint + fixture.path + "/a/b", mode: 0o755)
        let below = try #require(try cgroup.descendant("a/b"))
        #expect(below.path == "\(fixture.path)/a/b")
        let shell = try ShellInCgroup("cat /proc/self/cgroup", in: below)
        let lines = try shell.finish().output.split(separator: "\n")
        #expect(lines.filter { $0.hasSuffix(":\(fixture.path)/a/b") }.count == 1, "\(lines)")
        #expect(lines.filter { $0.hasSuffix(":\(fixture.path)") }.count == lines.count - 1, "\(lines)")
        for bad in ["..", "/a/../..", "a/./b", "a\nb"] {
            #expect(throws: CgroupError.self) { try cgroup.descendant(bad) }
        }
        // The same by a controller's name.
        let controller = try #require(first.controllers.first)
        let same = try #require(try cgroup.descendant(of: [controller: "/a/b"]))
        let other = try ShellInCgroup("cat /proc/self/cgroup", in: same)
        #expect(try other.finish().output.split(separator: "\n") == lines)
        #expect(try cgroup.descendant(of: [controller: "/a/c"]) == nil)
        for bad in [[controller: "/a/.."], ["nothing": "/a/b"], ["": "/a/b"]] {
            #expect(throws: CgroupError.self) { try cgroup.descendant(of: bad) }
        }
        try cgroup.remove()
    }

    @Test func removingABusyOneSaysSo() throws {
        let fixture = try CgroupFixture()
        let cgroup = try fixture.make()
        let shell = try ShellInCgroup("sleep 60", in: cgroup)
        let start = Wait.now
        do {
            try cgroup.remove(timeout: 200)
            Issue.record("removed with a process in it")
        } catch {
            #expect("\(error)".contains("remove cgroup") && "\(error)".contains("EBUSY"), "\(error)")
        }
        #expect(Wait.now - start < 5)
        try cgroup.killAll()
        _ = try shell.finish()
    }

    @Test(
        "R18: a cgroup's path cannot leave its hierarchy",
        arguments: [
            "", "/", "//", "/..", "/a/../b", "a/./b", "/a/..\u{2f}\u{301}b", "/a\nb",
            "/" + String(repeating: "x", count: 256),
        ])
    func refusesPathsThatLeaveTheRoot(_ path: String) throws {
        let manager = try CgroupManager.detect()
        #expect(throws: CgroupError.self) { try manager.create(path: path, resources: Spec.Resources()) }
        #expect(throws: CgroupError.self) { try manager.open(path: path) }
    }
}
