internal import Glibc
internal import Sys
internal import TestSupport
import Testing

extension EndToEnd {
    /// Limits that the kernel enforces; read back from inside, where the container sees its own cgroup, and felt.
    @Suite struct Resources {
        /// A v1 file below the controller's mount, or the v2 file of another name.
        static func value(_ flags: [String], _ controller: String, _ file: String, v2: String) throws -> String {
            try EndToEnd.shell(
                flags, "cat /sys/fs/cgroup/\(controller)/\(file) 2>/dev/null || cat /sys/fs/cgroup/\(v2)")
        }

        struct Death: Sendable, CustomTestStringConvertible {
            let testDescription: String
            let command: [String]
            let code: Int32
            let isOutOfMemory: Bool
            var limit = "64m"
        }

        static let deaths = [
            Death(
                testDescription: "process 1 eats", command: ["/probe", "eat", "200"], code: 137, isOutOfMemory: true),
            Death(
                testDescription: "a child eats, process 1 lives on",
                command: ["sh", "-c", "/probe eat 200 >/dev/null; echo child $?; exit 3"], code: 3, isOutOfMemory: true),
            Death(
                testDescription: "less than process 1 needs", command: ["/probe", "eat", "50"], code: 137,
                isOutOfMemory: true, limit: "6m"),
            Death(
                testDescription: "kill -9 of a child", command: ["sh", "-c", "sh -c 'kill -9 $$'; exit $?"], code: 137,
                isOutOfMemory: false),
            Death(
                testDescription: "137 of its own", command: ["/probe", "exit", "137"], code: 137, isOutOfMemory: false),
            Death(testDescription: "enough memory", command: ["/probe", "eat", "20"], code: 0, isOutOfMemory: false),
        ]

        /// The state that the one container's record has once it has ended.
        static func state(_ runimg: Runimg) throws -> (oomKilled: Bool, exitCode: Int32) {
            struct Record: Decodable {
                struct State: Decodable {
                    let oomKilled: Bool
                    let exitCode: Int32
                }
                let state: State
            }
            let entries = try Directory.entries("\(runimg.dataRoot)/containers").map(\.name)
            let containers = entries.filter { $0.utf8.count == 64 }
            let id = try #require(containers.count == 1 ? containers.first : nil)
            let bytes = try File.readAll("\(runimg.dataRoot)/containers/\(id)/config.json")
            let state = try OCILayout.decode(Record.self, bytes).state
            return (state.oomKilled, state.exitCode)
        }

        @Test(
            "F21: out of memory is said and recorded when the kernel killed for it, and only then",
            .enabled(if: Conditions.hasController("memory"), "needs the memory controller"), arguments: deaths,
            [[], ["--init"]])
        func outOfMemoryIsToldTruly(_ death: Death, _ flags: [String]) throws {
            let runimg = try Runimg()
            let image = "oci:\(Fixtures.layout("busybox")):latest"
            let output = try runimg.run(["run", "-q", "-m", death.limit] + flags + [image] + death.command)
            #expect(output.status == death.code, "\(output)")
            #expect(!output.stdout.contains("eaten=200"))
            #expect(output.stderr.contains("out of memory") == death.isOutOfMemory, "\(output)")
            let state = try Self.state(runimg)
            #expect(state.oomKilled == death.isOutOfMemory && state.exitCode == death.code)
        }

        @Test(
            "F21: a container that its user kills, beside one that runs out of memory, did not",
            .enabled(if: Conditions.hasController("memory"), "needs the memory controller"))
        func anotherContainersMemoryIsNotOurs() throws {
            let runimg = try Runimg()
            let image = "oci:\(Fixtures.layout("busybox")):latest"
            let mark = "1000000.\(getpid())"
            var child = try runimg.start("run", "-q", "-m", "64m", image, "sleep", mark)
            var pid: Int32?
            #expect(
                Wait.until(seconds: 20) {
                    pid = (try? Tool.run("pgrep", ["-f", "-x", "sleep \(mark)"]).lines.first).flatMap { Int32($0) }
                    return pid != nil
                })
            #expect(try run(["-m", "64m"], "/probe", "eat", "200").status == 137)
            kill(try #require(pid), SIGKILL)
            #expect(try child.wait(seconds: 20) == .exited(137))
            #expect(!runimg.startedErrors.contains("memory"), "\(runimg.startedErrors)")
            #expect(try !Self.state(runimg).oomKilled)
        }

        @Test(.enabled(if: Conditions.hasController("memory"), "needs the memory controller"))
        func memoryLimitsAreSet() throws {
            #expect(try Self.value(["-m", "100m"], "memory", "memory.limit_in_bytes", v2: "memory.max") == "104857600")
            #expect(
                try Self.value(
                    ["-m", "100m", "--memory-reservation", "50m"], "memory", "memory.soft_limit_in_bytes",
                    v2: "memory.low")
                    == "52428800")
        }

