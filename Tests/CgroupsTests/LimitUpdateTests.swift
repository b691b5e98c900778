import Glibc
import OCI
import Sys
import TestSupport
import Testing

@testable import Cgroups

/// Limits that change while processes run under them.
@Suite(.enabled(if: Machine.isRoot, "needs root")) struct LimitUpdateTests {
    private func resources(_ change: (inout Spec.Resources) -> Void) -> Spec.Resources {
        var resources = Spec.Resources()
        change(&resources)
        return resources
    }

    private func memory(_ limit: Int64?, swap: Int64? = nil) -> Spec.Memory {
        var memory = Spec.Memory()
        memory.limit = limit
        if Machine.isUnified || Machine.hasSwapLimit { memory.swap = swap }
        return memory
    }

    private func memoryLimit(_ fixture: borrowing CgroupFixture) throws -> String {
        try fixture.value("memory", Machine.isUnified ? "memory.max" : "memory.limit_in_bytes")
    }

    /// On v1 the kernel refuses a memory limit above that of memory and swap: which goes first depends on the direction.
    @Test(.enabled(if: Machine.hasMemory, "needs the memory controller")) func raisesLowersAndLiftsMemory() throws {
        let fixture = try CgroupFixture()
        let cgroup = try fixture.make { $0.memory = memory(64 << 20, swap: 64 << 20) }
        for size in [256, 32, 512] as [Int64] {
            _ = try cgroup.update(resources { $0.memory = memory(size << 20, swap: size << 20) })
            #expect(try memoryLimit(fixture) == String(size << 20))
            if Machine.isUnified {
                #expect(try fixture.value("memory", "memory.swap.max") == "0")
            } else if Machine.hasSwapLimit {
                #expect(try fixture.value("memory", "memory.memsw.limit_in_bytes") == String(size << 20))
            }
        }
        _ = try cgroup.update(resources { $0.memory = memory(-1) })
        #expect(try cgroup.usage().memory?.limit == nil)
    }

    @Test(.enabled(if: Machine.hasCPU && Machine.hasPids, "needs the cpu and pids controllers"))
    func changesOnlyWhatIsNamed() throws {
        let fixture = try CgroupFixture()
        let cgroup = try fixture.make {
            $0.pids = Spec.Pids(limit: 50)
            var cpu = Spec.CPU()
            (cpu.shares, cpu.quota, cpu.period) = (512, 50_000, 100_000)
            $0.cpu = cpu
        }
        _ = try cgroup.update(resources { $0.pids = Spec.Pids(limit: 70) })
        #expect(try fixture.value("pids", "pids.max") == "70")
        _ = try cgroup.update(
            resources {
                var cpu = Spec.CPU()
                (cpu.shares, cpu.quota, cpu.period) = (2048, 150_000, 50_000)
                $0.cpu = cpu
            })
        let files =
            Machine.isUnified ? ["cpu.max", "cpu.weight"] : ["cpu.cfs_quota_us", "cpu.cfs_period_us", "cpu.shares"]
        let after = try files.map { try fixture.value("cpu", $0) }
        #expect(after == (Machine.isUnified ? ["150000 50000", "174"] : ["150000", "50000", "2048"]))
        #expect(try fixture.value("pids", "pids.max") == "70")
        _ = try cgroup.update(
            resources {
                $0.pids = Spec.Pids(limit: -1)
                var cpu = Spec.CPU()
                cpu.quota = -1
                $0.cpu = cpu
            })
        #expect(try fixture.value("pids", "pids.max") == "max")
        #expect(try fixture.value("cpu", files[0]) == (Machine.isUnified ? "max 50000" : "-1"))
    }

    @Test(.enabled(if: Machine.hasMemory && Machine.hasCPU, "needs the memory and cpu controllers"))
    func aRefusedValueLeavesAllAsItWas() throws {
        let fixture = try CgroupFixture()
        let cgroup = try fixture.make { $0.memory = memory(64 << 20, swap: 128 << 20) }
        do {
            // A quota below a millisecond is refused after the memory limits were written.
            _ = try cgroup.update(
                resources {
                    $0.memory = memory(256 << 20, swap: 256 << 20)
                    var cpu = Spec.CPU()
                    (cpu.quota, cpu.period) = (1, 100_000)
                    $0.cpu = cpu
                })
            Issue.record("accepted")
        } catch {
            let file = Machine.isUnified ? "cpu.max" : "cpu.cfs_quota_us"
            let text = "\(error)"
            #expect(text.contains(file) && text.contains("\"1") && text.contains("EINVAL"), "\(text)")
        }
        #expect(try memoryLimit(fixture) == String(64 << 20))
        if Machine.isUnified {
            #expect(try fixture.value("memory", "memory.swap.max") == String(64 << 20))
        } else if Machine.hasSwapLimit {
            #expect(try fixture.value("memory", "memory.memsw.limit_in_bytes") == String(128 << 20))
        }
    }

    @Test(.enabled(if: Machine.hasMemory, "needs the memory controller")) func undoPutsBackWhatWas() throws {
        let fixture = try CgroupFixture()
        let cgroup = try fixture.make { $0.memory = memory(64 << 20, swap: 64 << 20) }
        for size in [16, 256] as [Int64] {
            let change = try cgroup.update(resources { $0.memory = memory(size << 20, swap: size << 20) })
            #expect(try memoryLimit(fixture) == String(size << 20))
            try change.undo()
            #expect(try memoryLimit(fixture) == String(64 << 20))
        }
    }

    @Test(.enabled(if: Machine.hasMemory, "needs the memory controller")) func doesNotStarveWhatRuns() throws {
        let fixture = try CgroupFixture()
        let cgroup = try fixture.make { $0.memory = memory(128 << 20, swap: 128 << 20) }
        let shell = try ShellInCgroup("(head -c 12582912 /dev/zero; sleep 60) | tail -c 12582912", in: cgroup)
        let held: UInt64 = 12 << 20
        #expect(try Wait.until(seconds: 30) { try (cgroup.usage().memory?.used ?? 0) > held })
        do {
            _ = try cgroup.update(resources { $0.memory = memory(8 << 20, swap: 8 << 20) })
            Issue.record("accepted")
        } catch {
            #expect("\(error)".contains("EBUSY") && "\(error)".contains("8388608"), "\(error)")
        }
        #expect(try memoryLimit(fixture) == String(128 << 20))
        #expect(try cgroup.oomKills() == 0)
        try cgroup.killAll()
        _ = try shell.finish()
    }

    @Test func aMissingControllerIsNamed() throws {
        let hierarchy = CgroupLayout.Hierarchy(mountPoint: "/nowhere", controllers: ["cpu"], isUnified: false)
        let cgroup = Cgroup(path: "/", directories: [CgroupDirectory(path: "/nowhere/x", hierarchy: hierarchy)])
        do {
            _ = try cgroup.update(resources { $0.blockIO = Spec.BlockIO(weight: 100) })
            Issue.record("accepted")
        } catch {
            let text = "\(error)"
            #expect(text.contains("--blkio-weight") && text.contains("\"blkio\" is not available"), "\(text)")
        }
        // What only lifts a limit needs no controller.
        _ = try cgroup.update(resources { $0.pids = Spec.Pids(limit: -1) })
    }

    @Test(.enabled(if: Machine.weighsBlockIO, "needs a scheduler that weighs block I/O")) func weighsBlockIO() throws {
        let fixture = try CgroupFixture()
        let cgroup = try fixture.make { $0.blockIO = Spec.BlockIO(weight: 300) }
        let files = ["blkio.bfq.weight", "blkio.weight", "io.bfq.weight", "io.weight"]
        let directory = try fixture.directory(Machine.isUnified ? "" : "blkio")
        let path = "\(directory)/\(try #require(files.first { File.exists("\(directory)/\($0)") }))"
        func weight() throws -> String { try CgroupFile.read(path).split(separator: "\n").first.map(String.init) ?? "" }
        let first = try weight()
        #expect(first.hasSuffix("300") || first.hasSuffix("2930"), "\(first)")
        let change = try cgroup.update(resources { $0.blockIO = Spec.BlockIO(weight: 1000) })
        let second = try weight()
        #expect(second.hasSuffix("1000") || second.hasSuffix("10000"), "\(second)")
        try change.undo()
        #expect(try weight() == first)
    }
}
