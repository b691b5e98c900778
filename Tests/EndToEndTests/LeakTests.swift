internal import Glibc
internal import OCI
internal import Sys
internal import TestSupport
import Testing

extension EndToEnd {
    /// Nothing stays behind: not after an end, not after a start that failed, not after `kill -9` and one more command.
    @Suite struct Leaks {
        static let image = "oci:\(Fixtures.layout("busybox")):latest"

        /// A program whose store has settled: one container has run, so that directories made once are there.
        static func settled() throws -> Runimg {
            let runimg = try Runimg()
            try runimg.check("pull", "-q", image)
            // With a volume, so that the places are there which are made with the first one and stay.
            try runimg.check("run", "--rm", "-q", "-v", "/etc", image, "true")
            return runimg
        }

        @Test func acceptedRunsLeaveNothing() throws {
            let runimg = try Self.settled()
            let before = try LeakSnapshot(dataRoot: runimg.dataRoot)
            for flags in [[], ["--init"], ["-m", "64m"], ["--read-only"], ["--privileged"], ["--network", "host"]] {
                let output = try runimg.run(
                    ["run", "--rm", "-q"] + flags + [Self.image, "sh", "-c", "echo x > /tmp/x; exit 4"])
                #expect(output.status == 4 || flags == ["--read-only"], "\(output)")
            }
            try EndToEnd.expectClean(before)
        }

        @Test(arguments: [
            ["no-such-command"], ["/etc/passwd"], ["-v", "/no/such:relative"],
            ["--mount", "type=bind,src=/no/such,dst=/x"],
            ["--device", "/dev/no-such"], ["-u", "no-such-user"], ["--sysctl", "kernel.no_such=1"],
            ["--sysctl", "net.ipv4.no_such=1"], ["--cpuset-cpus", "9999"], ["-m", "1k"], ["--cpus", "9999"],
            ["--security-opt", "seccomp=/no/such"], ["-v", "/etc/hostname:/etc"], ["-v", "/etc:/etc/passwd"],
            ["-w", "/etc/passwd"], ["--env-file", "/no/such"], ["--ulimit", "nofile=99999999999"],
            ["--tmpfs", "/x:size=nonsense"], ["--group-add", "no-such-group"],
        ])
        func aStartThatFailsLeavesNothing(_ arguments: [String]) throws {
            let runimg = try Self.settled()
            let before = try LeakSnapshot(dataRoot: runimg.dataRoot)
            let isFlag = arguments[0].hasPrefix("-")
            let output = try runimg.run(
                ["run", "--rm", "-q"] + (isFlag ? arguments + [Self.image, "true"] : [Self.image] + arguments))
            #expect((output.status ?? 0) >= 125, "\(output)")
            #expect(output.stderr.split(separator: "\n").first?.isEmpty == false && !output.lingering)
            try EndToEnd.expectClean(before)
            // Without --rm as well: a container that never started is nobody's.
            let kept = try runimg.run(
                ["run", "-q"] + (isFlag ? arguments + [Self.image, "true"] : [Self.image] + arguments))
            #expect((kept.status ?? 0) >= 125)
            try EndToEnd.expectClean(before)
        }

        @Test func aContainerThatOutlivedItsCommandLeavesNothing() throws {
            let runimg = try Self.settled()
            let before = try LeakSnapshot(dataRoot: runimg.dataRoot)
            var child = try runimg.start(
                "run", "--rm", "-q", Self.image, "sh", "-c", "sleep 1000 & echo up; sleep 1000")
            #expect(Wait.until(seconds: 20) { runimg.startedOutput.contains("up") })
            try runimg.end(&child)
            try EndToEnd.expectClean(before)
        }

        @Test func killedAtAnyMomentOfAStart() throws {
            let runimg = try Self.settled()
            let before = try LeakSnapshot(dataRoot: runimg.dataRoot)
            for step in 0..<40 {
                var child = try runimg.start("run", "--rm", "-q", Self.image, "sleep", "1000")
                Wait.sleep(Double(step) * 0.002)
                try child.kill()
                if step % 5 == 4 {
                    // Some were started already, and live on.
                    try runimg.check("rm", "-f", "--all")
                    try runimg.check("images")
                    try EndToEnd.expectClean(before, "killed after \(step * 2) ms")
                }
            }
        }

        @Test(
            "F3: a run killed at a call is cleaned up by the next command",
            .enabled(if: SyscallFaults.isPossible, "\(SyscallFaults.requirements)"),
            arguments: [
                "/^mkdir", "/^symlink", "/^unlink", "write", "/^clone", "flock", "openat2", "openat", "/^rename",
                "/^u?mount", "sendmsg", "recvmsg",
            ], [["--rm"], ["--rm", "--name", "same", "-v", "named:/data", "-v", "/anonymous"], []])
        func killedAtACallOfAStart(_ call: String, _ flags: [String]) throws {
            let runimg = try Self.settled()
            let id = try #require(try runimg("images", "-q").lines.first)
            try runimg.check("run", "--rm", "-v", "named:/data", id, "true")
            let before = try LeakSnapshot(dataRoot: runimg.dataRoot)
            let kept = !flags.contains("--rm")
            let isStep = ["/^mkdir", "/^symlink"].contains(call)
            try CrashEnumerator(call, samples: isStep ? 8 : 2).run(
                prepare: {},
                command: { _, prefix in
                    try runimg.run(["run"] + flags + [id, "true"], under: prefix).status == 0
                },
                check: { _, moment, _ in
                    try runimg.settle()
                    for line in try before.leaks(ignoringStore: kept) { Issue.record("\(moment) left behind: \(line)") }
                    if kept { try expectEnded(runimg, "\(moment)") }
                    // The same once more, name and all.
                    #expect(try runimg.run(["run"] + flags + [id, "true"]).status == 0, "\(moment)")
                })
        }

