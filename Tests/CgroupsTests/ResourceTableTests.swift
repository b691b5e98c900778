import OCI
import Testing

@testable import Cgroups

/// The runtime spec's less usual limits in both versions' files.
@Suite struct ResourceTableTests {
    private static func table(
        _ controller: String, unified: Bool, _ change: (inout Spec.Resources) -> Void
    ) throws -> [String] {
        var resources = Spec.Resources()
        change(&resources)
        return try Limits(resources: resources).settings(of: controller, unified: unified).map {
            let fallback = $0.fallback.map { " or \($0.file)=\($0.value)" } ?? ""
            return
                "\($0.file)=\($0.value)\(fallback)\($0.isUnlimited ? " (free)" : "")\($0.isOptional ? " (optional)" : "")"
        }
    }

    struct Row: Sendable {
        let controller: String
        let v1: [String]
        let v2: [String]
        let change: @Sendable (inout Spec.Resources) -> Void
    }

    private static func cpu(_ v1: [String], _ v2: [String], _ change: @escaping @Sendable (inout Spec.CPU) -> Void)
        -> Row
    {
        Row(controller: "cpu", v1: v1, v2: v2) {
            var cpu = Spec.CPU()
            change(&cpu)
            $0.cpu = cpu
        }
    }

    private static func memory(
        _ v1: [String], _ v2: [String], _ change: @escaping @Sendable (inout Spec.Memory) -> Void
    ) -> Row {
        Row(controller: "memory", v1: v1, v2: v2) {
            var memory = Spec.Memory()
            change(&memory)
            $0.memory = memory
        }
    }

    private static func io(_ v1: [String], _ v2: [String], _ change: @escaping @Sendable (inout Spec.BlockIO) -> Void)
        -> Row
    {
        Row(controller: "io", v1: v1, v2: v2) {
            var blockIO = Spec.BlockIO()
            change(&blockIO)
            $0.blockIO = blockIO
        }
    }

    static let rows: [Row] = [
        cpu(["cpu.cfs_quota_us=50", "cpu.cfs_burst_us=50"], ["cpu.max=50", "cpu.max.burst=50"]) {
            ($0.quota, $0.burst) = (50, 50)
        },
        cpu(["cpu.cfs_burst_us=0 (free)"], ["cpu.max.burst=0 (free)"]) { $0.burst = 0 },
        // The kernel takes no shares while the cgroup is idle.
        cpu(["cpu.idle=1"], ["cpu.idle=1"]) { ($0.idle, $0.shares) = (1, 512) },
        cpu(["cpu.idle=0 (free)", "cpu.shares=1024"], ["cpu.idle=0 (free)", "cpu.weight=100"]) {
            ($0.idle, $0.shares) = (0, 1024)
        },
        cpu(["cpu.rt_runtime_us=0 (free)"], []) { ($0.realtimeRuntime, $0.realtimePeriod) = (0, 0) },
        cpu(["cpu.rt_runtime_us=-1"], []) { $0.realtimeRuntime = -1 },
        memory(["memory.kmem.limit_in_bytes=5 (optional)", "memory.kmem.tcp.limit_in_bytes=6 (optional)"], []) {
            ($0.kernel, $0.kernelTCP) = (5, 6)
        },
        memory([], []) { ($0.kernel, $0.kernelTCP) = (0, 0) },
        memory(["memory.use_hierarchy=1 (optional)"], []) { $0.useHierarchy = true },
        memory([], []) { ($0.checkBeforeUpdate, $0.disableOOMKiller) = (true, false) },
        io(
            ["blkio.bfq.weight_device=8:16 100 or blkio.weight_device=8:16 100"],
            ["io.bfq.weight=8:16 100 or io.weight=8:16 910"]
        ) {
            $0.weightDevice = [Spec.WeightDevice(major: 8, minor: 16), Spec.WeightDevice(major: 8, minor: 0)]
            $0.weightDevice?[0].weight = 100
        },
        io(
            [
                "blkio.throttle.read_bps_device=8:0 1", "blkio.throttle.write_bps_device=8:0 2",
                "blkio.throttle.read_iops_device=8:0 3", "blkio.throttle.write_iops_device=8:0 \(UInt64.max)",
            ], ["io.max=8:0 rbps=1", "io.max=8:0 wbps=2", "io.max=8:0 riops=3", "io.max=8:0 wiops=\(UInt64.max)"]
        ) {
            $0.throttleReadBpsDevice = [Spec.ThrottleDevice(major: 8, minor: 0, rate: 1)]
            $0.throttleWriteBpsDevice = [Spec.ThrottleDevice(major: 8, minor: 0, rate: 2)]
            $0.throttleReadIOPSDevice = [Spec.ThrottleDevice(major: 8, minor: 0, rate: 3)]
            $0.throttleWriteIOPSDevice = [Spec.ThrottleDevice(major: 8, minor: 0, rate: .max)]
        },
        io(["blkio.throttle.read_bps_device=8:0 0 (free)"], ["io.max=8:0 rbps=max (free)"]) {
            $0.throttleReadBpsDevice = [Spec.ThrottleDevice(major: 8, minor: 0, rate: 0)]
        },
        Row(
            controller: "hugetlb",
            v1: ["hugetlb.2MB.limit_in_bytes=0", "hugetlb.2MB.rsvd.limit_in_bytes=0 (optional)"],
            v2: ["hugetlb.2MB.max=0", "hugetlb.2MB.rsvd.max=0 (optional)"]
        ) { $0.hugepageLimits = [Spec.HugepageLimit(pageSize: "2MB", limit: 0)] },
        Row(
            controller: "rdma", v1: ["rdma.max=a hca_handle=1", "rdma.max=a hca_object=2", "rdma.max=b hca_object=0"],
            v2: ["rdma.max=a hca_handle=1", "rdma.max=a hca_object=2", "rdma.max=b hca_object=0"]
        ) {
            var (first, second) = (Spec.RDMA(), Spec.RDMA())
            (first.hcaHandles, first.hcaObjects, second.hcaObjects) = (1, 2, 0)
            $0.rdma = ["b": second, "a": first, "c": Spec.RDMA()]
        },
    ]

