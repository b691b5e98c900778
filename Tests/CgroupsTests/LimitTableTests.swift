import OCI
import Testing

@testable import Cgroups

/// The conversion between the runtime spec's values and both versions' files.
@Suite struct LimitTableTests {
    private func table(_ controller: String, unified: Bool, _ change: (inout Spec.Resources) -> Void) throws -> [String]
    {
        var resources = Spec.Resources()
        change(&resources)
        return try Limits(resources: resources).settings(of: controller, unified: unified).map {
            "\($0.file)=\($0.value)\($0.isUnlimited ? " (free)" : "")"
        }
    }

    struct MemoryCase: Sendable {
        let limit: Int64?
        let swap: Int64?
        var reservation: Int64?
        let v1: [String]
        let v2: [String]
    }

    static let memory: [MemoryCase] = [
        MemoryCase(limit: nil, swap: nil, v1: [], v2: []), MemoryCase(limit: 0, swap: 0, v1: [], v2: []),
        MemoryCase(limit: 100, swap: nil, v1: ["memory.limit_in_bytes=100"], v2: ["memory.max=100"]),
        MemoryCase(
            limit: 100, swap: 200, v1: ["memory.limit_in_bytes=100", "memory.memsw.limit_in_bytes=200"],
            v2: ["memory.max=100", "memory.swap.max=100"]),
        MemoryCase(
            limit: 100, swap: 100, v1: ["memory.limit_in_bytes=100", "memory.memsw.limit_in_bytes=100"],
            v2: ["memory.max=100", "memory.swap.max=0"]),
        MemoryCase(
            limit: 100, swap: -1, v1: ["memory.limit_in_bytes=100", "memory.memsw.limit_in_bytes=-1 (free)"],
            v2: ["memory.max=100", "memory.swap.max=max (free)"]),
        MemoryCase(
            limit: -1, swap: nil, v1: ["memory.limit_in_bytes=-1 (free)", "memory.memsw.limit_in_bytes=-1 (free)"],
            v2: ["memory.max=max (free)", "memory.swap.max=max (free)"]),
        MemoryCase(
            limit: 100, swap: nil, reservation: 50,
            v1: ["memory.limit_in_bytes=100", "memory.soft_limit_in_bytes=50"], v2: ["memory.max=100", "memory.low=50"]),
        MemoryCase(
            limit: nil, swap: nil, reservation: -1, v1: ["memory.soft_limit_in_bytes=-1 (free)"],
            v2: ["memory.low=0 (free)"]),
        MemoryCase(
            limit: .max, swap: .max,
            v1: ["memory.limit_in_bytes=\(Int64.max)", "memory.memsw.limit_in_bytes=\(Int64.max)"],
            v2: ["memory.max=\(Int64.max)", "memory.swap.max=0"]),
    ]

    @Test(arguments: memory.indices) func memoryInBothVersions(_ index: Int) throws {
        let row = Self.memory[index]
        for (unified, expected) in [(false, row.v1), (true, row.v2)] {
            let files = try table("memory", unified: unified) {
                var memory = Spec.Memory()
                (memory.limit, memory.swap, memory.reservation) = (row.limit, row.swap, row.reservation)
                $0.memory = memory
            }
            #expect(files == expected)
        }
    }

    static let badMemory: [(Int64?, Int64?, Int64?, String)] = [
        (nil, 100, nil, "it needs a memory limit (--memory) too"), (200, 100, nil, "cannot be below the memory limit"),
        (-1, 100, nil, "cannot be below the memory limit"), (-2, nil, nil, "-2 is negative"),
        (Int64.min, nil, nil, "is negative"), (100, -5, nil, "-5 is negative"),
        (100, nil, 200, "it cannot be above the memory limit"),
    ]

    @Test(arguments: badMemory.indices, [false, true]) func badMemoryIsNamed(_ index: Int, _ unified: Bool) {
        let (limit, swap, reservation, expected) = Self.badMemory[index]
        do {
            _ = try table("memory", unified: unified) {
                var memory = Spec.Memory()
                (memory.limit, memory.swap, memory.reservation) = (limit, swap, reservation)
                $0.memory = memory
            }
            Issue.record("accepted")
        } catch {
            #expect("\(error)".contains(expected), "\(error)")
        }
    }

    struct CPUCase: Sendable {
        var shares: UInt64?
        var quota: Int64?
        var period: UInt64?
        let v1: [String]
        let v2: [String]
    }

