internal import OCI
internal import Sys
internal import TestSupport
internal import Testing

extension OCIRuntimeTests {
    /// `update`, flag by flag: what the kernel has been told then, in either version.
    @Suite struct Updates {
        struct Case: Sendable, CustomStringConvertible {
            let flags: [String]
            let controller, file, unified: String
            let expected: Set<String>
            var lacking: Set<OCIRuntime.Kind> = []
            var description: String { flags.joined(separator: " ") }
        }

        static let cases: [Case] = [
            Case(
                flags: ["--cpu-share", "512"], controller: "cpu", file: "cpu.shares", unified: "cpu.weight",
                expected: ["512", "20", "59"]),
            Case(
                flags: ["--cpu-period", "60000", "--cpu-quota", "30000"], controller: "cpu", file: "cpu.cfs_quota_us",
                unified: "cpu.max", expected: ["30000", "30000 60000"]),
            Case(
                flags: ["--cpu-period", "50000"], controller: "cpu", file: "cpu.cfs_period_us", unified: "cpu.max",
                expected: ["50000", "30000 50000"], lacking: [.crun, .runc]),
            Case(
                flags: ["--cpu-burst", "10000"], controller: "cpu", file: "cpu.cfs_burst_us", unified: "cpu.max.burst",
                expected: ["10000"], lacking: [.crun, .runc]),
            Case(
                flags: ["--cpu-quota", "-1"], controller: "cpu", file: "cpu.cfs_quota_us", unified: "cpu.max",
                expected: ["-1", "max 50000", "max 60000", "max 100000"], lacking: [.crun]),
            Case(
                flags: ["--cpu-idle", "1"], controller: "cpu", file: "cpu.idle", unified: "cpu.idle", expected: ["1"],
                lacking: [.crun, .runc]),
            Case(
                flags: ["--cpuset-cpus", "0"], controller: "cpuset", file: "cpuset.cpus", unified: "cpuset.cpus",
                expected: ["0"]),
            Case(
                flags: ["--cpuset-mems", "0"], controller: "cpuset", file: "cpuset.mems", unified: "cpuset.mems",
                expected: ["0"]),
            Case(
                flags: ["--memory", "64M"], controller: "memory", file: "memory.limit_in_bytes", unified: "memory.max",
                expected: ["67108864"], lacking: [.crun]),
            Case(
                flags: ["--memory", "134217728"], controller: "memory", file: "memory.limit_in_bytes",
                unified: "memory.max", expected: ["134217728"]),
            Case(
                flags: ["--memory-reservation", "33554432"], controller: "memory", file: "memory.soft_limit_in_bytes",
                unified: "memory.low", expected: ["33554432"]),
            Case(
                flags: ["--pids-limit", "30"], controller: "pids", file: "pids.max", unified: "pids.max",
                expected: ["30"]),
            Case(
                flags: ["--pids-limit", "-1"], controller: "pids", file: "pids.max", unified: "pids.max",
                expected: ["max"], lacking: [.crun]),
        ]

        @Test(arguments: OCIRuntime.all) func flagByFlag(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                let container = try bench.container("sleep 1000")
                try container.launch()
                for each in Self.cases where Conditions.hasController(each.controller) {
                    // One that this kernel was built without.
                    guard container.limit(each.controller, each.file, unified: each.unified) != nil else { continue }
                    try runtime.deviates(each.lacking, "\(runtime) lacks it", isIntermittent: true) {
                        let output = try bench.run(["update"] + each.flags + [container.id])
                        #expect(output.status == 0, "\(output)")
                        let found = container.limit(each.controller, each.file, unified: each.unified) ?? "none"
                        #expect(each.expected.contains(found), "\(each): \(found)")
                    }
                }
            }
        }

        /// The kernel moves what runs to where it may.
        @Test(
            .enabled(if: Conditions.hasController("cpuset"), "needs the controller cpuset"),
            arguments: OCIRuntime.all)
        func processorsHaveAnEffect(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                let container = try bench.container("sleep 1000") { $0["linux.resources.cpu"] = ["cpus": "0"] }
                try container.launch()
                let pid = container.pid
                let allowed = { () -> String? in
                    let status = try? File.readAll("/proc/\(pid)/status", limit: 65536)
                    let lines = String(decoding: status ?? [], as: UTF8.self).split(separator: "\n")
                    return lines.first { $0.hasPrefix("Cpus_allowed_list:") }?.split(separator: "\t").last.map(
                        String.init)
                }
                #expect(allowed() == "0")
                #expect(try container.shell("grep Cpus_allowed_list: /proc/self/status") == "Cpus_allowed_list:\t0")
                try bench.expectRefused("update", "--cpuset-cpus", "4000-4095", container.id)
                #expect(allowed() == "0")
                let count = try Tool.check("nproc", ["--all"]).lines.first.flatMap { Int($0) } ?? 1
                if count > 1 {
                    try bench.check("update", "--cpuset-cpus", "1", container.id)
                    #expect(Wait.until(seconds: 5) { allowed() == "1" })
                }
            }
        }

        @Test(
            .enabled(if: Conditions.hasController("memory"), "needs the controller memory"), arguments: OCIRuntime.all)
        func memoryWithSwap(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                let container = try bench.container("sleep 1000")
                try container.launch()
                let both = { container.limit("memory", "memory.memsw.limit_in_bytes", unified: "memory.swap.max") }
                // No swap, no limit on it.
                guard both() != nil else { return }
                try bench.check("update", "--memory", "67108864", "--memory-swap", "134217728", container.id)
                #expect(["134217728", "67108864"].contains(both() ?? "none"), "\(both() ?? "none")")
                try bench.check("update", "--memory-swap", "-1", container.id)
                #expect(both() == "max" || (both() ?? "").count > 15, "\(both() ?? "none")")
            }
        }

        @Test(arguments: OCIRuntime.all.filter { $0.kind == .runimg })
        func whatCannotBeIsRefused(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                let container = try bench.container("sleep 1000")
                try container.launch()
                let before = container.limit("memory", "memory.limit_in_bytes", unified: "memory.max")
                for flags in [
                    ["--memory", "64X"], ["--memory", "9223372036854775807g"], ["--memory", "m"], ["--memory", "-2"],
                    ["--pids-limit", "x"], ["--cpu-share", "-3"], ["--cpu-quota", "1"], ["--blkio-weight", "9"],
                    ["--blkio-weight", "70000"], ["--cpu-idle", "2"], ["--no-such-flag", "1"],
                ] {
                    try bench.expectRefused(["update"] + flags + [container.id])
                }
                let after = container.limit("memory", "memory.limit_in_bytes", unified: "memory.max")
                #expect(after == before)
            }
        }
    }
}