    @Test(arguments: rows.indices) func inBothVersions(_ index: Int) throws {
        let row = Self.rows[index]
        #expect(try Self.table(row.controller, unified: false, row.change) == row.v1)
        #expect(try Self.table(row.controller, unified: true, row.change) == row.v2)
    }

    @Test func realtimePeriodComesFirst() throws {
        let files = try Self.table("cpu", unified: false) {
            var cpu = Spec.CPU()
            (cpu.realtimeRuntime, cpu.realtimePeriod) = (950_000, 1_000_000)
            $0.cpu = cpu
        }
        #expect(files == ["cpu.rt_period_us=1000000", "cpu.rt_runtime_us=950000"])
    }

    @Test func networkIsV1Only() throws {
        var network = Spec.Network()
        (network.classID, network.priorities) = (7, [Spec.Network.Priority(name: "lo", priority: 3)])
        let change: (inout Spec.Resources) -> Void = { $0.network = network }
        #expect(try Self.table("net_cls", unified: false, change) == ["net_cls.classid=7"])
        #expect(try Self.table("net_prio", unified: false, change) == ["net_prio.ifpriomap=lo 3"])
        for controller in ["net_cls", "net_prio"] {
            #expect(throws: CgroupError.self) { try Self.table(controller, unified: true, change) }
            // Nothing asked for is no error.
            #expect(try Self.table(controller, unified: true) { $0.network = Spec.Network() } == [])
        }
    }

    struct Bad: Sendable {
        let controller: String
        let versions: [Bool]
        let message: String
        let change: @Sendable (inout Spec.Resources) -> Void

        init(
            _ controller: String, _ versions: [Bool], _ message: String,
            _ change: @escaping @Sendable (inout Spec.Resources) -> Void
        ) {
            (self.controller, self.versions, self.message, self.change) = (controller, versions, message, change)
        }
    }

    private static func bad(
        _ versions: [Bool], _ message: String, _ change: @escaping @Sendable (inout Spec.CPU) -> Void
    ) -> Bad {
        Bad("cpu", versions, message) {
            var cpu = Spec.CPU()
            change(&cpu)
            $0.cpu = cpu
        }
    }

    private static func badIO(
        _ versions: [Bool], _ message: String,
        _ change: @escaping @Sendable (inout Spec.BlockIO) -> Void
    ) -> Bad {
        Bad("io", versions, message) {
            var blockIO = Spec.BlockIO()
            change(&blockIO)
            $0.blockIO = blockIO
        }
    }

    private static let both = [false, true]

