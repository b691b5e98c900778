internal import Glibc
internal import Sys
internal import TestSupport
import Testing

extension EndToEnd {
    /// `update`: limits of a container that runs change at once and stay for its next start, both or neither.
    @Suite(
        .enabled(
            if: Conditions.hasController("memory") && Conditions.hasController("pids")
                && Conditions.hasController("cpu"), "needs the memory, pids and cpu controllers"))
    struct Update {
        private static func limits(_ container: DetachedContainer) throws -> [String] {
            [
                try container.limit("memory", "memory.limit_in_bytes", v2: "memory.max"),
                try container.limit("pids", "pids.max", v2: "pids.max"),
                try container.limit("cpu", "cpu.cfs_quota_us", v2: "cpu.max").split(separator: " ").first.map(
                    String.init)
                    ?? "",
            ]
        }

        @Test func changesAtOnceAndForTheNextStart() throws {
            let container = try DetachedContainer(["-m", "64m", "--pids-limit", "30"], "sleep", "1000")
            #expect(try Self.limits(container)[..<2] == ["\(64 << 20)", "30"])
            let output = try container.runimg.check(
                "update", "-m", "96m", "--memory-swap", "192m", "--pids-limit", "40", "--cpus", "0.5", container.id)
            #expect(output.stdout == "\(container.id)\n")
            let expected = ["\(96 << 20)", "40", "50000"]
            #expect(try Self.limits(container) == expected)
            try container.runimg.check("restart", "-t", "0", container.id)
            #expect(try Self.limits(container) == expected)
        }

        @Test func aStoppedOneStartsWithTheNewLimits() throws {
            let container = try DetachedContainer(["-m", "64m"], "sleep", "1000")
            try container.runimg.check("kill", container.id)
            try container.runimg.check(
                "update", "-m", "32m", "--pids-limit", "20", "--cpu-period", "50000", "--cpu-quota", "25000",
                container.id)
            try container.runimg.check("start", container.id)
            #expect(try Self.limits(container) == ["\(32 << 20)", "20", "25000"])
        }

        @Test func aLimitThatTheKernelRefusesChangesNothing() throws {
            let container = try DetachedContainer(
                ["-m", "64m", "--memory-swap", "64m"], "sh", "-c",
                "(head -c 16777216 /dev/zero; : > /ready; sleep 1000) | tail -c 16777216")
            let ready = "\(container.runimg.dataRoot)/overlay2/\(container.id)/diff/ready"
            #expect(Wait.until(seconds: 20) { File.exists(ready) })
            let before = try Self.limits(container)
            let output = try container.runimg(
                "update", "--pids-limit", "20", "-m", "8m", "--memory-swap", "8m", container.id)
            #expect(output.status == 1 && output.stdout.isEmpty, "\(output)")
            #expect(output.stderr.contains("Cannot update container \(container.id)"), "\(output.stderr)")
            #expect(output.stderr.contains("8388608") && output.stderr.contains("EBUSY"), "\(output.stderr)")
            #expect(try Self.limits(container) == before)
            try container.runimg.check("restart", "-t", "0", container.id)
            #expect(try Self.limits(container) == before)
        }

        @Test(.enabled(if: Tool.find("chattr") != nil, "needs chattr")) func aRecordThatCannotBeWrittenChangesNothing()
            throws
        {
            let container = try DetachedContainer(["-m", "64m", "--memory-swap", "64m"], "sleep", "1000")
            let before = try Self.limits(container)
            let directory = "\(container.runimg.dataRoot)/containers/\(container.id)"
            try Tool.check("chattr", ["+i", directory])
            let output = try container.runimg("update", "-m", "96m", "--memory-swap", "96m", container.id)
            try Tool.check("chattr", ["-i", directory])
            #expect(output.status == 1 && output.stderr.contains("EPERM"), "\(output)")
            #expect(try Self.limits(container) == before)
        }

        @Test(
            arguments: [
                (["-m", "500m"], "Memory limit should be smaller than already set memoryswap limit"),
                (["--cpu-quota", "50000"], "CPU Quota cannot be updated as NanoCPUs has already been set"),
                (["-m", "1m"], "Minimum memory limit allowed is 6MB"),
                (["--memory-swap", "8m"], "Minimum memoryswap limit should be larger than memory limit"),
                (["--cpus", "100000"], "range of CPUs is from 0.01"),
                (["--blkio-weight", "5"], "Range of blkio weight is from 10 to 1000"),
                (["--cpuset-cpus", "1000"], "1000 is asked for"),
            ] as [([String], String)])
        func whatContradictsIsRefusedInDockersWords(_ flags: [String], _ message: String) throws {
            let container = try DetachedContainer(["-m", "64m", "--cpus", "0.5"], "sleep", "1000")
            let before = try Self.limits(container)
            let output = try container.runimg.run(["update"] + flags + [container.id])
            #expect(output.status == 1 && output.stderr.contains(message), "\(output)")
            #expect(try Self.limits(container) == before)
        }

        @Test func theRestartPolicyIsTakenUpByTheMonitor() throws {
            let scratch = try Scratch()
            let container = try DetachedContainer(
                ["-v", "\(scratch.path):/out"], "sh", "-c",
                "echo >> /out/starts; sleep 1; test -e /out/go || sleep 1000")
            #expect(Wait.until(seconds: 10) { File.exists(scratch("starts")) })
            try container.runimg.check("update", "--restart", "always", container.id)
            try scratch.file("go", "")
            let first = try #require(container.processes.first)
            kill(first, SIGKILL)
            #expect(Wait.until(seconds: 20) { (try? File.readAll(scratch("starts")).count) ?? 0 > 1 })
            try container.runimg.check("update", "--restart", "no", container.id)
        }

        @Test func aContainerThatRemovesItselfKeepsNoPolicy() throws {
            let container = try DetachedContainer(["--rm"], "sleep", "1000")
            let output = try container.runimg("update", "--restart", "always", container.id)
            #expect(output.status == 1 && output.stderr.contains("because AutoRemove is enabled"), "\(output)")
        }
    }
}