    static let cpu: [CPUCase] = [
        CPUCase(v1: [], v2: []), CPUCase(shares: 0, quota: 0, period: 0, v1: [], v2: []),
        CPUCase(shares: 1024, v1: ["cpu.shares=1024"], v2: ["cpu.weight=100"]),
        CPUCase(
            quota: 50_000, period: 100_000, v1: ["cpu.cfs_period_us=100000", "cpu.cfs_quota_us=50000"],
            v2: ["cpu.max=50000 100000"]),
        CPUCase(quota: 50_000, v1: ["cpu.cfs_quota_us=50000"], v2: ["cpu.max=50000"]),
        CPUCase(period: 20_000, v1: ["cpu.cfs_period_us=20000"], v2: ["cpu.max=max 20000"]),
        CPUCase(quota: -1, v1: ["cpu.cfs_quota_us=-1 (free)"], v2: ["cpu.max=max (free)"]),
    ]

    @Test(arguments: cpu.indices) func cpuInBothVersions(_ index: Int) throws {
        let row = Self.cpu[index]
        for (unified, expected) in [(false, row.v1), (true, row.v2)] {
            let files = try table("cpu", unified: unified) {
                var cpu = Spec.CPU()
                (cpu.shares, cpu.quota, cpu.period) = (row.shares, row.quota, row.period)
                $0.cpu = cpu
            }
            #expect(files == expected)
        }
    }

    /// Minimum, default and maximum meet; the values between are runc's.
    @Test(
        arguments: [
            (0, 1), (1, 1), (2, 1), (1024, 100), (512, 59), (2048, 174), (4096, 303), (262_144, 10_000),
            (UInt64.max, 10_000),
        ] as [(UInt64, UInt64)])
    func sharesAsWeight(_ shares: UInt64, _ weight: UInt64) {
        #expect(Limits.weight(shares: shares) == weight)
    }

    @Test func pidsInBothVersions() throws {
        for (limit, expected) in [(5, "pids.max=5"), (0, "pids.max=max (free)"), (-1, "pids.max=max (free)")] {
            for unified in [false, true] {
                #expect(try table("pids", unified: unified) { $0.pids = Spec.Pids(limit: Int64(limit)) } == [expected])
            }
        }
    }

    @Test func blockIOInBothVersions() throws {
        func settings(_ weight: UInt16, _ unified: Bool) throws -> [Setting] {
            var resources = Spec.Resources()
            resources.blockIO = Spec.BlockIO(weight: weight)
            return try Limits(resources: resources).settings(of: "io", unified: unified)
        }
        for (weight, scaled) in [(10, 1), (100, 910), (500, 4950), (1000, 10_000)] as [(UInt16, Int)] {
            let legacy = try settings(weight, false).map { [$0.file, $0.value, $0.fallback?.file, $0.fallback?.value] }
            #expect(legacy == [["blkio.bfq.weight", "\(weight)", "blkio.weight", "\(weight)"]])
            let unified = try settings(weight, true).map { [$0.file, $0.value, $0.fallback?.file, $0.fallback?.value] }
            #expect(unified == [["io.bfq.weight", "\(weight)", "io.weight", "\(scaled)"]])
        }
        #expect(try settings(0, true).isEmpty)
        for bad in [1, 9, 1001] as [UInt16] { #expect(throws: CgroupError.self) { try settings(bad, false) } }
    }

    @Test func swappinessAndOOMKillerAreV1Only() throws {
        func memory(_ unified: Bool, _ change: (inout Spec.Memory) -> Void) throws -> [String] {
            try table("memory", unified: unified) {
                var memory = Spec.Memory()
                change(&memory)
                $0.memory = memory
            }
        }
        #expect(try memory(false) { $0.swappiness = 7 } == ["memory.swappiness=7"])
        #expect(try memory(false) { $0.disableOOMKiller = true } == ["memory.oom_control=1"])
        #expect(throws: CgroupError.self) { try memory(true) { $0.swappiness = 7 } }
        #expect(throws: CgroupError.self) { try memory(true) { $0.disableOOMKiller = true } }
        #expect(throws: CgroupError.self) { try memory(false) { $0.swappiness = 101 } }
    }

    @Test func listsOfCPUs() throws {
        let all = try #require(CPUList("0-3,8-11"))
        for good in ["0", "1-2", "0-3,9", "11,0", "8-8"] { #expect(CPUList(good)?.isSubset(of: all) == true) }
        for outside in ["4", "3-8", "0,12"] { #expect(CPUList(outside)?.isSubset(of: all) == false) }
        for bad in ["", ",", "a", "1-", "-1", "3-1", "1-2-3", "+1", "1 ", "99999999999", "0;1"] {
            #expect(CPUList(bad) == nil, "\(bad)")
        }
    }
}
