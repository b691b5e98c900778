internal import Glibc
internal import Sys
internal import TestSupport
import Testing

extension EndToEnd {
    /// Containers that outlive the command that made them.
    @Suite struct Lifecycle {
        static let image = Leaks.image

        /// Runs `body` with a program of its own; what it leaves behind is a failure.
        static func isolated(_ body: (Runimg) throws -> Void) throws {
            let runimg = try Leaks.settled()
            let before = try LeakSnapshot(dataRoot: runimg.dataRoot)
            do {
                try body(runimg)
            } catch {
                _ = try? runimg("rm", "-f", "-v", "--all")
                throw error
            }
            try runimg.check("rm", "-f", "-v", "--all")
            try EndToEnd.expectClean(before)
        }

        /// Starts a container in the background; its ID.
        static func detached(_ runimg: Runimg, _ arguments: String...) throws -> String {
            let output = try runimg.run(["run", "-d", "-q"] + arguments)
            guard output.status == 0, let id = output.lines.first, id.utf8.count == 64 else {
                throw Tool.Failure(output: output)
            }
            return String(id)
        }

        static func log(_ runimg: Runimg, _ id: String) -> String {
            let bytes = (try? File.readAll("\(runimg.dataRoot)/containers/\(id)/\(id)-json.log")) ?? []
            return String(decoding: bytes, as: UTF8.self)
        }

        static func awaitLog(_ runimg: Runimg, _ id: String, _ text: String) -> Bool {
            Wait.until(seconds: 20) { log(runimg, id).contains(text) }
        }

        static func state(_ runimg: Runimg, _ id: String) throws -> String {
            String(decoding: try File.readAll("\(runimg.dataRoot)/containers/\(id)/config.json"), as: UTF8.self)
        }

        static func monitor(of id: String) -> Int32? {
            (try? Tool.run("pgrep", ["-f", "runimg-monitor \(id)"]).lines.first).flatMap { Int32($0) }
        }

        @Test func aDetachedContainerLivesItsLife() throws {
            try Self.isolated { runimg in
                let script = "echo up >> /kept; cat /kept; trap 'echo term; exit 3' TERM; while :; do sleep 0.05; done"
                let id = try Self.detached(runimg, "--name", "life", Self.image, "sh", "-c", script)
                #expect(Self.awaitLog(runimg, id, "up"))
                #expect(try runimg.run(["rm", "life"]).stderr.contains("container is running"))
                #expect(try runimg.check("stop", "life").lines == ["life"])
                #expect(Self.log(runimg, id).contains(#"{"log":"term\n","stream":"stdout","time":""#))
                #expect(try runimg.check("wait", "life").lines == ["3"])
                // Stopped already: nothing to do, and no failure.
                #expect(try runimg.check("stop", "life").lines == ["life"])
                #expect(try runimg.check("start", String(id.prefix(10))).status == 0)
                #expect(Wait.until(seconds: 20) { Self.log(runimg, id).split(separator: "\n").count >= 4 })
                #expect(try runimg.check("kill", "life").lines == ["life"])
                #expect(try runimg.check("wait", "life").lines == ["137"])
                let again = try runimg.run(["kill", "life"])
                #expect(again.status == 1 && again.stderr.contains("container \(id) is not running"))
                try runimg.check("rename", "life", "after")
                #expect(try runimg.run(["rm", "life"]).stderr.contains("No such container: life"))
                #expect(try runimg.check("rm", "after").lines == ["after"])
            }
        }

        @Test(
            "F20: exit codes are the same attached and detached",
            arguments: [["exit 0"], ["exit 7"], ["exit 255"], ["kill -9 $$"], ["kill -15 $$; sleep 1"]])
        func exitCodes(_ script: [String]) throws {
            try Self.isolated { runimg in
                // Process 1 ignores signals that it has no handler for, even its own: a child dies of it.
                let command = ["sh", "-c", "sh -c '\(script[0])'; exit $?"]
                let attached = try runimg.run(["run", "--rm", "-q", Self.image] + command)
                let id = try Self.detached(runimg, Self.image, command[0], command[1], command[2])
                #expect(try runimg.check("wait", id).lines == ["\(attached.status ?? -1)"])
            }
        }

