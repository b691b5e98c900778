internal import OCI
internal import Sys
internal import TestSupport
internal import Testing

extension OCIRuntimeTests {
    /// config-linux.md, "Control groups": what the kernel has been told, in either version.
    @Suite struct Resources {
        /// A controller with the files of both versions, what is asked for, and what they say then.
        struct Case: Sendable, CustomStringConvertible {
            let controller, file, unified, path: String
            let value: JSONValue
            let expected: Set<String>
            var description: String { path }
        }

        static let cases: [Case] = [
            Case(
                controller: "memory", file: "memory.limit_in_bytes", unified: "memory.max", path: "memory.limit",
                value: 67_108_864, expected: ["67108864"]),
            Case(
                controller: "memory", file: "memory.soft_limit_in_bytes", unified: "memory.low",
                path: "memory.reservation", value: 33_554_432, expected: ["33554432"]),
            Case(
                controller: "cpu", file: "cpu.shares", unified: "cpu.weight", path: "cpu.shares", value: 512,
                expected: ["512", "20", "59"]),
            Case(
                controller: "pids", file: "pids.max", unified: "pids.max", path: "pids.limit", value: 17,
                expected: ["17"]),
            Case(
                controller: "cpuset", file: "cpuset.cpus", unified: "cpuset.cpus", path: "cpu.cpus", value: "0",
                expected: ["0"]),
            Case(
                controller: "cpuset", file: "cpuset.mems", unified: "cpuset.mems", path: "cpu.mems", value: "0",
                expected: ["0"]),
        ]

        @Test(arguments: OCIRuntime.all) func areSet(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                let cases = Self.cases.filter { Conditions.hasController($0.controller) }
                let container = try bench.container("sleep 1000") { config in
                    for each in cases { config["linux.resources.\(each.path)"] = each.value }
                }
                try container.create()
                for each in cases {
                    let found = container.limit(each.controller, each.file, unified: each.unified) ?? "none"
                    #expect(each.expected.contains(found), "\(each): \(found)")
                }
            }
        }

