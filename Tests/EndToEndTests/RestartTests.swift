internal import Glibc
internal import Sys
internal import TestSupport
import Testing

extension EndToEnd {
    /// Restart policies, and commands that race with them and with each other.
    @Suite struct Restarts {
        private func starts(_ runimg: Runimg, _ id: String) -> Int {
            Lifecycle.log(runimg, id).split(separator: "\n").count
        }

        @Test func onFailureCountsItsRestarts() throws {
            try Lifecycle.isolated { runimg in
                let id = try Lifecycle.detached(
                    runimg, "--restart", "on-failure:2", Lifecycle.image, "sh", "-c", "echo start; exit 5")
                #expect(
                    Wait.until(seconds: 20) {
                        (try? Lifecycle.state(runimg, id))?.contains(#""restartCount":2"#) == true
                    })
                #expect(
                    Wait.until(seconds: 20) {
                        (try? Lifecycle.state(runimg, id))?.contains(#""status":"exited""#) == true
                    })
                #expect(starts(runimg, id) == 3)
                #expect(try runimg.check("wait", id).lines == ["5"])
                // Success is no failure.
                let good = try Lifecycle.detached(
                    runimg, "--restart", "on-failure", Lifecycle.image, "sh", "-c", "echo start; exit 0")
                #expect(try runimg.check("wait", good).lines == ["0"])
                #expect(starts(runimg, good) == 1)
            }
        }

        @Test("F34: stop wins over a crash loop, whenever it comes", arguments: 0..<6)
        func stopWins(_ moment: Int) throws {
            try Lifecycle.isolated { runimg in
                let id = try Lifecycle.detached(
                    runimg, "--restart", "always", Lifecycle.image, "sh", "-c", "echo start; exit 5")
                Wait.sleep(Double(moment) * 0.11)
                #expect(try runimg.check("stop", id).status == 0)
                #expect(Wait.until(seconds: 20) { !File.exists("/run/runimg/\(id)") })
                let count = starts(runimg, id)
                Wait.sleep(0.3)
                #expect(starts(runimg, id) == count)
                #expect(try Lifecycle.state(runimg, id).contains(#""isStopped":true"#))
                #expect(try runimg.check("start", id).status == 0)
                #expect(Wait.until(seconds: 20) { starts(runimg, id) > count })
                #expect(try runimg.check("rm", "-f", id).status == 0)
            }
        }

        @Test(.enabled(if: !Conditions.isSanitized, "a sanitizer wants memory of its own")) func waitsLightly() throws {
            try Lifecycle.isolated { runimg in
                let id = try Lifecycle.detached(
                    runimg, "--restart", "always", Lifecycle.image, "sh", "-c", "exit 5")
                // The fifth pause is of 1.6 seconds.
                var least = Int.max
                let isLight = try Wait.until(seconds: 20) {
                    for line in try Tool.run("pgrep", ["-f", "monitor-end \(id)"]).lines {
                        let usage = (try? File.readAll("/proc/\(line)/smaps_rollup", limit: 1 << 16)) ?? []
                        let lines = String(decoding: usage, as: UTF8.self).split(separator: "\n")
                        let words = lines.first { $0.hasPrefix("Pss:") }?.split(separator: " ") ?? []
                        if words.count > 1, let kilobytes = Int(words[1]), kilobytes > 0 {
                            least = min(least, kilobytes)
                        }
                    }
                    return least < 3000
                }
                #expect(isLight, "\(least) kB")
            }
        }

        @Test("F34: a crash loop whose monitor is killed leaves nothing and can be started again")
        func killedInALoop() throws {
            try Lifecycle.isolated { runimg in
                for round in 0..<4 {
                    let id = try Lifecycle.detached(
                        runimg, "--restart", "always", Lifecycle.image, "sh", "-c", "echo start; exit 5")
                    Wait.sleep(0.05 + Double(round) * 0.07)
                    // The monitor, or what it has become for the pause.
                    for line in try Tool.run("pgrep", ["-f", id]).lines { Int32(line).map { _ = kill($0, SIGKILL) } }
                    #expect(try runimg.check("rm", "-f", id).status == 0)
                }
            }
        }

        @Test func aContainerThatIsRemovedAtItsEndIsRestartedFirst() throws {
            try Lifecycle.isolated { runimg in
                let id = try Lifecycle.detached(
                    runimg, "--rm", Lifecycle.image, "sh", "-c", "echo kept >> /file; cat /file; exec sleep 1000")
                #expect(Lifecycle.awaitLog(runimg, id, "kept"))
                for round in 2...3 {
                    #expect(try runimg.check("restart", "-t", "0", id).lines == [id])
                    #expect(
                        Wait.until(seconds: 15) {
                            (try? runimg.check("exec", id, "cat", "/file").lines.count) == round
                        })
                }
                try runimg.check("stop", "-t", "0", id)
                #expect(try runimg.check("ps", "-aq").lines.filter { id.hasPrefix($0) } == [])
            }
        }