        @Test("F20: a start in the background that fails says so as one in the foreground does")
        func failedStarts() throws {
            try Self.isolated { runimg in
                for command in ["no-such", "/etc/passwd", "/"] {
                    let attached = try runimg.run(["run", "--rm", "-q", Self.image, command])
                    let detached = try runimg.run(["run", "-d", "-q", Self.image, command])
                    #expect(attached.status == detached.status && attached.stderr == detached.stderr)
                    #expect(detached.stdout.isEmpty)
                    try runimg.check("create", "-q", "--name", "made", Self.image, command)
                    let started = try runimg.run(["start", "made"])
                    #expect(started.status == attached.status || started.status == 1, "\(started)")
                    try runimg.check("rm", "made")
                }
            }
        }

        @Test("F15: a client that is killed leaves its container running, and nothing of its output is lost")
        func killedClient() throws {
            try Self.isolated { runimg in
                var client = try runimg.start(
                    "run", "-q", "--name", "on", Self.image, "sh", "-c",
                    "i=0; while [ $i -lt 3000 ]; do echo line $i; i=$((i+1)); done; exit 9")
                #expect(Wait.until(seconds: 20) { runimg.startedOutput.contains("line 10\n") })
                try client.kill()
                #expect(try runimg.check("wait", "on").lines == ["9"])
                let id = try #require(
                    try Directory.entries("\(runimg.dataRoot)/containers").map(\.name)
                        .first { $0.utf8.count == 64 })
                let numbers = Self.log(runimg, id).split(separator: "\n").compactMap { line in
                    line.split(separator: "\\").first.flatMap { Int($0.split(separator: " ").last ?? "") }
                }
                #expect(numbers == Array(0..<3000))
            }
        }