        @Test(.enabled(if: Conditions.hasController("cpu")), arguments: OCIRuntime.all)
        func timeOfTheProcessor(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                let container = try bench.container("sleep 1000") {
                    $0["linux.resources.cpu"] = ["quota": 20_000, "period": 50_000]
                }
                try container.create()
                let quota = container.limit("cpu", "cpu.cfs_quota_us", unified: "cpu.max")
                #expect(quota == "20000" || quota == "20000 50000")
                let period = container.limit("cpu", "cpu.cfs_period_us", unified: "cpu.max")
                #expect(period == "50000" || period == "20000 50000")
            }
        }

        /// A disk whose speed a controller can limit, as MAJOR:MINOR.
        private static let disk: String? = {
            let isLegacy = File.exists("/sys/fs/cgroup/blkio/blkio.throttle.read_bps_device")
            guard isLegacy || Conditions.hasController("io") else { return nil }
            return try? Tool.check("sh", ["-c", "lsblk -dnro MAJ:MIN -I 8,253,254,259 | head -1"]).lines.first
        }()

        @Test(
            .enabled(if: disk != nil, "needs a disk, and a controller that limits its speed"),
            arguments: OCIRuntime.all)
        func speedOfADisk(_ runtime: OCIRuntime) throws {
            let device = try #require(Self.disk)
            let numbers = device.split(separator: ":").compactMap { Int($0) }
            try OCIBench.with(runtime) { bench in
                let container = try bench.container("sleep 1000") {
                    $0["linux.resources.blockIO"] = [
                        "throttleReadBpsDevice": [
                            ["major": JSONValue(numbers[0]), "minor": JSONValue(numbers[1]), "rate": 1_000_000]
                        ],
                        "throttleWriteIOPSDevice": [
                            ["major": JSONValue(numbers[0]), "minor": JSONValue(numbers[1]), "rate": 77]
                        ],
                    ]
                }
                try container.create()
                // One file has all of them on v2.
                let all = "\(device) rbps=1000000 wbps=max riops=max wiops=77"
                let read = container.limit("blkio", "blkio.throttle.read_bps_device", unified: "io.max")
                #expect(read == "\(device) 1000000" || read == all)
                let write = container.limit("blkio", "blkio.throttle.write_iops_device", unified: "io.max")
                #expect(write == "\(device) 77" || write == all)
            }
        }

        @Test(.enabled(if: Conditions.hasController("pids")), arguments: OCIRuntime.all)
        func haveAnEffect(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                let script = "for i in 1 2 3 4 5 6 7 8 9; do sleep 1 & done 2>&1 | grep -c fork; wait"
                let output = try bench.run(script: script) { $0["linux.resources.pids"] = ["limit": 5] }
                #expect(output.stdout + output.stderr != "0\n", "\(output)")
                let memory = try bench.run(script: "head -c 60000000 /dev/zero | tail -c 50000000 | wc -c") {
                    $0["linux.resources.memory"] = ["limit": 16_777_216, "swap": 16_777_216]
                }
                #expect(!memory.stdout.contains("50000000"), "\(memory)")
            }
        }

        @Test(arguments: OCIRuntime.all) func valuesThatCannotBeAreRefused(_ runtime: OCIRuntime) throws {
            try runtime.deviates([.crun], "crun 1.8.1 leaves control groups behind", isIntermittent: true) {
                try OCIBench.with(runtime) { bench in
                    try bench.expectRefused { $0["linux.resources.cpu"] = ["cpus": "4096-5000"] }
                    try bench.expectRefused { $0["linux.resources.cpu"] = ["quota": 1, "period": 100_000] }
                    try bench.expectRefused {
                        $0["linux.resources.memory"] = ["limit": .number("99999999999999999999")]
                    }
                }
            }
        }

        @Test(.enabled(if: Conditions.hasController("memory")), arguments: OCIRuntime.all)
        func areUpdated(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                let container = try bench.container("sleep 1000") {
                    $0["linux.resources"] = ["memory": ["limit": 67_108_864], "pids": ["limit": 20]]
                }
                try container.launch()
                let memory = { container.limit("memory", "memory.limit_in_bytes", unified: "memory.max") }
                let pids = { container.limit("pids", "pids.max", unified: "pids.max") }
                try bench.check("update", "--memory", "134217728", container.id)
                #expect(memory() == "134217728" && pids() == "20")
                try bench.check("update", "--pids-limit", "30", "--cpu-share", "256", container.id)
                #expect(memory() == "134217728" && pids() == "30")
                // As containerd does it.
                let resources: JSONValue = ["memory": ["limit": 100_663_296], "pids": ["limit": 40]]
                let output = try bench.run(["update", "--resources", "-", container.id], input: resources.written)
                try runtime.deviates([.crun], "crun 1.8.1 takes '-' for a file's name", isIntermittent: true) {
                    #expect(output.status == 0 && memory() == "100663296" && pids() == "40", "\(output)")
                }
                let file = try bench.scratch.file("resources.json", resources.written)
                try bench.check("update", "--resources", file, container.id)
                #expect(memory() == "100663296" && pids() == "40")
                try bench.expectRefused("update", "--memory", "much", container.id)
                try bench.expectRefused("update", "--resources", bench.scratch("nothing"), container.id)
                #expect(memory() == "100663296" && pids() == "40")
            }
        }

        @Test(arguments: OCIRuntime.all) func aPathMayBeRelativeOrAbsent(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                let relative = try bench.container("sleep 1000") {
                    $0["linux.cgroupsPath"] = .string(String(($0["linux.cgroupsPath"]?.string ?? "").dropFirst()))
                }
                try relative.create()
                let absent = try bench.container("sleep 1000") { $0["linux.cgroupsPath"] = nil }
                try absent.create()
                for container in [relative, absent] {
                    let lines = String(decoding: try File.readAll("/proc/\(container.pid)/cgroup"), as: UTF8.self)
                    #expect(lines.contains(container.id), "\(lines)")
                    try bench.check("delete", "--force", container.id)
                    let left = LeakSnapshot.cgroups(named: container.id)
                    #expect(left.isEmpty, "\(left)")
                }
                // Some begin a relative one where they are themselves, and leave its parent there.
                LeakSnapshot.removeCgroups(named: bench.cgroup)
                #expect(LeakSnapshot.cgroups(named: bench.cgroup).isEmpty)
            }
        }

        @Test(arguments: OCIRuntime.all) func aPathStaysInTheHierarchy(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                let name = "oci-escaped-\(bench.cgroup.suffix(6))"
                let container = try bench.container("sleep 1000") {
                    $0["linux.cgroupsPath"] = .string("/../../../../..\(bench.scratch.path)/\(name)")
                }
                let output = try bench.run(["create", "--bundle", container.bundle, container.id])
                try runtime.deviates([.crun], "crun 1.8.1 makes directories where the path leads") {
                    #expect(!File.exists(bench.scratch(name)), "\(output)")
                }
                _ = try bench("delete", "--force", container.id)
                // The same names inside of the hierarchy, whose parents stay.
                LeakSnapshot.removeCgroups(named: Path.split(bench.scratch.path).name)
            }
        }
    }
}
