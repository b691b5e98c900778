import Glibc
import OCI
import Sys
import TestSupport
import Testing

@testable import Cgroups

/// The less usual limits at work.
@Suite(.enabled(if: Machine.isRoot, "needs root")) struct ResourceEffectTests {
    private func cpu(_ change: (inout Spec.CPU) -> Void) -> Spec.Resources {
        var resources = Spec.Resources()
        var cpu = Spec.CPU()
        change(&cpu)
        resources.cpu = cpu
        return resources
    }

    @Test(.enabled(if: Machine.hasCPU, "needs the cpu controller")) func cpuBurstAndIdle() throws {
        let fixture = try CgroupFixture()
        let file = Machine.isUnified ? "cpu.max.burst" : "cpu.cfs_burst_us"
        let cgroup = try fixture.manager.create(
            path: fixture.path,
            resources: cpu { ($0.quota, $0.period, $0.burst, $0.idle, $0.shares) = (50_000, 100_000, 20_000, 1, 512) })
        #expect(try fixture.value("cpu", file) == "20000")
        #expect(try fixture.value("cpu", "cpu.idle") == "1")
        // Lower than the burst that stands there: that has to fall first.
        _ = try cgroup.update(cpu { ($0.quota, $0.burst, $0.idle, $0.shares) = (10_000, 5_000, 0, 2048) })
        #expect(try fixture.value("cpu", file) == "5000")
        #expect(try fixture.value("cpu", "cpu.idle") == "0")
        #expect(
            try fixture.value("cpu", Machine.isUnified ? "cpu.weight" : "cpu.shares")
                == (Machine.isUnified ? "174" : "2048"))
    }

    @Test(.enabled(if: Machine.hasRealtime, "needs a kernel with realtime groups")) func realtime() throws {
        let fixture = try CgroupFixture()
        let parent = Path.split(try fixture.directory("cpu")).parent
        // A cgroup gets its share of what the one above it has.
        try Directory.makePath(parent, mode: 0o755)
        try CgroupFile.write("20000", to: "\(parent)/cpu.rt_runtime_us")
        let cgroup = try fixture.manager.create(
            path: fixture.path, resources: cpu { ($0.realtimeRuntime, $0.realtimePeriod) = (10_000, 1_000_000) })
        #expect(try fixture.value("cpu", "cpu.rt_runtime_us") == "10000")
        #expect(try fixture.value("cpu", "cpu.rt_period_us") == "1000000")
        do {
            _ = try cgroup.update(cpu { $0.realtimeRuntime = 30_000 })
            Issue.record("more than the cgroup above has was accepted")
        } catch {
            #expect("\(error)".contains("--cpu-rt-runtime") && "\(error)".contains("EINVAL"), "\(error)")
        }
        #expect(try fixture.value("cpu", "cpu.rt_runtime_us") == "10000")
        try cgroup.remove()
    }

    @Test(.enabled(if: Machine.isRoot && Machine.disk != nil && Machine.countsBlockIO, "needs a disk and block I/O"))
    func throttlesADisk() throws {
        let disk = try #require(Machine.disk)
        let numbers = disk.split(separator: ":").compactMap { Int64($0) }
        let fixture = try CgroupFixture()
        func resources(_ rate: UInt64) -> Spec.Resources {
            var resources = Spec.Resources()
            var blockIO = Spec.BlockIO()
            blockIO.throttleWriteBpsDevice = [Spec.ThrottleDevice(major: numbers[0], minor: numbers[1], rate: rate)]
            blockIO.throttleReadIOPSDevice = [Spec.ThrottleDevice(major: numbers[0], minor: numbers[1], rate: 1000)]
            resources.blockIO = blockIO
            return resources
        }
        func value() throws -> String {
            Machine.isUnified
                ? try fixture.value("io", "io.max") : try fixture.value("blkio", "blkio.throttle.write_bps_device")
        }
        let cgroup = try fixture.manager.create(path: fixture.path, resources: resources(1 << 20))
        let first = try value()
        #expect(first.contains(Machine.isUnified ? "wbps=1048576" : "\(disk) 1048576"), "\(first)")
        let scratch = try Scratch()
        let start = Wait.now
        let shell = try ShellInCgroup(
            "dd if=/dev/zero of=\(scratch("file")) bs=256k count=8 oflag=direct 2>/dev/null", in: cgroup)
        #expect(try shell.finish().result == .exited(0))
        // Two megabytes at one a second; the first part of a second may be free.
        if Machine.disk == Machine.diskBelowScratch { #expect(Wait.now - start > 0.9) }
        let change = try cgroup.update(resources(0))
        #expect(try !value().contains("1048576"))
        try change.undo()
        #expect(try value() == first)
        try cgroup.remove()
    }

    @Test(.enabled(if: Machine.isRoot && Conditions.hasController("blkio"), "needs cgroup v1's blkio controller"))
    func aDeviceThatIsNotThereIsNamed() throws {
        let fixture = try CgroupFixture()
        do {
            _ = try fixture.make {
                var blockIO = Spec.BlockIO()
                blockIO.throttleReadBpsDevice = [Spec.ThrottleDevice(major: 4000, minor: 1, rate: 5)]
                $0.blockIO = blockIO
            }
            Issue.record("accepted")
        } catch {
            let text = "\(error)"
            #expect(
                text.hasPrefix("cannot apply read rate of 4000:1 (--device-read-bps): write \"4000:1 5\""), "\(text)")
            #expect(text.contains("ENODEV"))
        }
        #expect(fixture.isThere == false)
    }

    @Test(.enabled(if: Machine.hasHugepages, "needs the hugetlb controller and pages of 2 MB")) func hugepages() throws
    {
        let fixture = try CgroupFixture()
        let cgroup = try fixture.make { $0.hugepageLimits = [Spec.HugepageLimit(pageSize: "2MB", limit: 4 << 20)] }
        let isUnified = fixture.manager.layout.hierarchy(of: "hugetlb")?.isUnified == true
        #expect(
            try fixture.value("hugetlb", isUnified ? "hugetlb.2MB.max" : "hugetlb.2MB.limit_in_bytes") == "4194304")
        #expect(
            try fixture.value("hugetlb", isUnified ? "hugetlb.2MB.rsvd.max" : "hugetlb.2MB.rsvd.limit_in_bytes")
                == "4194304")
        let counter = try #require(try cgroup.statistics().hugepages?["2MB"])
        #expect(counter.usage == 0 && counter.limit == 4 << 20)
        do {
            _ = try cgroup.update(
                {
                    var resources = Spec.Resources()
                    resources.hugepageLimits = [Spec.HugepageLimit(pageSize: "3MB", limit: 0)]
                    return resources
                }())
            Issue.record("pages of 3 MB were accepted")
        } catch {
            #expect("\(error)".contains("huge page limit of 3MB: this kernel has no hugetlb.3MB."), "\(error)")
        }
        try cgroup.remove()
    }

    @Test(.enabled(if: Machine.isHybrid, "needs cgroup v1 with v2 beside it")) func filesOfTheUnifiedHierarchy() throws
    {
        let fixture = try CgroupFixture()
        if Machine.hasHugepages, fixture.manager.layout.hierarchy(of: "hugetlb")?.isUnified == true {
            let cgroup = try fixture.make { $0.unified = ["hugetlb.2MB.max": "2097152"] }
            #expect(try fixture.value("", "hugetlb.2MB.max") == "2097152")
            try cgroup.remove()
        }
        do {
            _ = try fixture.make { $0.unified = ["memory.high": "max"] }
            Issue.record("accepted")
        } catch {
            #expect("\(error)".contains("\"memory.high\": this machine does not run on cgroup v2 alone"), "\(error)")
        }
        #expect(fixture.isThere == false)
    }

    @Test(.enabled(if: Machine.hasMemory && !Machine.isUnified, "needs cgroup v1's memory controller"))
    func kernelMemoryIsNoError() throws {
        let fixture = try CgroupFixture()
        let cgroup = try fixture.make {
            var memory = Spec.Memory()
            (memory.kernel, memory.kernelTCP, memory.useHierarchy) = (64 << 20, 32 << 20, true)
            $0.memory = memory
        }
        #expect(try fixture.value("memory", "memory.use_hierarchy") == "1")
        try cgroup.remove()
    }

    @Test(.enabled(if: Machine.hasMemory, "needs the memory controller")) func checksBeforeTheUpdateWhereAsked() throws
    {
        let fixture = try CgroupFixture()
        let cgroup = try fixture.make()
        let scratch = try Scratch()
        let shell = try ShellInCgroup("dd if=/dev/zero of=\(scratch("file")) bs=1M count=16; sleep 60", in: cgroup)
        #expect(try Wait.until(seconds: 30) { try (cgroup.usage().memory?.total ?? 0) > 12 << 20 })
        func update(_ isChecked: Bool) throws -> LimitChange {
            var resources = Spec.Resources()
            var memory = Spec.Memory()
            (memory.limit, memory.checkBeforeUpdate) = (8 << 20, isChecked)
            resources.memory = memory
            return try cgroup.update(resources)
        }
        do {
            _ = try update(true)
            Issue.record("accepted")
        } catch {
            let text = "\(error)"
            #expect(text.contains("8388608 bytes is below the 1") && text.hasSuffix(" bytes in use"), "\(text)")
        }
        // Without it the kernel takes the cache back.
        _ = try update(false)
        #expect(try cgroup.usage().memory?.limit == 8 << 20)
        try cgroup.killAll()
        _ = try shell.finish()
    }

    /// Files as v2 has them.
    @Test func aPeriodAloneLeavesTheQuota() throws {
        let scratch = try Scratch(below: "/tmp")
        try scratch.file("x/cpu.max", "50000 100000\n")
        let hierarchy = CgroupLayout.Hierarchy(mountPoint: scratch.path, controllers: ["cpu"], isUnified: true)
        let cgroup = Cgroup(path: "/x", directories: [CgroupDirectory(path: scratch("x"), hierarchy: hierarchy)])
        _ = try cgroup.update(cpu { $0.period = 200_000 })
        #expect(try CgroupFile.read(scratch("x/cpu.max")) == "50000 200000\n")
    }
}