        @Test("F16: a monitor that is killed takes its container along, and the next command knows")
        func killedMonitor() throws {
            try Self.isolated { runimg in
                let id = try Self.detached(runimg, "--name", "gone", Self.image, "sh", "-c", "sleep 1000 & sleep 1000")
                kill(try #require(Self.monitor(of: id)), SIGKILL)
                #expect(try runimg.check("wait", "gone").lines == ["137"])
                #expect(try Self.state(runimg, id).contains("its monitor was killed"))
                #expect(try runimg.check("stop", "gone").status == 0)
                #expect(try runimg.check("start", "gone").status == 0)
                #expect(try runimg.check("rm", "-f", "gone").lines == ["gone"])
            }
        }

        /// It stands still while its container is killed and removed, and finds nothing when it goes on.
        @Test(.timeLimit(.minutes(Wait.minutes(5)))) func aMonitorThatIsLateLeavesNothing() throws {
            try Self.isolated { runimg in
                let id = try Self.detached(runimg, Self.image, "sleep", "600")
                let monitor = try #require(Self.monitor(of: id))
                kill(monitor, SIGSTOP)
                defer { kill(monitor, SIGCONT) }
                try runimg.check("rm", "-f", id, timeout: 240)
                #expect(try runimg.check("ps", "-aq").stdout == "")
                kill(monitor, SIGCONT)
                #expect(Wait.until(seconds: 20) { !File.exists("\(runimg.runDirectory)/\(id)") })
            }
        }

        @Test("F16: a monitor that is killed beside an attached client leaves it with a clear word")
        func killedMonitorOfAClient() throws {
            try Self.isolated { runimg in
                var client = try runimg.start("run", "-q", "--name", "gone", Self.image, "sleep", "1000")
                var pid: Int32?
                #expect(
                    Wait.until(seconds: 20) {
                        let names = (try? Directory.entries("\(runimg.dataRoot)/containers").map(\.name)) ?? []
                        pid = names.first { $0.utf8.count == 64 }.flatMap { Self.monitor(of: $0) }
                        return pid != nil
                    })
                kill(try #require(pid), SIGKILL)
                let exit = try #require(try client.wait(seconds: 20))
                #expect(exit != .exited(0))
                #expect(!runimg.startedErrors.isEmpty)
            }
        }

        @Test("F19: a stranger that has the process ID of a container gets no signal")
        func reusedProcessID() throws {
            try Self.isolated { runimg in
                let id = try Self.detached(runimg, Self.image, "sleep", "1000")
                // Start times are counted in hundredths of a second.
                Wait.sleep(0.05)
                var stranger = try ChildProcess("/bin/sleep", ["1000"], environment: [:])
                defer { _ = try? stranger.kill() }
                let path = "/run/runimg/\(id)/state.json"
                let state = String(decoding: try File.readAll(path), as: UTF8.self)
                let process = try #require(state.firstMatch(of: /"process":\{[^}]*"pid":([0-9]+)/))
                let number = process.1
                try File.replace(
                    path, with: Array(state.replacing("\"pid\":\(number)", with: "\"pid\":\(stranger.pid)").utf8))
                for verb in [["kill", id], ["stop", "-t", "0", id], ["kill", "-s", "USR1", id]] {
                    _ = try runimg.run(verb)
                }
                #expect(try stranger.wait(seconds: 0.2) == nil)
                try File.replace(path, with: Array(state.utf8))
            }
        }

        @Test("F27: a container that will not end is killed after the time it was given")
        func stubborn() throws {
            try Self.isolated { runimg in
                let id = try Self.detached(
                    runimg, "--stop-timeout", "1", Self.image, "sh", "-c",
                    "trap '' TERM; echo ready; sleep 1000 & while :; do sleep 1; done")
                #expect(Self.awaitLog(runimg, id, "ready"))
                #expect(try runimg.check("stop", id).status == 0)
                #expect(try runimg.check("wait", id).lines == ["137"])
            }
        }

        @Test func removedWithTimeToEnd() throws {
            try Self.isolated { runimg in
                let id = try Self.detached(
                    runimg, Self.image, "sh", "-c", "trap 'exit 3' TERM; echo ready; while :; do sleep 0.05; done")
                #expect(Self.awaitLog(runimg, id, "ready"))
                let unforced = try runimg.run(["rm", "-t", "5", id])
                #expect(unforced.status == 1 && unforced.stderr.contains("--force option must be specified"))
                #expect(try runimg.check("rm", "-f", "-t", "30", id).lines == [id])
                let events = try runimg.check(
                    "events", "--since", "1m", "--until", "0s", "--filter", "event=die", "--filter",
                    "container=\(id)", "--format",
                    "{{.Actor.Attributes.exitCode}}")
                #expect(events.lines == ["3"])
            }
        }

        @Test("F18: after a reboot containers are over, and can be started again")
        func afterAReboot() throws {
            try Self.isolated { runimg in
                let id = try Self.detached(
                    runimg, "--restart", "always", "--name", "booted", Self.image, "sh", "-c",
                    "echo up; sleep 1000")
                try runimg.check("create", "-q", "--name", "unborn", Self.image, "true")
                #expect(Self.awaitLog(runimg, id, "up"))
                // What a power cut leaves: no process, no run directory, another boot.
                kill(try #require(Self.monitor(of: id)), SIGKILL)
                #expect(Wait.until(seconds: 20) { Self.monitor(of: id) == nil })
                try Tool.check("rm", ["-r", "/run/runimg/\(id)"])
                try runimg.scratch.file("data/containers/boot-id", "another")
                try runimg.check("images")
                #expect(try runimg.check("wait", "booted").lines == ["255"])
                #expect(try runimg.check("start", "booted", "unborn").lines == ["booted", "unborn"])
                #expect(Wait.until(seconds: 20) { Self.log(runimg, id).split(separator: "\n").count == 2 })
            }
        }

        @Test("D3: only path sockets, for their owner alone")
        func sockets() throws {
            try Self.isolated { runimg in
                let id = try Self.detached(runimg, "--network", "host", Self.image, "sleep", "1000")
                let path = "/run/runimg/\(id)/attach"
                let status = try File.status(path)
                #expect(status.mode == 0o600 && status.uid == 0)
                let names = String(decoding: try File.readAll("/proc/net/unix"), as: UTF8.self)
                #expect(!names.split(separator: "\n").contains { $0.contains("@") && $0.contains("runimg") })
            }
        }
    }
}