        @Test(
            .enabled(
                if: File.exists("/sys/fs/cgroup/memory/memory.memsw.limit_in_bytes"),
                "needs swap accounting of cgroup v1"))
        func swapIsCountedTogetherWithMemory() throws {
            let file = "memory.memsw.limit_in_bytes"
            #expect(try Self.value(["-m", "100m"], "memory", file, v2: "none") == "209715200")
            #expect(try Self.value(["-m", "100m", "--memory-swap", "150m"], "memory", file, v2: "none") == "157286400")
            #expect(try Self.value(["-m", "100m", "--memory-swap", "100m"], "memory", file, v2: "none") == "104857600")
            let unlimited = try Self.value(["-m", "100m", "--memory-swap", "-1"], "memory", file, v2: "none")
            #expect(try #require(UInt64(unlimited)) > 1 << 60)
        }

        @Test func limitsThatContradictAreRefused() throws {
            for flags in [["-m", "1m"], ["-m", "100m", "--memory-swap", "50m"], ["--memory-swap", "100m"]] {
                let output = try run(flags, "true")
                #expect(output.status == 125, "\(output)")
            }
        }

        @Test(.enabled(if: Conditions.hasController("pids"), "needs the pids controller"))
        func processesAreCounted() throws {
            let output = try run(["--pids-limit", "20"], "/probe", "forkbomb", "100")
            #expect(output.stdout.hasSuffix("EAGAIN\n"), "\(output)")
            let made = try #require(Int(output.stdout.split { "= ".contains($0) }[1]))
            #expect((15...19).contains(made))
            // threats.md: 4096 by default, lifted by the flag.
            #expect(try Self.value([], "pids", "pids.max", v2: "pids.max") == "4096")
            #expect(try Self.value(["--pids-limit", "-1"], "pids", "pids.max", v2: "pids.max") == "max")
        }

        @Test(.enabled(if: Conditions.hasController("cpu"), "needs the cpu controller"))
        func processorTimeIsRationed() throws {
            // The kernel's own count: how much time a program got depends on what else the machine does.
            let output = try shell(
                ["--cpus", "0.25"],
                "/probe spin 1; cat /sys/fs/cgroup/cpu/cpu.stat 2>/dev/null || cat /sys/fs/cgroup/cpu.stat")
            let line = try #require(output.split(separator: "\n").first { $0.hasPrefix("nr_throttled ") }, "\(output)")
            #expect(line != "nr_throttled 0")
            #expect(try Self.value(["--cpus", "1.5"], "cpu", "cpu.cfs_quota_us", v2: "cpu.max").hasPrefix("150000"))
            #expect(
                try Self.value(["--cpu-shares", "512"], "cpu", "cpu.shares", v2: "cpu.weight") == "512"
                    || !File.exists("/sys/fs/cgroup/cpu"))
        }

        @Test(.enabled(if: Conditions.hasController("cpuset"), "needs the cpuset controller"))
        func processorsAreChosen() throws {
            #expect(try probe("--cpuset-cpus", "0")["cpus_allowed"] == "0")
            let output = try run(["--cpuset-cpus", "9999"], "true")
            #expect(output.status == 125, "\(output)")
            #expect(try run(["--cpuset-cpus", "0-4294967295"], "true", timeout: 10).status == 125)
        }

        @Test func moreProcessorsThanThereAreIsRefused() throws {
            let output = try run(["--cpus", "1000"], "true")
            #expect(output.status == 125 && output.stderr.contains("CPUs"), "\(output)")
        }

        @Test func everyProcessIsInTheContainersCgroup() throws {
            // threats.md R22: joined before any code of the image runs.
            let runimg = try Runimg()
            var child = try runimg.start(
                "run", "--rm", "-q", "oci:\(Fixtures.layout("busybox")):latest", "sh", "-c",
                "sleep 101 & sleep 102 & echo up; wait")
            #expect(Wait.until(seconds: 20) { runimg.startedOutput.contains("up") })
            for seconds in ["101", "102"] {
                let pid = try #require(
                    try Tool.run("pgrep", ["-f", "-x", "sleep \(seconds)"]).lines.first)
                let groups = String(decoding: try File.readAll("/proc/\(pid)/cgroup", limit: 65536), as: UTF8.self)
                for line in groups.split(separator: "\n") {
                    #expect(line.contains("/runimg/"), "\(line)")
                }
            }
            try runimg.end(&child)
        }
    }
}
