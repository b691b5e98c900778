import Glibc
import OCI
import Sys
import TestSupport
import Testing

@testable import Cgroups

/// Other machines' hierarchies: directories that only look like them.
@Suite struct LayoutTests {
    private func layout(_ table: String) throws -> CgroupLayout { try CgroupLayout(mountTable: Array(table.utf8)) }

    @Test func tellsTheThreeModesApart() throws {
        let v1 = """
            25 1 0:23 / / rw - ext4 /dev/root rw
            31 25 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755
            32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct
            33 31 0:30 / /sys/fs/cgroup/memory rw shared:10 master:2 - cgroup cgroup rw,memory
            34 31 0:31 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,name=systemd
            35 31 0:30 /sub /mnt/again rw - cgroup cgroup rw,memory
            36 31 0:99 / /sys/fs/cgroup/odd\\040name rw - cgroup cgroup rw,pids
            """
        let legacy = try layout(v1)
        #expect(legacy.mode == .legacy)
        #expect(
            legacy.hierarchies.map { $0.controllers } == [["cpu", "cpuacct"], ["memory"], ["name=systemd"], ["pids"]])
        #expect(legacy.hierarchy(of: "memory")?.mountPoint == "/sys/fs/cgroup/memory")
        #expect(legacy.hierarchy(of: "pids")?.mountPoint == "/sys/fs/cgroup/odd name")
        #expect(legacy.hierarchy(of: "devices") == nil)
        let scratch = try Scratch(below: "/tmp")
        try scratch.file("cgroup.controllers", "cpu io memory pids\n")
        let cgroup2 = "40 25 0:30 / \(scratch.path) rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate"
        let unified = try layout(cgroup2)
        #expect(unified.mode == .unified)
        #expect(unified.controllers == ["cpu", "devices", "freezer", "io", "memory", "pids"])
        let hybrid = try layout(v1 + "\n" + cgroup2)
        #expect(hybrid.mode == .hybrid)
        #expect(hybrid.hierarchies.last?.isUnified == true)
        // A controller is where v1 has it; what v1 lacks may be in v2.
        #expect(hybrid.hierarchy(of: "memory")?.isUnified == false)
        #expect(hybrid.hierarchy(of: "io")?.isUnified == true)
    }

    @Test(arguments: [
        "", "\n\n", "garbage", "1 2 3 4 5 6 7", "1 2 0:1 / /x rw - ext4 a rw", "1 2 0:1 / /x rw - cgroup",
    ])
    func noHierarchyIsSaid(_ table: String) {
        #expect(throws: CgroupError.self) { try layout(table) }
    }

    @Test func thisMachineIsRead() throws {
        #expect(!(try CgroupLayout.detect()).hierarchies.isEmpty)
    }

    struct Missing: Sendable {
        let controller: String
        let limit: String
        let change: @Sendable (inout Spec.Resources) -> Void
    }

    static let missing: [Missing] = [
        Missing(controller: "memory", limit: "memory limit (--memory)") {
            var memory = Spec.Memory()
            memory.limit = 1 << 20
            $0.memory = memory
        },
        Missing(controller: "cpu", limit: "CPU shares (--cpu-shares)") {
            var cpu = Spec.CPU()
            cpu.shares = 100
            $0.cpu = cpu
        },
        Missing(controller: "cpuset", limit: "CPU set (--cpuset-cpus)") {
            var cpu = Spec.CPU()
            cpu.cpus = "0"
            $0.cpu = cpu
        },
        Missing(controller: "pids", limit: "process limit (--pids-limit)") { $0.pids = Spec.Pids(limit: 5) },
        Missing(controller: "devices", limit: "device rules") { $0.devices = [Spec.DeviceRule(allow: false)] },
    ]

    /// A limit that nothing can enforce is an error, and nothing is made.
    @Test(arguments: missing.indices) func aMissingControllerIsNamed(_ index: Int) throws {
        let row = Self.missing[index]
        let scratch = try Scratch(below: "/tmp")
        let hierarchy = CgroupLayout.Hierarchy(
            mountPoint: scratch.path, controllers: ["freezer", "name=systemd"], isUnified: false)
        let manager = CgroupManager(layout: CgroupLayout(hierarchies: [hierarchy]))
        var resources = Spec.Resources()
        row.change(&resources)
        do {
            _ = try manager.create(path: "/runimg/x", resources: resources)
            Issue.record("created")
        } catch {
            let text = "\(error)"
            #expect(
                text.hasPrefix("cannot apply \(row.limit): cgroup controller \"\(row.controller)\" is not available"))
            #expect(text.contains("available: freezer, name=systemd") && text.contains("leave the limit out"))
        }
        #expect(try Directory.entries(scratch.path).isEmpty)
    }

    @Test func whatLiftsALimitNeedsNoController() throws {
        let scratch = try Scratch(below: "/tmp")
        let hierarchy = CgroupLayout.Hierarchy(mountPoint: scratch.path, controllers: ["freezer"], isUnified: false)
        let manager = CgroupManager(layout: CgroupLayout(hierarchies: [hierarchy]))
        var resources = Spec.Resources()
        resources.pids = Spec.Pids(limit: -1)
        var memory = Spec.Memory()
        memory.limit = -1
        resources.memory = memory
        resources.devices = [Spec.DeviceRule(allow: true)]
        let cgroup = try manager.create(path: "/runimg/x", resources: resources)
        #expect(File.exists(scratch("runimg/x")))
        try cgroup.remove()
        #expect(!File.exists(scratch("runimg/x")))
    }

    /// Swap accounting may be off (`swapaccount=0`): the file is not there.
    @Test(arguments: [false, true]) func missingSwapAccountingIsNamed(_ unified: Bool) throws {
        let scratch = try Scratch(below: "/tmp")
        let hierarchy = CgroupLayout.Hierarchy(
            mountPoint: scratch.path, controllers: ["memory"], isUnified: unified)
        let layout = CgroupLayout(hierarchies: [hierarchy])
        #expect(unified || !layout.hasSwapAccounting)
        var resources = Spec.Resources()
        var memory = Spec.Memory()
        memory.limit = 1 << 20
        memory.swap = 2 << 20
        resources.memory = memory
        let limits = try Limits(resources: resources).settings(of: "memory", unified: unified)
        let leaf = try scratch.directory("leaf")
        try scratch.file("leaf/\(unified ? "memory.max" : "memory.limit_in_bytes")", "")
        do {
            try LimitPlan.write(limits, to: leaf)
            Issue.record("written")
        } catch {
            let file = unified ? "memory.swap.max" : "memory.memsw.limit_in_bytes"
            let expected = """
                cannot apply memory and swap limit (--memory-swap): this kernel has no \(file); boot with \
                swapaccount=1, or leave the limit out
                """
            #expect("\(error)" == expected)
        }
    }

    /// cgroup v2 in a container's own root: the kernel lets no processes and controllers in one place.
    @Test func missingDelegationIsNamed() throws {
        let scratch = try Scratch(below: "/tmp")
        // /dev/full answers every write with an error, as a cgroup with processes in it does.
        try File.symlink("/dev/full", scratch("cgroup.subtree_control"))
        let hierarchy = CgroupLayout.Hierarchy(mountPoint: scratch.path, controllers: ["pids"], isUnified: true)
        let manager = CgroupManager(layout: CgroupLayout(hierarchies: [hierarchy]))
        var resources = Spec.Resources()
        resources.pids = Spec.Pids(limit: 5)
        do {
            _ = try manager.create(path: "/runimg/x", resources: resources)
            Issue.record("created")
        } catch {
            let text = "\(error)"
            #expect(text.hasPrefix("cannot apply process limit (--pids-limit): enable cgroup controller \"pids\" in "))
        }
        #expect(!File.exists(scratch("runimg/x")))
    }

    @Test func filesOfV2AreForV2() throws {
        let scratch = try Scratch(below: "/tmp")
        func plan(_ unified: Bool, _ values: [String: String]) throws {
            let hierarchy = CgroupLayout.Hierarchy(
                mountPoint: scratch.path, controllers: ["memory"], isUnified: unified)
            var resources = Spec.Resources()
            resources.unified = values
            _ = try LimitPlan(resources, layout: CgroupLayout(hierarchies: [hierarchy]))
        }
        try plan(true, ["memory.high": "1"])
        #expect(throws: CgroupError.self) { try plan(false, ["memory.high": "1"]) }
        for name in ["../x.y", "cgroup", "a/b.c", ".hidden", ""] {
            #expect(throws: CgroupError.self) { try plan(true, [name: "1"]) }
        }
    }
}
