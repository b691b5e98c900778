import Glibc
import OCI
import Sys
import TestSupport
import Testing

@testable import Cgroups

/// What a cgroup says of its use, by the kernel's own counting.
@Suite(.enabled(if: Machine.isRoot, "needs root")) struct UsageTests {
    @Test func countsCPUTime() throws {
        let fixture = try CgroupFixture()
        let cgroup = try fixture.make()
        let before = (usage: try cgroup.usage(), system: try SystemUsage.read())
        #expect(try #require(before.usage.cpu) < 1_000_000_000)
        let shell = try ShellInCgroup("timeout 0.5 sh -c 'while :; do :; done'", in: cgroup)
        _ = try shell.finish()
        let after = (usage: try cgroup.usage(), system: try SystemUsage.read())
        let spent = try #require(after.usage.cpu) - (before.usage.cpu ?? 0)
        #expect(spent > 10_000_000, "\(spent)")
        #expect(after.system.cpu > before.system.cpu)
        let percent = try #require(CgroupUsage.cpuPercent(from: before, to: after))
        // One process, however coarse the machine's own clock is.
        #expect(percent > 0 && percent < 150 * Double(after.system.onlineCPUs), "\(percent)")
    }

    @Test(.enabled(if: Machine.hasMemory, "needs the memory controller")) func countsMemory() throws {
        let fixture = try CgroupFixture()
        let cgroup = try fixture.make {
            var memory = Spec.Memory()
            memory.limit = 256 << 20
            $0.memory = memory
        }
        let scratch = try Scratch()
        // 8 MiB held by a process; 12 MiB of file that is only cached, where there is a disk to drop it to.
        let shell = try ShellInCgroup(
            "head -c 12582912 /dev/zero >\(scratch("file")); sync \(scratch("file")); "
                + "(head -c 8388608 /dev/zero; sleep 60) | tail -c 8388608", in: cgroup)
        let all: UInt64 = 20 << 20
        #expect(try Wait.until(seconds: 30) { try (cgroup.usage().memory?.total ?? 0) > all })
        let memory = try #require(try cgroup.usage().memory)
        #expect(memory.limit == 256 << 20)
        #expect(memory.used > 8 << 20, "\(memory)")
        if Machine.hasDisk(below: scratch.path) {
            #expect(memory.inactiveFile > 8 << 20 && memory.used < memory.total, "\(memory)")
        }
        try cgroup.killAll()
        _ = try shell.finish()
    }

    @Test(.enabled(if: Machine.hasMemory, "needs the memory controller")) func noLimitIsNone() throws {
        let fixture = try CgroupFixture()
        let cgroup = try fixture.make()
        let usage = try cgroup.usage()
        #expect(usage.memory != nil && usage.memory?.limit == nil)
        #expect(try SystemUsage.read().memory > 1 << 26)
        if Machine.hasPids { #expect(usage.pids?.limit == nil && usage.pids?.current == 0) }
    }

    @Test(.enabled(if: Machine.hasPids, "needs the pids controller")) func countsProcesses() throws {
        let fixture = try CgroupFixture()
        let cgroup = try fixture.make { $0.pids = Spec.Pids(limit: 40) }
        let shell = try ShellInCgroup("sleep 60 & sleep 60 & wait", in: cgroup)
        #expect(try Wait.until(seconds: 5) { try cgroup.usage().pids?.current == 3 })
        #expect(try cgroup.usage().pids?.limit == 40)
        try cgroup.killAll()
        _ = try shell.finish()
    }

    @Test(.enabled(if: Machine.countsBlockIO, "needs a block I/O controller and a disk below /var/tmp"))
    func countsBlockIO() throws {
        let fixture = try CgroupFixture()
        let cgroup = try fixture.make()
        let scratch = try Scratch()
        let shell = try ShellInCgroup(
            "dd if=/dev/zero of=\(scratch("file")) bs=1M count=4 oflag=direct && "
                + "dd if=\(scratch("file")) of=/dev/null bs=1M count=2 iflag=direct; echo >\(scratch("done")); "
                + "sleep 60", in: cgroup)
        #expect(Wait.until(seconds: 30) { File.exists(scratch("done")) })
        let blockIO = try #require(try cgroup.usage().blockIO)
        #expect(blockIO.written >= 4 << 20 && blockIO.written < 8 << 20, "\(blockIO)")
        #expect(blockIO.read >= 2 << 20 && blockIO.read < 4 << 20, "\(blockIO)")
        try cgroup.killAll()
        _ = try shell.finish()
    }

    @Test func aCgroupThatIsGoneTellsNothing() throws {
        let fixture = try CgroupFixture()
        let cgroup = try fixture.make()
        try cgroup.remove()
        #expect(try cgroup.usage() == CgroupUsage())
    }
}

/// Files as other machines have them.
@Suite struct UsageTextTests {
    private func cgroup(_ scratch: Scratch, _ controllers: [String], unified: Bool) -> Cgroup {
        let hierarchy = CgroupLayout.Hierarchy(
            mountPoint: scratch.path, controllers: controllers, isUnified: unified)
        return Cgroup(path: "/", directories: [CgroupDirectory(path: scratch.path, hierarchy: hierarchy)])
    }

    @Test func unified() throws {
        let scratch = try Scratch(below: "/tmp")
        try scratch.file("cpu.stat", "usage_usec 1500\nuser_usec 1000\nsystem_usec 500\n")
        try scratch.file("memory.current", "5000000\n")
        try scratch.file("memory.max", "max\n")
        try scratch.file("memory.stat", "anon 1\nfile 2\ninactive_file 1000000\nactive_file 3\n")
        try scratch.file("pids.current", "7\n")
        try scratch.file("pids.max", "max\n")
        try scratch.file(
            "io.stat", "8:0 rbytes=100 wbytes=20 rios=1 wios=1 dbytes=9 dios=0\n253:0 \n8:16 rbytes=1 wbytes=2\n")
        let usage = try cgroup(scratch, ["cpu", "io", "memory", "pids"], unified: true).usage()
        #expect(usage.cpu == 1_500_000)
        #expect(usage.memory == CgroupUsage.Memory(total: 5_000_000, inactiveFile: 1_000_000, limit: nil))
        #expect(usage.memory?.used == 4_000_000)
        #expect(usage.pids == CgroupUsage.Pids(current: 7, limit: nil))
        #expect(usage.blockIO == CgroupUsage.BlockIO(read: 101, written: 22))
    }

    @Test func legacy() throws {
        let scratch = try Scratch(below: "/tmp")
        try scratch.file("cpuacct.usage", "123456789\n")
        try scratch.file("memory.usage_in_bytes", "900\n")
        try scratch.file("memory.limit_in_bytes", "9223372036854771712\n")
        try scratch.file("memory.stat", "inactive_file 1\ntotal_inactive_file 1000\n")
        try scratch.file("pids.current", "2\n")
        try scratch.file("pids.max", "9\n")
        try scratch.file("blkio.bfq.io_service_bytes_recursive", "Total 0\n")
        try scratch.file(
            "blkio.throttle.io_service_bytes_recursive",
            "8:0 Read 10\n8:0 Write 20\n8:0 Sync 30\n8:0 Async 0\n8:0 Discard 5\n8:0 Total 35\nTotal 35\n")
        let controllers = ["blkio", "cpuacct", "memory", "pids"]
        let usage = try cgroup(scratch, controllers, unified: false).usage()
        #expect(usage.cpu == 123_456_789)
        #expect(usage.memory == CgroupUsage.Memory(total: 900, inactiveFile: 1000, limit: nil))
        // More to drop than there is: docker then shows the whole.
        #expect(usage.memory?.used == 900)
        #expect(usage.pids == CgroupUsage.Pids(current: 2, limit: 9))
        #expect(usage.blockIO == CgroupUsage.BlockIO(read: 10, written: 20))
    }

    @Test(arguments: [false, true]) func whatIsMissingIsNotZero(_ unified: Bool) throws {
        let scratch = try Scratch(below: "/tmp")
        let all = ["blkio", "cpu", "cpuacct", "io", "memory", "pids"]
        #expect(try cgroup(scratch, all, unified: unified).usage() == CgroupUsage())
        #expect(try cgroup(scratch, [], unified: unified).usage() == CgroupUsage())
    }

    @Test func theMachine() throws {
        let statistics = "cpu  1 2 3 4 5 6 7 100 100 100\ncpu0 1 2 3 4 5 6 7 0 0 0\ncpu1 0 0\nintr 5\nctxt 9\n"
        let memory = "MemTotal:        2048 kB\nMemFree: 5 kB\n"
        #expect(
            SystemUsage(statistics: statistics, memory: memory, ticksPerSecond: 100)
                == SystemUsage(cpu: 280_000_000, onlineCPUs: 2, memory: 2 << 20))
        #expect(SystemUsage(statistics: "intr 5\n", memory: memory, ticksPerSecond: 100) == nil)
        #expect(SystemUsage(statistics: statistics, memory: "", ticksPerSecond: 100) == nil)
    }

    /// One of four CPUs' time is 100 percent, all of it 400.
    @Test func percentByDockersFormula() {
        func look(_ cpu: UInt64?, _ system: UInt64) -> (usage: CgroupUsage, system: SystemUsage) {
            var usage = CgroupUsage()
            usage.cpu = cpu
            return (usage, SystemUsage(cpu: system, onlineCPUs: 4, memory: 0))
        }
        #expect(CgroupUsage.cpuPercent(from: look(0, 0), to: look(1000, 4000)) == 100)
        #expect(CgroupUsage.cpuPercent(from: look(500, 100), to: look(4500, 4100)) == 400)
        #expect(CgroupUsage.cpuPercent(from: look(5, 5), to: look(5, 10)) == 0)
        #expect(CgroupUsage.cpuPercent(from: look(5, 5), to: look(9, 5)) == 0)
        #expect(CgroupUsage.cpuPercent(from: look(5, 5), to: look(4, 9)) == 0)
        #expect(CgroupUsage.cpuPercent(from: look(nil, 5), to: look(4, 9)) == nil)
    }
}
