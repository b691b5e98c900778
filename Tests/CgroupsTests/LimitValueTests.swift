import OCI
import Sys
import TestSupport
import Testing

@testable import Cgroups

/// What the kernel says after a limit was applied, on v1.
@Suite(.enabled(if: Machine.isV1, "needs root and cgroup v1 controllers")) struct LimitValueTests {
    @Test(.enabled(if: Machine.hasMemory, "needs the memory controller")) func memory() throws {
        let fixture = try CgroupFixture()
        _ = try fixture.make {
            var memory = Spec.Memory()
            memory.limit = 64 << 20
            memory.reservation = 32 << 20
            memory.swap = 128 << 20
            memory.swappiness = 10
            $0.memory = memory
        }
        #expect(try fixture.value("memory", "memory.limit_in_bytes") == "67108864")
        #expect(try fixture.value("memory", "memory.soft_limit_in_bytes") == "33554432")
        #expect(try fixture.value("memory", "memory.swappiness") == "10")
        if fixture.manager.layout.hasSwapAccounting {
            #expect(try fixture.value("memory", "memory.memsw.limit_in_bytes") == "134217728")
        }
    }

    /// The kernel refuses a memory limit above that of memory and swap: which goes first depends on the direction.
    @Test(.enabled(if: Machine.hasSwapLimit, "needs swap accounting")) func raisesAndLowersBothLimits() throws {
        let fixture = try CgroupFixture()
        _ = try fixture.make {
            var memory = Spec.Memory()
            memory.limit = 64 << 20
            memory.swap = 64 << 20
            $0.memory = memory
        }
        for size in [256, 32, 512] as [Int64] {
            var resources = Spec.Resources()
            var memory = Spec.Memory()
            memory.limit = size << 20
            memory.swap = size << 20
            resources.memory = memory
            let settings = try Limits(resources: resources).settings(of: "memory", unified: false)
            try LimitPlan.write(settings, to: try fixture.directory("memory"))
            #expect(try fixture.value("memory", "memory.limit_in_bytes") == String(size << 20))
            #expect(try fixture.value("memory", "memory.memsw.limit_in_bytes") == String(size << 20))
        }
    }

    @Test(.enabled(if: Machine.hasMemory, "needs the memory controller")) func unlimitedSwap() throws {
        let fixture = try CgroupFixture()
        _ = try fixture.make {
            var memory = Spec.Memory()
            memory.limit = 64 << 20
            memory.swap = -1
            $0.memory = memory
        }
        #expect(try fixture.value("memory", "memory.limit_in_bytes") == "67108864")
        let free = try fixture.value("memory", "memory.memsw.limit_in_bytes")
        #expect(try #require(Int64(free)) > 1 << 60)
    }

    @Test(.enabled(if: Machine.hasCPU, "needs the cpu controller")) func cpu() throws {
        let fixture = try CgroupFixture()
        _ = try fixture.make {
            var cpu = Spec.CPU()
            cpu.shares = 512
            cpu.quota = 150_000
            cpu.period = 50_000
            $0.cpu = cpu
        }
        #expect(try fixture.value("cpu", "cpu.shares") == "512")
        #expect(try fixture.value("cpu", "cpu.cfs_quota_us") == "150000")
        #expect(try fixture.value("cpu", "cpu.cfs_period_us") == "50000")
    }
}