        /// All records can be read and say that their containers are over.
        private func expectEnded(_ runimg: Runimg, _ moment: String) throws {
            for entry in try Directory.entries("\(runimg.dataRoot)/containers") where entry.name.count == 64 {
                let record = try File.readAll("\(runimg.dataRoot)/containers/\(entry.name)/config.json")
                #expect(String(decoding: record, as: UTF8.self).contains(#""status":"exited""#), "\(moment)")
            }
        }

        @Test func aKilledPrivilegedAndHostPidContainerIsCleanedUp() throws {
            let runimg = try Self.settled()
            let before = try LeakSnapshot(dataRoot: runimg.dataRoot)
            var child = try runimg.start(
                "run", "--rm", "-q", "--pid", "host", "--privileged", Self.image, "sh", "-c",
                "setsid sleep 1234 & sleep 0.1; echo up; sleep 1234")
            #expect(Wait.until(seconds: 20) { runimg.startedOutput.contains("up") })
            try runimg.end(&child)
            try EndToEnd.expectClean(before)
            #expect(try Tool.run("pgrep", ["-f", "-x", "sleep 1234"]).stdout.isEmpty)
        }

        @Test func manySignalsDoNotEndTheCleaningUp() throws {
            let runimg = try Self.settled()
            let before = try LeakSnapshot(dataRoot: runimg.dataRoot)
            for _ in 0..<10 {
                var child = try runimg.start("run", "--rm", "-q", Self.image, "/probe", "signals")
                #expect(Wait.until(seconds: 20) { runimg.startedOutput.contains("ready") })
                while try child.wait(seconds: 0.0005) == nil { try? child.signal(SIGTERM) }
                // No further command: what is gone is gone by the run itself.
                try EndToEnd.expectClean(before)
            }
        }

        @Test func theContainerDiesWithItsNamespace() throws {
            let runimg = try Self.settled()
            let output = try runimg("run", "--rm", "-q", Self.image, "sh", "-c", "sleep 4321 & sleep 4321 & echo up")
            #expect(output.stdout == "up\n" && !output.lingering)
            #expect(try Tool.run("pgrep", ["-f", "-x", "sleep 4321"]).stdout.isEmpty)
        }

        @Test func hostileTargetsAreRefusedWithoutLeaks() throws {
            let runimg = try Self.settled()
            let before = try LeakSnapshot(dataRoot: runimg.dataRoot)
            for target in ["/proc", "/proc/self", "/proc/sys", "/"] {
                let output = try runimg("run", "--rm", "-q", "-v", "/tmp:\(target)", Self.image, "true")
                #expect(output.status == 125, "\(output)")
            }
            try EndToEnd.expectClean(before)
        }

        @Test(.enabled(if: SyscallFaults.isPossible, "\(SyscallFaults.requirements)"))
        func aRunningContainerHoldsNoCommandUp() throws {
            // Nobody else's containers are looked at there.
            let scratch = try Scratch()
            let runimg = try Runimg(configuration: #"{"exec-root": "\#(scratch("run"))"}"#)
            try runimg.check("pull", "-q", Self.image)
            let image = try #require(try runimg.check("images", "-q").lines.first)
            let id = try #require(try runimg.check("run", "-d", image, "sleep", "1000").lines.first)
            let log = scratch("log")
            let pauses = ["strace", "-f", "-qq", "-o", log, "-e", "trace=clock_nanosleep"]
            #expect(try runimg.run(["images"], under: pauses).status == 0)
            #expect(String(decoding: try File.readAll(log), as: UTF8.self).isEmpty)
            try runimg.check("rm", "-f", id)
        }

        @Test func theStoreIsNobodyElses() throws {
            // threats.md D1: nothing below the data root can be reached by another user.
            let runimg = try Self.settled()
            var child = try runimg.start("run", "--rm", "-q", Self.image, "sh", "-c", "echo up; sleep 1000")
            #expect(Wait.until(seconds: 20) { runimg.startedOutput.contains("up") })
            let found = try Tool.run(
                "setpriv",
                ["--reuid", "65534", "--regid", "65534", "--clear-groups", "find", runimg.dataRoot, "-mindepth", "1"])
            #expect(found.stdout.isEmpty)
            #expect(["700", "710", "711"].contains(String(try File.status(runimg.dataRoot).mode, radix: 8)))
            try runimg.end(&child)
        }
    }
}
