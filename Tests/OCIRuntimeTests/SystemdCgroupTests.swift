internal import OCI
internal import Sys
internal import Systemd
internal import TestSupport
internal import Testing

extension OCIRuntimeTests {
    /// `--systemd-cgroup`: units of systemd's in place of directories of ours.
    @Suite(.enabled(if: UnitBench.hasSystemd, "needs systemd as the first process")) struct SystemdCgroup {
        private static let isUnified = File.exists("/sys/fs/cgroup/cgroup.controllers")

        @Test(arguments: OCIRuntime.all) func aContainerIsAScope(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                let unit = try UnitBench(bench)
                try unit.container.create(globals: UnitBench.globals)
                #expect(unit.container.status == "created" && unit.state == "active")
                #expect(try unit.cgroup() == "/system.slice/\(unit.unit)")
                let path = try unit.property("ControlGroup")
                #expect(path == .string("/system.slice/\(unit.unit)"))
                #expect(try unit.property("Slice") == .string("system.slice"))
                #expect(try unit.property("Delegate") == .boolean(true))
                // The process that held it has gone.
                let output = try bench.check("ps", "--format", "json", unit.container.id)
                #expect(try JSONValue(parsing: output.stdoutBytes).array?.count == 1, "\(output)")
                try unit.container.start()
                let inside = try unit.container.exec("cat", "/proc/self/cgroup")
                #expect(inside.stdout.contains(unit.unit), "\(inside)")
                try bench.check("pause", unit.container.id)
                #expect(unit.container.status == "paused")
                try bench.check("resume", unit.container.id)
                #expect(unit.container.status == "running" && unit.state == "active")
                try unit.container.kill()
                #expect(unit.container.becomes("stopped"))
                try unit.delete()
                unit.expectNothing()
            }
        }

