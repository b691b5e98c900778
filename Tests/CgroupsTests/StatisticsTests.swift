import OCI
import Sys
import TestSupport
import Testing

@testable import Cgroups

@Suite struct StatisticsTests {
    private func cgroup(_ scratch: Scratch, _ controllers: [String], unified: Bool) -> Cgroup {
        let hierarchy = CgroupLayout.Hierarchy(
            mountPoint: scratch.path, controllers: controllers, isUnified: unified)
        return Cgroup(path: "/", directories: [CgroupDirectory(path: scratch.path, hierarchy: hierarchy)])
    }

    private typealias Entry = CgroupStatistics.BlockIO.Entry

    @Test func unified() throws {
        let scratch = try Scratch(below: "/tmp")
        try scratch.file(
            "cpu.stat",
            "usage_usec 1500\nuser_usec 1000\nsystem_usec 500\nnr_periods 3\nnr_throttled 2\nthrottled_usec 7\n")
        try scratch.file("memory.current", "5000\n")
        try scratch.file("memory.peak", "6000\n")
        try scratch.file("memory.max", "9000\n")
        try scratch.file("memory.events", "low 0\nhigh 1\nmax 4\noom 2\noom_kill 1\n")
        try scratch.file("memory.swap.current", "100\n")
        try scratch.file("memory.swap.max", "1000\n")
        try scratch.file("memory.stat", "anon 1\nfile 2\n")
        try scratch.file("pids.current", "7\n")
        try scratch.file("pids.max", "max\n")
        try scratch.file("io.stat", "8:0 rbytes=100 wbytes=20 rios=1 wios=2 dbytes=9 dios=0\n253:0 \nbad rbytes=1\n")
        let statistics = try cgroup(scratch, ["cpu", "io", "memory", "pids"], unified: true).statistics()
        var cpu = CgroupStatistics.CPU(total: 1_500_000, user: 1_000_000, kernel: 500_000)
        cpu.throttling = CgroupStatistics.Throttling(periods: 3, throttledPeriods: 2, throttledTime: 7000)
        #expect(statistics.cpu == cpu)
        #expect(
            statistics.memory
                == CgroupStatistics.Memory(
                    usage: CgroupStatistics.Counter(usage: 5000, maximum: 6000, limit: 9000, failures: 4), cache: 2,
                    swap: CgroupStatistics.Counter(usage: 5100, limit: 10_000), details: ["anon": 1, "file": 2]))
        #expect(statistics.pids == CgroupUsage.Pids(current: 7, limit: nil))
        #expect(
            statistics.blockIO?.bytes == [
                Entry(major: 8, minor: 0, kind: "Read", value: 100),
                Entry(major: 8, minor: 0, kind: "Write", value: 20),
                Entry(major: 8, minor: 0, kind: "Discard", value: 9),
            ])
        #expect(
            statistics.blockIO?.operations == [
                Entry(major: 8, minor: 0, kind: "Read", value: 1), Entry(major: 8, minor: 0, kind: "Write", value: 2),
                Entry(major: 8, minor: 0, kind: "Discard", value: 0),
            ])
        #expect(statistics.hugepages == nil)
    }

    @Test func legacy() throws {
        let scratch = try Scratch(below: "/tmp")
        try scratch.file("cpuacct.usage", "99\n")
        try scratch.file("cpuacct.usage_user", "60\n")
        try scratch.file("cpuacct.usage_sys", "39\n")
        try scratch.file("cpuacct.usage_percpu", "90 9 \n")
        try scratch.file("cpu.stat", "nr_periods 3\nnr_throttled 2\nthrottled_time 7\n")
        for (name, value) in [("", 1), (".memsw", 2), (".kmem", 3), (".kmem.tcp", 4)] {
            try scratch.file("memory\(name).usage_in_bytes", "\(value)\n")
            try scratch.file("memory\(name).max_usage_in_bytes", "\(value * 10)\n")
            try scratch.file("memory\(name).limit_in_bytes", "9223372036854771712\n")
            try scratch.file("memory\(name).failcnt", "\(value * 100)\n")
        }
        try scratch.file("memory.stat", "cache 5\nrss 6\nhierarchical_memory_limit 18446744073709551615\n")
        try scratch.file("blkio.bfq.io_service_bytes_recursive", "8:0 Read 0\nTotal 0\n")
        try scratch.file("blkio.throttle.io_service_bytes_recursive", "8:0 Read 10\n8:0 Total 10\nTotal 10\n")
        try scratch.file("blkio.throttle.io_serviced_recursive", "8:0 Read 2\n8:0 Total 2\nTotal 2\n")
        let controllers = ["blkio", "cpu", "cpuacct", "memory"]
        let statistics = try cgroup(scratch, controllers, unified: false).statistics()
        let throttling = CgroupStatistics.Throttling(periods: 3, throttledPeriods: 2, throttledTime: 7)
        #expect(
            statistics.cpu
                == CgroupStatistics.CPU(total: 99, user: 60, kernel: 39, perCPU: [90, 9], throttling: throttling))
        let memory = try #require(statistics.memory)
        let counters = [memory.usage, memory.swap, memory.kernel, memory.kernelTCP]
        for (index, counter) in counters.enumerated() {
            let value = UInt64(index + 1)
            #expect(counter == CgroupStatistics.Counter(usage: value, maximum: value * 10, failures: value * 100))
        }
        #expect(memory.cache == 5 && memory.details["rss"] == 6)
        #expect(
            statistics.blockIO?.bytes == [
                Entry(major: 8, minor: 0, kind: "Read", value: 10), Entry(major: 8, minor: 0, kind: "Total", value: 10),
            ])
        #expect(statistics.blockIO?.operations.map(\.value) == [2, 2])
        #expect(statistics.pids == nil)
    }

    @Test(arguments: [false, true]) func whatIsMissingIsNotZero(_ unified: Bool) throws {
        let scratch = try Scratch(below: "/tmp")
        let all = ["blkio", "cpu", "cpuacct", "hugetlb", "io", "memory", "pids"]
        #expect(try cgroup(scratch, all, unified: unified).statistics() == CgroupStatistics())
    }

    @Test(.enabled(if: Machine.hasMemory && Machine.hasCPU && Machine.hasPids, "needs root and controllers"))
    func ofWhatRuns() throws {
        let fixture = try CgroupFixture()
        let cgroup = try fixture.make {
            var cpu = Spec.CPU()
            (cpu.quota, cpu.period) = (10_000, 100_000)
            $0.cpu = cpu
            var memory = Spec.Memory()
            memory.limit = 64 << 20
            $0.memory = memory
        }
        let shell = try ShellInCgroup("x=$(head -c 3000000 /dev/zero | tr '\\0' a); while :; do :; done", in: cgroup)
        // A slow machine is throttled before the shell has read it all, and has waited for who wrote it.
        let isBusy = try Wait.until(seconds: 20) {
            let now = try cgroup.statistics()
            return (now.cpu?.throttling?.throttledPeriods ?? 0) > 1 && (now.memory?.usage.usage ?? 0) > 3_000_000
                && now.pids?.current == 1
        }
        #expect(isBusy)
        let statistics = try cgroup.statistics()
        let cpu = try #require(statistics.cpu)
        #expect(try #require(cpu.throttling).throttledTime > 0)
        #expect(cpu.total > 0 && (cpu.user ?? 0) + (cpu.kernel ?? 0) > 0)
        let memory = try #require(statistics.memory)
        #expect(memory.usage.limit == 64 << 20 && memory.usage.usage > 3_000_000)
        #expect(!memory.details.isEmpty)
        #expect(statistics.pids?.current == 1)
        try cgroup.killAll()
        _ = try shell.finish()
        try cgroup.remove()
        #expect(try cgroup.statistics() == CgroupStatistics())
    }
}
