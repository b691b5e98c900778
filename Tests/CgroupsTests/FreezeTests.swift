import Glibc
import OCI
import Sys
import TestSupport
import Testing

@testable import Cgroups

@Suite struct FreezeTests {
    @Test(.enabled(if: Machine.isRoot, "needs root")) func tellsWhetherItIsFrozen() throws {
        let fixture = try CgroupFixture()
        let cgroup = try fixture.make()
        #expect(try cgroup.isFrozen() == false)
        let shell = try ShellInCgroup("while :; do (:); done", in: cgroup)
        for _ in 0..<20 {
            try cgroup.freeze()
            #expect(try cgroup.isFrozen())
            try cgroup.thaw()
            #expect(try cgroup.isFrozen() == false)
        }
        // Twice is no error.
        try cgroup.thaw()
        try cgroup.freeze()
        try cgroup.freeze()
        // What comes into a frozen cgroup stops as well, and it counts as frozen meanwhile.
        let late = try ChildProcess("/bin/sleep", ["60"], environment: Tool.baseEnvironment)
        try cgroup.add(pid: late.pid)
        #expect(try cgroup.isFrozen())
        try cgroup.killAll()
        _ = try shell.finish()
        try cgroup.remove()
        #expect(try cgroup.isFrozen() == false)
    }

    @Test(
        "F27: what a container froze itself, in a cgroup of its own below, is killed too",
        .enabled(if: Machine.isRoot, "needs root"))
    func killsWhatIsFrozenBelow() throws {
        let fixture = try CgroupFixture()
        let cgroup = try fixture.make()
        let isV1 = fixture.manager.layout.hierarchy(of: "freezer") != nil
        let inner = "\(try fixture.directory(isV1 ? "freezer" : ""))/inner"
        try Directory.make(inner, mode: 0o755)
        let shell = try ShellInCgroup("sleep 60", in: cgroup)
        let processes = try cgroup.processes()
        #expect(!processes.isEmpty)
        for pid in processes { try CgroupFile.write(String(pid), to: "\(inner)/cgroup.procs") }
        try CgroupFile.write(isV1 ? "FROZEN" : "1", to: "\(inner)/\(isV1 ? "freezer.state" : "cgroup.freeze")")
        try cgroup.killAll()
        #expect(try cgroup.processes().isEmpty)
        _ = try shell.finish()
        try cgroup.remove()
    }

    @Test(.enabled(if: Machine.isRoot, "needs root")) func staysFrozenBelowAFrozenOne() throws {
        let fixture = try CgroupFixture()
        let cgroup = try fixture.make()
        let parent = try #require(try fixture.manager.open(path: Path.split(fixture.path).parent))
        let shell = try ShellInCgroup("sleep 60", in: cgroup)
        try parent.freeze()
        try cgroup.freeze()
        do {
            try cgroup.thaw(timeout: 50)
            Issue.record("thawed below a frozen cgroup")
        } catch {
            #expect("\(error)".contains("thaw cgroup") && "\(error)".contains("EBUSY"), "\(error)")
        }
        try parent.thaw()
        #expect(try cgroup.isFrozen() == false)
        try cgroup.killAll()
        _ = try shell.finish()
    }

    /// A directory that only looks like a cgroup: nothing in it ever stands still.
    @Test func letsGoWhatDoesNotStandStill() throws {
        let scratch = try Scratch(below: "/tmp")
        let state = try scratch.file("cgroup.freeze", "0\n")
        try scratch.file("cgroup.events", "populated 1\nfrozen 0\n")
        let hierarchy = CgroupLayout.Hierarchy(mountPoint: scratch.path, controllers: [], isUnified: true)
        let cgroup = Cgroup(path: "/", directories: [CgroupDirectory(path: scratch.path, hierarchy: hierarchy)])
        do {
            try cgroup.freeze(timeout: 30)
            Issue.record("frozen")
        } catch {
            #expect("\(error)".contains("freeze cgroup") && "\(error)".contains("ETIMEDOUT"), "\(error)")
        }
        #expect(try CgroupFile.read(state).hasPrefix("0"))
        #expect(try cgroup.isFrozen() == false)
    }

    @Test func withoutAFreezerItSaysWhatIsMissing() throws {
        let hierarchy = CgroupLayout.Hierarchy(mountPoint: "/nowhere", controllers: ["memory"], isUnified: false)
        let cgroup = Cgroup(path: "/", directories: [CgroupDirectory(path: "/nowhere/x", hierarchy: hierarchy)])
        do {
            try cgroup.freeze()
            Issue.record("frozen")
        } catch {
            #expect("\(error)".contains("\"freezer\" is not available (available: memory)"), "\(error)")
        }
        #expect(try cgroup.isFrozen() == false)
    }
}