        @Test("F6: commands that race on one container: each wins or says why, and nothing is left")
        func races() throws {
            try Lifecycle.isolated { runimg in
                try runimg.check("create", "-q", "--name", "raced", Lifecycle.image, "sleep", "1000")
                let script = """
                    for i in 1 2 3 4 5 6 7 8; do
                        "$@" start raced & "$@" stop -t 0 raced & "$@" start raced & "$@" kill raced &
                        "$@" restart -t 0 raced & "$@" wait raced & "$@" stop -t 0 raced &
                        sleep 0.1
                    done
                    sleep 1
                    "$@" stop -t 0 raced
                    wait
                    """
                let output = try Tool.run("sh", ["-c", script, "sh"] + runimg.command([]), timeout: 120)
                #expect(output.status == 0, "\(output)")
                for line in output.stderr.split(separator: "\n") {
                    let known = ["is not running", "another command", "failed to start containers"]
                    #expect(known.contains { line.contains($0) }, "\(line)")
                }
                #expect(try runimg.check("start", "raced").status == 0)
                #expect(try runimg.check("rm", "-f", "raced").status == 0)
            }
        }

        @Test("F6: a start waits for the end that is just being recorded")
        func aStartWaitsForTheEnd() throws {
            try Lifecycle.isolated { runimg in
                let id = try Lifecycle.detached(runimg, "--name", "ending", Lifecycle.image, "sleep", "1000")
                let monitor = try #require(Lifecycle.monitor(of: id))
                let lock = try DirectoryLock("\(runimg.dataRoot)/containers/\(id)", mode: .exclusive)
                let pid = try #require(
                    Int32(try runimg.check("inspect", "-f", "{{.State.Pid}}", "ending").lines.first ?? ""))
                kill(pid, SIGKILL)
                // The monitor has become the command that records the end, and waits for our lock.
                let isThere = Wait.until(seconds: 20) {
                    let line = try? File.readAll("/proc/\(monitor)/cmdline")
                    return String(decoding: line ?? [], as: UTF8.self).contains("monitor-end")
                }
                #expect(isThere)
                kill(monitor, SIGSTOP)
                defer { kill(monitor, SIGCONT) }
                _ = consume lock
                var start = try runimg.start("start", "ending")
                Wait.sleep(0.5)
                kill(monitor, SIGCONT)
                #expect(try start.wait(seconds: 20) == .exited(0), "\(runimg.startedErrors)")
                #expect(try runimg.check("inspect", "-f", "{{.State.Running}}", "ending").lines == ["true"])
            }
        }

        @Test("F6: removals that race: one removes, the others find nothing")
        func racingRemovals() throws {
            try Lifecycle.isolated { runimg in
                for _ in 0..<3 {
                    let id = try Lifecycle.detached(runimg, Lifecycle.image, "sleep", "1000")
                    let script = #"c=$1; shift; for i in 1 2 3 4 5 6; do "$@" rm -f $c & done; wait"#
                    let output = try Tool.run("sh", ["-c", script, "sh", id] + runimg.command([]), timeout: 60)
                    for line in output.stderr.split(separator: "\n") {
                        #expect(line.contains("No such container"), "\(line)")
                    }
                    #expect(!File.exists("\(runimg.dataRoot)/containers/\(id)"))
                }
            }
        }

        @Test(
            "F17: a command that is killed at a call leaves nothing half-made",
            .enabled(if: SyscallFaults.isPossible, "\(SyscallFaults.requirements)"),
            arguments: ["/^mkdir", "write", "/^clone", "sendmsg", "recvmsg", "/^rename", "flock", "/^unlink"],
            [["create"], ["run", "-d"]])
        func killedAtACall(_ call: String, _ verb: [String]) throws {
            try Lifecycle.isolated { runimg in
                let id = try #require(try runimg("images", "-q").lines.first)
                try CrashEnumerator(call, samples: 2).run(
                    prepare: {},
                    command: { _, prefix in
                        try runimg.run(verb + ["--name", "half", String(id), "true"], under: prefix).status == 0
                    },
                    check: { _, moment, ended in
                        try runimg.check("images")
                        let known = try runimg.run(["rm", "-f", "half"])
                        // Either whole or not there.
                        #expect(known.status == 0, "\(moment): \(known)")
                        #expect(!ended || known.lines == ["half"], "\(moment): \(known)")
                        let names = try Directory.entries("\(runimg.dataRoot)/containers").map(\.name)
                        #expect(names.filter { $0.utf8.count == 64 }.isEmpty, "\(moment): \(names)")
                    })
            }
        }
    }
}