    static let bad: [Bad] = [
        bad(both, "CPU burst: 51 is above the quota, 50") { ($0.quota, $0.burst) = (50, 51) },
        bad(both, "CPU idle policy: 2 is not 0 or 1") { $0.idle = 2 },
        bad(both, "(--cpu-rt-runtime): -2 is negative") { $0.realtimeRuntime = -2 },
        bad([true], "(--cpu-rt-runtime): cgroup v2 has no realtime bandwidth") { $0.realtimeRuntime = 5 },
        bad([true], "(--cpu-rt-period): cgroup v2 has no realtime bandwidth") { $0.realtimePeriod = 5 },
        badIO([true], "block I/O leaf weight: cgroup v2 has no leaf weight") { $0.leafWeight = 10 },
        badIO(both, "block I/O leaf weight: 9 is not between 10 and 1000") { $0.leafWeight = 9 },
        badIO([true], "block I/O leaf weight of 8:0: cgroup v2 has no leaf weight") {
            $0.weightDevice = [Spec.WeightDevice(major: 8, minor: 0)]
            $0.weightDevice?[0].leafWeight = 10
        },
        badIO(both, "block I/O weight of 8:0 (--blkio-weight-device): 1001 is not between 10 and 1000") {
            $0.weightDevice = [Spec.WeightDevice(major: 8, minor: 0)]
            $0.weightDevice?[0].weight = 1001
        },
        badIO(both, "(--device-read-bps): -1:0 is no device number") {
            $0.throttleReadBpsDevice = [Spec.ThrottleDevice(major: -1, minor: 0, rate: 1)]
        },
        Bad("memory", [true], "hierarchical accounting of memory: cgroup v2 cannot switch it off") {
            var memory = Spec.Memory()
            memory.useHierarchy = false
            $0.memory = memory
        },
        Bad("memory", both, "(--kernel-memory): -2 is negative") {
            var memory = Spec.Memory()
            memory.kernel = -2
            $0.memory = memory
        },
        Bad("net_prio", [false], "network priority: \"a b\" names no interface") {
            var network = Spec.Network()
            network.priorities = [Spec.Network.Priority(name: "a b", priority: 3)]
            $0.network = network
        },
        Bad("rdma", both, "RDMA limit: \"aU+000Ab\" names no device") { $0.rdma = ["a\nb": Spec.RDMA()] },
    ]

    @Test(arguments: bad.indices) func isRefusedByName(_ index: Int) {
        let row = Self.bad[index]
        for version in row.versions {
            do {
                _ = try Self.table(row.controller, unified: version, row.change)
                Issue.record("accepted")
            } catch {
                #expect("\(error)".contains(row.message), "\(error)")
            }
        }
    }

    /// It becomes part of a file's name.
    @Test(arguments: ["", "MB", "2", "2mb", "02MB", "2.5MB", "../2MB", "2/MB", "-2MB", "2MB/x", "٢MB"])
    func aPageSizeIsOne(_ size: String) {
        #expect(throws: CgroupError.self) {
            try Self.table("hugetlb", unified: true) {
                $0.hugepageLimits = [Spec.HugepageLimit(pageSize: size, limit: 1)]
            }
        }
    }

    @Test(arguments: [(2048, "2MB"), (1_048_576, "1GB"), (64, "64KB"), (1536, "1536KB"), (16_777_216, "16GB")])
    func sizesOfPages(_ kilobytes: UInt64, _ text: String) { #expect(Hugepages.text(kilobytes: kilobytes) == text) }

    /// How the value of one device is put back.
    @Test func linesOfADevice() {
        let limits = "8:16 rbps=1 wbps=max riops=max wiops=7\n8:0 rbps=5 wbps=6 riops=max wiops=max\n"
        func entry(_ device: String, _ key: String?) -> String {
            Setting.Entry(device: device, key: key, none: "max").value(in: limits)
        }
        #expect(entry("8:0", "rbps") == "8:0 rbps=5")
        #expect(entry("8:16", "wiops") == "8:16 wiops=7")
        #expect(entry("8:1", "wiops") == "8:1 wiops=max")
        let weights = Setting.Entry(device: "8:0", none: "default")
        #expect(weights.value(in: "default 100\n8:0 200\n") == "8:0 200")
        #expect(weights.value(in: "default 100\n") == "8:0 default")
        #expect(Setting.Entry(device: "lo", none: "0").value(in: "eth0 1\nlo 5\n") == "lo 5")
    }
}
