internal import Glibc
internal import Sys
internal import TestSupport
import Testing

extension EndToEnd {
    /// `wait --condition`, and the filters of the commands on containers.
    @Suite struct WaitConditions {
        /// A `wait` that has begun, looking only when it is woken.
        private struct Waiter: ~Copyable {
            private var child: ChildProcess
            private let output: String

            init(_ runimg: Runimg, _ arguments: String...) throws {
                output = runimg.scratch("wait-\(Random.hex(bytes: 4))")
                let file = try File.open(output, O_WRONLY | O_CREAT | O_TRUNC, mode: 0o644)
                child = try ChildProcess(
                    Runimg.path, Array(runimg.command(["wait", "--interval", "1h"] + arguments).dropFirst()),
                    environment: Tool.baseEnvironment, output: .descriptor(file.raw), errors: .descriptor(file.raw))
                _ = consume file
                let process = "/proc/\(child.pid)"
                let isBlocked = Wait.until(seconds: 20) {
                    guard let status = try? File.readAll("\(process)/stat", limit: 4096),
                        let entries = try? Directory.entries("\(process)/fd")
                    else { return false }
                    let text = String(decoding: status, as: UTF8.self)
                    // What it waits for may have been so at once.
                    if text.contains(") Z ") { return true }
                    let hasInotify = entries.contains {
                        (try? File.readLink("\(process)/fd/\($0.name)"))?.contains("inotify") == true
                    }
                    return text.contains(") S ") && hasInotify
                }
                #expect(isBlocked)
            }

            mutating func isWaiting() throws -> Bool { try child.wait(seconds: 0) == nil }

            /// What it printed.
            mutating func finish() throws -> String {
                guard try child.wait(seconds: 20) != nil else {
                    try child.kill()
                    return "still waiting"
                }
                return String(decoding: try File.readAll(output), as: UTF8.self)
            }
        }

        @Test func eachStateIsSeenWhenItComes() throws {
            try Lifecycle.isolated { runimg in
                let created = try runimg.check("create", "-q", "--name", "states", Lifecycle.image, "sleep", "1000")
                let id = try #require(created.lines.first)
                #expect(try runimg.check("wait", "--condition=created", id).lines == ["-1"])
                // As docker: one that was never started does not run.
                #expect(try runimg.check("wait", id).lines == ["0"])
                let steps: [(String, [String], String)] = [
                    ("running", ["start"], "-1"), ("paused", ["pause"], "-1"), ("running", ["unpause"], "-1"),
                    ("exited", ["kill"], "137"), ("running", ["start"], "-1"),
                    ("next-exit", ["kill", "-s", "KILL"], "137"),
                    ("removed", ["rm"], "137"),
                ]
                for (condition, verb, printed) in steps {
                    var waiter = try Waiter(runimg, "--condition", condition, id)
                    #expect(try waiter.isWaiting(), "\(condition)")
                    #expect(try runimg.run(verb + [id]).status == 0)
                    #expect(try waiter.finish() == "\(printed)\n", "\(condition)")
                }
            }
        }

        @Test func theExitCodeOutlivesTheContainer() throws {
            try Lifecycle.isolated { runimg in
                let script = "trap 'exit 9' TERM; while :; do sleep 0.05; done"
                let id = try Lifecycle.detached(runimg, "--rm", Lifecycle.image, "sh", "-c", script)
                var removed = try Waiter(runimg, "--condition", "removed", id)
                var stopped = try Waiter(runimg, "--condition", "paused,stopped", id)
                var plain = try Waiter(runimg, id)
                try runimg.check("stop", "-t", "60", id)
                #expect(try plain.finish() == "9\n")
                #expect(try removed.finish() == "9\n")
                #expect(try stopped.finish() == "9\n")
                #expect(try runimg.run(["wait", "--condition", "running", id]).stderr.contains("No such container"))
                #expect(try runimg.check("wait", "--ignore", id).lines == ["-1"])
            }
        }

        @Test func healthIsWaitedFor() throws {
            try Lifecycle.isolated { runimg in
                let check = ["--health-cmd", "test -e /well", "--health-interval", "100ms", "--health-retries", "1"]
                let output = try runimg.run(["run", "-d", "-q"] + check + [Lifecycle.image, "sleep", "1000"])
                let id = try #require(output.lines.first)
                var ill = try Waiter(runimg, "--condition", "unhealthy", id)
                #expect(try ill.finish() == "-1\n")
                var well = try Waiter(runimg, "--condition", "healthy", id)
                try runimg.check("exec", id, "touch", "/well")
                #expect(try well.finish() == "-1\n")
                let unchecked = try Lifecycle.detached(runimg, Lifecycle.image, "sleep", "1000")
                let refused = try runimg.run(["wait", "--condition", "healthy", unchecked])
                #expect(refused.status == 1 && refused.stderr.contains("has no defined healthcheck"), "\(refused)")
            }
        }

        @Test func aKilledMonitorEndsTheWait() throws {
            try Lifecycle.isolated { runimg in
                let id = try Lifecycle.detached(runimg, Lifecycle.image, "sleep", "1000")
                var waiter = try Waiter(runimg, id)
                kill(try #require(Lifecycle.monitor(of: id)), SIGKILL)
                #expect(try waiter.finish() == "137\n")
            }
        }

        @Test func filters() throws {
            try Lifecycle.isolated { runimg in
                let web = try Lifecycle.detached(runimg, "--label", "tier=web", Lifecycle.image, "sleep", "1000")
                let base = try Lifecycle.detached(runimg, "--label", "tier=base", Lifecycle.image, "sleep", "1000")
                #expect(try runimg.check("pause", "--filter", "label=tier=web").lines == [web])
                #expect(try runimg.check("unpause", "-f", "status=paused").lines == [web])
                #expect(try runimg.check("restart", "-t", "0", "--filter", "label=tier=base").lines == [base])
                #expect(try runimg.check("stop", "-t", "0", "--filter", "label=tier=base").lines == [base])
                #expect(try runimg.check("kill", "--filter", "label=tier").lines == [web])
                #expect(try runimg.check("start", "--filter", "label=tier=web").lines == [web])
                let refused = try runimg.run(["rm", "--filter", "label=tier"])
                #expect(refused.status == 1 && refused.lines == [base], "\(refused)")
                #expect(refused.stderr.contains("cannot remove container \"\(web)\": container is running"))
                #expect(try runimg.check("rm", "-f", "--filter", "label=tier").lines == [web])
                #expect(try runimg.check("ps", "-aq").lines.isEmpty)
            }
        }
    }
}
