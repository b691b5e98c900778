import Cgroups
import OCI
import Sys
import TestSupport
import Testing

/// What the kernel says after a limit was applied, on v2.
@Suite(.enabled(if: Machine.isUnified, "needs root and cgroup v2 alone")) struct UnifiedLimitValueTests {
    @Test func memory() throws {
        let fixture = try CgroupFixture()
        _ = try fixture.make {
            var memory = Spec.Memory()
            memory.limit = 64 << 20
            memory.reservation = 32 << 20
            memory.swap = 96 << 20
            $0.memory = memory
        }
        #expect(try fixture.value("", "memory.max") == "67108864")
        #expect(try fixture.value("", "memory.low") == "33554432")
        #expect(try fixture.value("", "memory.swap.max") == "33554432")
    }

    @Test func unlimitedSwap() throws {
        let fixture = try CgroupFixture()
        _ = try fixture.make {
            var memory = Spec.Memory()
            memory.limit = 64 << 20
            memory.swap = -1
            $0.memory = memory
        }
        #expect(try fixture.value("", "memory.max") == "67108864")
        #expect(try fixture.value("", "memory.swap.max") == "max")
    }

    @Test func cpuPidsAndFilesByName() throws {
        let fixture = try CgroupFixture()
        _ = try fixture.make {
            var cpu = Spec.CPU()
            cpu.shares = 512
            cpu.quota = 150_000
            cpu.period = 50_000
            $0.cpu = cpu
            $0.pids = Spec.Pids(limit: 17)
            $0.unified = ["memory.high": "1048576"]
        }
        #expect(try fixture.value("", "cpu.weight") == "59")
        #expect(try fixture.value("", "cpu.max") == "150000 50000")
        #expect(try fixture.value("", "pids.max") == "17")
        #expect(try fixture.value("", "memory.high") == "1048576")
    }

    /// Stats and later limits need the controllers even where no limit was asked for.
    @Test func allControllersArePassedOn() throws {
        let fixture = try CgroupFixture()
        _ = try fixture.make()
        let here = try fixture.value("", "cgroup.controllers").split(separator: " ").map(String.init)
        for controller in ["cpu", "cpuset", "io", "memory", "pids"] where Conditions.hasController(controller) {
            #expect(here.contains(controller), "\(controller)")
        }
    }
}