        @Test(arguments: OCIRuntime.all) func limitsAreBothSystemdsAndTheKernels(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                let unit = try UnitBench(bench) {
                    $0["linux.resources"] = [
                        "memory": ["limit": 67_108_864, "reservation": 33_554_432],
                        "cpu": ["shares": 512, "quota": 33_333, "period": 100_000, "cpus": "0"], "pids": ["limit": 17],
                    ]
                }
                try unit.launch()
                #expect(try unit.property(Self.isUnified ? "MemoryMax" : "MemoryLimit") == .uint64(67_108_864))
                #expect(try unit.property("TasksMax") == .uint64(17))
                #expect(try unit.property("CPUQuotaPerSecUSec") == .uint64(340_000))
                #expect(try unit.file("memory", "memory.limit_in_bytes", "memory.max") == "67108864")
                #expect(try unit.file("pids", "pids.max", "pids.max") == "17")
                // What was asked for, where systemd rounds.
                let quota = try unit.file("cpu", "cpu.cfs_quota_us", "cpu.max")
                #expect(["33333", "33333 100000"].contains(quota), "\(quota)")
                #expect(try unit.file("cpuset", "cpuset.cpus", "cpuset.cpus") == "0")
                if Self.isUnified {
                    #expect(try unit.property("MemoryLow") == .uint64(33_554_432))
                    #expect(try unit.property("CPUWeight") == .uint64(59))
                    guard case .array("y", let mask) = try unit.property("AllowedCPUs") else {
                        Issue.record("no mask")
                        return
                    }
                    // It fills up to whole words.
                    #expect(mask.first == .byte(1) && mask.dropFirst().allSatisfy { $0 == .byte(0) }, "\(mask)")
                    #expect(try unit.file("cpu", "", "cpu.weight") == "59")
                }
                try unit.delete("--force")
                unit.expectNothing()
            }
        }

        /// What holds the scope must not take the place of the container's only process.
        @Test(arguments: OCIRuntime.all) func oneProcessIsEnough(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                let unit = try UnitBench(bench) {
                    $0["process.args"] = ["sleep", "1000"]
                    $0["linux.resources.pids"] = ["limit": 1]
                }
                try unit.launch()
                #expect(try unit.file("pids", "pids.max", "pids.max") == "1")
                #expect(try unit.property("TasksMax") == .uint64(1))
                try unit.delete("--force")
                unit.expectNothing()
            }
        }

        @Test(arguments: OCIRuntime.all) func updatesOutliveAReload(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                let unit = try UnitBench(bench) {
                    $0["linux.resources"] = ["memory": ["limit": 67_108_864], "pids": ["limit": 20]]
                }
                try unit.launch()
                let id = unit.container.id
                try bench.check("update", "--memory", "134217728", "--pids-limit", "30", id)
                try bench.check("update", "--cpu-quota", "12345", id)
                let memory = Self.isUnified ? "MemoryMax" : "MemoryLimit"
                let check = { (when: String) throws in
                    #expect(try unit.property(memory) == .uint64(134_217_728), "\(when)")
                    #expect(try unit.property("TasksMax") == .uint64(30), "\(when)")
                    #expect(try unit.file("memory", "memory.limit_in_bytes", "memory.max") == "134217728", "\(when)")
                    #expect(try unit.file("pids", "pids.max", "pids.max") == "30", "\(when)")
                }
                try check("at once")
                let quota = try unit.file("cpu", "cpu.cfs_quota_us", "cpu.max")
                #expect(["12345", "12345 100000"].contains(quota), "\(quota)")
                #expect(try unit.property("CPUQuotaPerSecUSec") == .uint64(130_000))
                try Tool.check("systemctl", ["daemon-reload"])
                try check("after a reload")
                try bench.expectRefused("update", "--memory", "much", id)
                try bench.expectRefused("update", "--cpu-quota", "1", id)
                try check("after what was refused")
                try bench.check("update", "--cpu-quota", "12345", id)
                try bench.check("update", "--memory", "134217728", id)
                let kept = try unit.file("cpu", "cpu.cfs_quota_us", "cpu.max")
                #expect(["12345", "12345 100000"].contains(kept), "\(kept)")
                try bench.check("update", "--pids-limit", "-1", id)
                #expect(try unit.property("TasksMax") == .uint64(.max))
                #expect(try unit.file("pids", "pids.max", "pids.max") == "max")
                try unit.delete("--force")
                unit.expectNothing()
            }
        }

        @Test(arguments: OCIRuntime.all) func aCreateThatFailsLeavesNoUnit(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                let changes: [(inout OCIConfig) -> Void] = [
                    { $0["process.args"] = ["there-is-no-such-program"] },
                    { $0["linux.resources.cpu"] = ["cpus": "4096-5000"] },
                    { $0["linux.resources.cpu"] = ["quota": 1, "period": 100_000] },
                    { $0.mount("/mnt", "bind", "/no/such/source", "bind") },
                    { $0["annotations"] = ["org.systemd.property.TasksMax": "'many'"] },
                    { $0["annotations"] = ["org.systemd.property.NoSuchProperty": "5"] },
                    { $0.hook("createRuntime", "exit 3") },
                ]
                for (number, change) in changes.enumerated() {
                    let unit = try UnitBench(bench, change: change)
                    let output = try bench.run(
                        ["create", "--bundle", unit.container.bundle, unit.container.id], globals: UnitBench.globals)
                    #expect(output.status != 0 && !output.stderr.isEmpty, "\(number): \(output)")
                    unit.expectNothing()
                    #expect(!bench.stateNames().contains(unit.container.id), "\(number)")
                }
            }
        }

        /// systemd's own socket, which is there where no bus is; each time from the beginning.
        @Test func systemdAnswersByItsOwnSocket() throws {
            let place = SystemdPlace(path: "/run/systemd/private", isBus: false)
            for _ in 0..<30 {
                let manager = try SystemdManager(places: [place], name: "systemd")
                let state = try manager.property("ActiveState", of: "basic.target")
                #expect(state == .string("active"))
                try manager.stop("runimgtest-none.scope")
            }
        }

        /// With the child that holds it the scope ends, whoever was to clean up.
        @Test(arguments: OCIRuntime.all.filter { $0.kind == .runimg })
        func aCreateThatIsKilledLeavesNoUnit(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                // Over what a whole one takes on this machine.
                let whole = try UnitBench(bench)
                let start = Wait.now
                try whole.container.create(globals: UnitBench.globals)
                let time = Wait.now - start
                try whole.delete("--force")
                var killed = 0
                for step in 1...8 {
                    let unit = try UnitBench(bench)
                    let output = try bench.run(
                        ["create", "--bundle", unit.container.bundle, unit.container.id], globals: UnitBench.globals,
                        under: ["timeout", "-s", "KILL", "\(time * Double(step) / 9)"])
                    if output.status != 0 { killed += 1 }
                    try unit.delete("--force")
                    unit.expectNothing()
                    #expect(!bench.stateNames().contains(unit.container.id))
                }
                #expect(killed > 0)
            }
        }

        @Test(arguments: OCIRuntime.all) func wrongPlacesAreRefused(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                for path in ["/a/path", "a:b", "a/b.slice:x:y", "system.slice:x:", "a--b.slice:x:y"] {
                    let container = try bench.container { $0["linux.cgroupsPath"] = .string(path) }
                    try bench.expectRefused(
                        "create", "--bundle", container.bundle, container.id, globals: UnitBench.globals)
                }
            }
        }

        /// A unit of that name is somebody else's, who keeps it.
        @Test(arguments: OCIRuntime.all) func othersUnitsAreLeft(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                let unit = try UnitBench(bench)
                try unit.launch()
                let second = try bench.container {
                    $0["linux.cgroupsPath"] = unit.container.config["linux.cgroupsPath"]
                }
                try bench.expectRefused("create", "--bundle", second.bundle, second.id, globals: UnitBench.globals)
                _ = try bench.run(["delete", "--force", second.id], globals: UnitBench.globals)
                #expect(unit.state == "active" && unit.container.status == "running")
                try unit.delete("--force")
                unit.expectNothing()
            }
        }

        @Test(arguments: OCIRuntime.all) func aSliceIsBelowItsParents(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                let unit = try UnitBench(bench, "runimgtest-burst-NAME.slice:cri:NAME", unit: "cri-NAME.scope")
                try unit.launch()
                let name = unit.unit.dropFirst(4).dropLast(6)
                let slices = "/runimgtest.slice/runimgtest-burst.slice/runimgtest-burst-\(name).slice"
                #expect(try unit.cgroup() == "\(slices)/\(unit.unit)")
                try unit.delete("--force")
                unit.expectNothing()
                try Tool.check("systemctl", ["stop", "runimgtest.slice"])
            }
        }

        @Test func aContainerMayBeASlice() throws {
            try OCIBench.with(OCIRuntime.all[0]) { bench in
                let unit = try UnitBench(bench, "::runimgtest-NAME.slice", unit: "runimgtest-NAME.slice") {
                    $0["linux.resources.pids"] = ["limit": 9]
                }
                try unit.launch()
                #expect(try unit.cgroup() == "/runimgtest.slice/\(unit.unit)" && unit.state == "active")
                #expect(try unit.property("TasksMax") == .uint64(9))
                try unit.delete("--force")
                unit.expectNothing()
                try Tool.check("systemctl", ["stop", "runimgtest.slice"])
            }
        }

        @Test(arguments: OCIRuntime.all) func annotationsArePropertiesOfTheUnit(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                let unit = try UnitBench(bench) {
                    $0["annotations"] = [
                        "org.systemd.property.TimeoutStopUSec": "uint64 123456789",
                        "org.systemd.property.CollectMode": "'inactive-or-failed'",
                    ]
                }
                try unit.launch()
                #expect(try unit.property("TimeoutStopUSec") == .uint64(123_456_789))
                try unit.delete("--force")
                unit.expectNothing()
            }
        }

        /// Out of memory the unit has failed, and systemd would keep it.
        @Test(arguments: OCIRuntime.all) func aUnitThatFailedIsGoneToo(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                let unit = try UnitBench(bench, script: "head -c 60000000 /dev/zero | tail -c 50000000 | wc -c; exit 3")
                {
                    $0["linux.resources.memory"] = ["limit": 16_777_216, "swap": 16_777_216]
                }
                try unit.launch()
                #expect(unit.container.becomes("stopped"))
                try unit.delete()
                unit.expectNothing()
            }
        }

        @Test(arguments: OCIRuntime.all) func runLeavesNothing(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                let unit = try UnitBench(bench, script: "cat /proc/self/cgroup; ls /sys/fs/cgroup; exit 7") {
                    $0.namespace("cgroup", .new)
                    $0.mount("/sys/fs/cgroup", "cgroup", "cgroup", "ro", "nosuid", "noexec", "nodev")
                }
                let output = try bench.run(
                    ["run", "--bundle", unit.container.bundle, unit.container.id], globals: UnitBench.globals)
                #expect(output.status == 7, "\(output)")
                // Its own cgroup is the root of what it sees.
                #expect(!output.stdout.contains(unit.unit), "\(output)")
                if Self.isUnified { #expect(output.lines.contains("0::/") && output.stdout.contains("cgroup.procs")) }
                unit.expectNothing()
            }
        }

        @Test(arguments: OCIRuntime.all) func devicesStayRefusedAfterAReload(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                let unit = try UnitBench(bench) {
                    $0["linux.resources.devices"] = [["allow": false, "access": "rwm"]]
                    $0["linux.devices"] = [
                        ["path": "/dev/kmsg", "type": "c", "major": 1, "minor": 11, "fileMode": 438]
                    ]
                }
                try unit.launch()
                // v1's lists are systemd's to write as well, v2's programs are not.
                if !Self.isUnified { #expect(try unit.property("DevicePolicy") == .string("strict")) }
                for when in ["at once", "after a reload"] {
                    let output = try unit.container.exec("head", "-c", "1", "/dev/kmsg")
                    #expect(output.status != 0 && output.stderr.contains("not permitted"), "\(when): \(output)")
                    let zero = try unit.container.exec("head", "-c", "1", "/dev/zero")
                    #expect(zero.status == 0, "\(when): \(zero)")
                    try Tool.check("systemctl", ["daemon-reload"])
                }
                try unit.delete("--force")
                unit.expectNothing()
            }
        }
    }

    /// Where no systemd runs, that is said, with what to do about it.
    @Suite(.enabled(if: !UnitBench.hasSystemd, "needs a machine without systemd")) struct WithoutSystemd {
        @Test func thatIsSaid() throws {
            let runtime = try #require(OCIRuntime.all.first)
            try OCIBench.with(runtime) { bench in
                for globals in [["--systemd-cgroup"], ["--cgroup-manager", "systemd"], ["--cgroup-manager=systemd"]] {
                    let container = try bench.container { $0["linux.cgroupsPath"] = "system.slice:x:NAME" }
                    let output = try bench.run(
                        ["create", "--bundle", container.bundle, container.id], globals: globals)
                    #expect(output.status == 1 && output.stderr.contains("--cgroup-manager cgroupfs"), "\(output)")
                    #expect(bench.stateNames().isEmpty)
                }
            }
        }
    }
}
