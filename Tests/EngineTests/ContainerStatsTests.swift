import Testing

@testable import Cgroups
@testable import Engine

@Suite struct ContainerStatsTests {
    @Test func twoLooksMakeAPercentage() {
        var usage = CgroupUsage()
        usage.cpu = 1_000_000_000
        usage.memory = CgroupUsage.Memory(total: 300, inactiveFile: 100)
        usage.pids = CgroupUsage.Pids(current: 3)
        usage.blockIO = CgroupUsage.BlockIO(read: 5, written: 6)
        let system = SystemUsage(cpu: 10_000_000_000, onlineCPUs: 2, memory: 800)
        let before = StatsSample(usage: usage, system: system)
        usage.cpu = 1_500_000_000
        let after = StatsSample(
            usage: usage, system: SystemUsage(cpu: 12_000_000_000, onlineCPUs: 2, memory: 800),
            network: ContainerStats.Traffic(read: 1, written: 2))
        let stats = ContainerStats(id: "i", name: "n", before: before, now: after)
        #expect(stats.cpuPercent == 50)
        #expect(stats.memoryUsed == 200 && stats.memoryLimit == 800 && stats.memoryPercent == 25)
        #expect(stats.pids == 3 && stats.blockIO == ContainerStats.Traffic(read: 5, written: 6))
        #expect(stats.network == ContainerStats.Traffic(read: 1, written: 2))
        // One look tells nothing of the time between.
        #expect(ContainerStats(id: "i", name: "n", before: nil, now: after).cpuPercent == 0)
    }

    @Test func aLimitAboveTheMachinesMemoryIsTheMachines() {
        var usage = CgroupUsage()
        usage.memory = CgroupUsage.Memory(total: 300, inactiveFile: 0, limit: 10_000)
        let system = SystemUsage(cpu: 1, onlineCPUs: 1, memory: 800)
        let stats = ContainerStats(id: "i", name: "n", before: nil, now: StatsSample(usage: usage, system: system))
        #expect(stats.memoryLimit == 800)
    }

    /// What does not run uses nothing; what nobody counts is not known.
    @Test func stoppedIsZeroAndUncountedIsAbsent() {
        let stopped = ContainerStats(id: "i", name: "n", before: nil, now: nil)
        #expect(stopped.cpuPercent == 0 && stopped.memoryUsed == 0 && stopped.pids == 0 && stopped.memoryPercent == 0)
        #expect(stopped.blockIO == ContainerStats.Traffic(read: 0, written: 0))
        let system = SystemUsage(cpu: 1, onlineCPUs: 1, memory: 800)
        let unknown = ContainerStats(
            id: "i", name: "n", before: nil, now: StatsSample(usage: CgroupUsage(), system: system))
        #expect(unknown.cpuPercent == nil && unknown.memoryUsed == nil && unknown.memoryPercent == nil)
        #expect(unknown.pids == nil && unknown.blockIO == nil && unknown.network == nil)
    }

    @Test func trafficOfAllInterfacesButTheLoopback() {
        let text = """
            Inter-|   Receive                                                |  Transmit
             face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
                lo:     777       2    0    0    0     0          0         0      777       2    0    0    0     0       0          0
              eth0:     100       2    0    0    0     0          0         0       20       2    0    0    0     0       0          0
            eth1:1:1      2    0    0    0     0          0         0       2       2    0    0    0     0       0          0
              odd
            """
        #expect(NetworkCounters.parse(Array(text.utf8)) == ContainerStats.Traffic(read: 101, written: 22))
        #expect(NetworkCounters.parse([]) == ContainerStats.Traffic(read: 0, written: 0))
        // The host's own traffic is not a container's.
        #expect(NetworkCounters.read(of: 1 << 30) == nil)
    }
}
