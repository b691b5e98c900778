internal import Glibc
internal import Sys
internal import TestSupport
import Testing

extension EndToEnd {
    /// `--runtime`: our containers, made by crun, by runc and by runimg-oci.
    @Suite struct ExternalRuntimes {
        /// Of each the program that `make servers` or the build has; runc's needs libraries of its own.
        static let all = [
            OCIRuntime(path: "\(Runimg.binaryDirectory)/runimg-oci"),
            OCIRuntime(path: "\(Fixtures.servers)/crun/bin/crun"),
            OCIRuntime(path: "\(Fixtures.servers)/docker/bin/runc"),
        ].filter { Tool.find($0.path) != nil }

        /// Runs `body` with a program of its own, whose containers `runtime` makes unless their command line says otherwise.
        static func isolated(_ runtime: OCIRuntime, _ body: (Runimg) throws -> Void) throws {
            try Lifecycle.isolated { runimg in
                let program = try program(runtime, runimg.scratch)
                try runimg.scratch.file(
                    "config.json", #"{"default-runtime": "other", "runtimes": {"other": {"path": "\#(program)"}}}"#)
                try body(runimg)
            }
        }

        static func program(_ runtime: OCIRuntime, _ scratch: Scratch) throws -> String {
            if runtime.environment.isEmpty { return runtime.path }
            let variables = runtime.environment.map { "\($0)='\($1)'" }.joined(separator: " ")
            let path = try scratch.file("runtime", "#!/bin/sh\nexec env \(variables) \(runtime.path) \"$@\"\n")
            try Sys.check { chmod(path, 0o755) }
            return path
        }

        @Test(arguments: all) func aContainerIsAsOurOwn(_ runtime: OCIRuntime) throws {
            try Self.isolated(runtime) { runimg in
                let run = { (flags: [String], script: String) in
                    try runimg.run(
                        ["run", "--rm", "-q", "-i"] + flags + [Lifecycle.image, "sh", "-c", script],
                        input: Array("typed".utf8))
                }
                let ended = try run([], "cat; echo; echo err >&2; exit 7")
                #expect(ended.status == 7 && ended.stdout == "typed\n" && ended.stderr == "err\n", "\(ended)")
                #expect(try run(["--init"], "kill -9 $$").status == 137)
                let rights = [
                    "--user", "1000:1001", "--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--read-only",
                    "-w", "/tmp", "-h", "boxy", "-m", "64m", "--pids-limit", "30", "-v", "/kept", "--tmpfs", "/tmp",
                ]
                let script = """
                    id -u; id -g; pwd; hostname; touch /x; touch /kept/x; touch /tmp/x
                    grep -E 'CapEff|CapBnd|NoNewPrivs|Seccomp:' /proc/self/status
                    """
                let theirs = try run(rights, script)
                let ours = try run(rights + ["--runtime", "runimg"], script)
                #expect(theirs.status == ours.status && theirs.stdout == ours.stdout, "\(theirs) \(ours)")
                #expect(theirs.stderr == ours.stderr, "\(theirs) \(ours)")
                let shown = try run(["--init"], "cat /proc/1/cmdline")
                #expect(shown.stdout.hasPrefix("/dev/.runimg-init\0i\0"), "\(shown)")
                let terminal = try runimg.terminal(
                    "run", "--rm", "-q", "-it", Lifecycle.image, "sh", "-c", "tty; stty size")
                let said = try terminal.expect("24 80")
                #expect(said.contains("/dev/pts/0"), "\(said)")
                #expect(try terminal.wait() == .exited(0))
            }
        }

        @Test(arguments: all) func furtherProcessesAreTheRuntimes(_ runtime: OCIRuntime) throws {
            try Self.isolated(runtime) { runimg in
                _ = try Lifecycle.detached(
                    runimg, "--name", "one", "-e", "WORD=said", "--health-cmd", "test -e /fine", "--health-interval",
                    "200ms", "--health-retries", "1", Lifecycle.image, "sleep", "1000")
                let output = try runimg.run(
                    [
                        "exec", "-i", "-w", "/tmp", "-u", "1000", "one", "sh", "-c",
                        "id -u; pwd; echo $WORD; cat; exit 4",
                    ],
                    input: Array("typed".utf8))
                #expect(output.status == 4 && output.stdout == "1000\n/tmp\nsaid\ntyped", "\(output)")
                #expect(try runimg("exec", "one", "sh", "-c", "kill -9 $$").status == 137)
                for (command, code): (String, Int32) in [("nosuch", 127), ("/etc", 126), ("/etc/passwd", 126)] {
                    let refused = try runimg("exec", "one", command)
                    #expect(refused.status == code && !refused.stderr.isEmpty, "\(refused)")
                }
                // crun 1.8.1 passes over the size that is asked for; it has the one of our client a moment later.
                let script = "tty; until stty size > /dev/null 2>&1; do :; done; stty size; exit 5"
                let terminal = try runimg.terminal("exec", "-it", "one", "sh", "-c", script)
                _ = try terminal.expect("24 80")
                #expect(try terminal.wait() == .exited(5))
                try runimg.check("exec", "-d", "one", "sh", "-c", "touch /fine; sleep 1000")
                let state = { try runimg.check("inspect", "-f", "{{.State.Health.Status}}", "one").lines }
                #expect(try Wait.until(seconds: 20) { try state() == ["healthy"] })
                #expect(try runimg.check("inspect", "-f", "{{.HostConfig.Runtime}}", "one").lines == ["other"])
                #expect(try runimg.check("top", "one").stdout.contains("sleep 1000"))
                try runimg.check("pause", "one")
                #expect(try runimg("exec", "one", "true").stderr.contains("is paused"))
                try runimg.check("unpause", "one")
                try runimg.check("update", "--pids-limit", "7", "one")
                #expect(try runimg.check("cp", "one:/etc/passwd", "-").stdoutBytes.count > 512)
            }
        }

        @Test(arguments: all) func itLivesItsLife(_ runtime: OCIRuntime) throws {
            try Self.isolated(runtime) { runimg in
                let script = "echo up; trap 'echo term; exit 3' TERM; while :; do sleep 0.05; done"
                let id = try Lifecycle.detached(runimg, "--name", "life", Lifecycle.image, "sh", "-c", script)
                #expect(Lifecycle.awaitLog(runimg, id, "up"))
                try runimg.check("stop", "life")
                #expect(try runimg.check("wait", "life").lines == ["3"])
                try runimg.check("start", "life")
                try runimg.check("kill", "life")
                #expect(try runimg.check("wait", "life").lines == ["137"])
                #expect(try runimg.check("logs", "life").lines.filter { $0 == "up" }.count <= 2)
                #expect(!File.exists("/run/runimg/\(id)"))
                let again = try Lifecycle.detached(
                    runimg, "--restart", "on-failure:2", Lifecycle.image, "sh", "-c", "echo start; exit 5")
                #expect(
                    Wait.until(seconds: 30) {
                        (try? Lifecycle.state(runimg, again))?.contains(#""status":"exited""#) == true
                    })
                #expect(Lifecycle.log(runimg, again).split(separator: "\n").count == 3)
            }
        }

        @Test(arguments: all) func namespacesAndNetworksAreShared(_ runtime: OCIRuntime) throws {
            try Self.isolated(runtime) { runimg in
                _ = try Lifecycle.detached(
                    runimg, "--name", "one", "--ipc", "shareable", "-p", "127.0.0.1:0:80", Lifecycle.image, "sh", "-c",
                    "echo kept > /dev/shm/file; exec sleep 1000")
                let kinds = "for n in net ipc uts pid; do readlink /proc/self/ns/$n; done"
                let flags = ["--network", "container:one", "--ipc", "container:one", "--pid", "container:one"]
                let script = "cat /dev/shm/file; \(kinds); ip -4 -o addr show eth0 | wc -l"
                let there = try runimg.run(["run", "--rm", "-q"] + flags + [Lifecycle.image, "sh", "-c", script])
                let here = try runimg.check("exec", "one", "sh", "-c", kinds)
                #expect(there.status == 0, "\(there)")
                try #require(there.lines.count == 6 && here.lines.count == 4, "\(there) \(here)")
                #expect(there.lines.first == "kept" && there.lines.last == "1", "\(there)")
                let names = Array(there.lines.dropFirst().dropLast())
                #expect(names[0] == here.lines[0] && names[1] == here.lines[1] && names[3] == here.lines[3], "\(there)")
                #expect(names[2] != here.lines[2])
                // Its processes would outlive the first of them.
                let guest = try Lifecycle.detached(
                    runimg, "--pid", "host", Lifecycle.image, "sh", "-c", "sleep 1000 & sleep 1000")
                try runimg.check("kill", guest)
                #expect(try runimg.check("wait", guest).lines == ["137"])
            }
        }

        @Test("F17: a start by another runtime that is killed at any moment leaves nothing", arguments: all)
        func aStartThatIsKilled(_ runtime: OCIRuntime) throws {
            try Self.isolated(runtime) { runimg in
                try runimg.check("run", "--rm", "-q", Lifecycle.image, "true")
                for round in 0..<12 {
                    var start = try runimg.start("run", "-d", "-q", Lifecycle.image, "sleep", "1000")
                    Wait.sleep(0.008 * Double(round))
                    try start.signal(SIGKILL)
                    _ = try start.wait(seconds: 20)
                    // It is over when its monitor, if there was one, has seen that nobody goes on.
                    try runimg.check("rm", "-f", "-v", "--all")
                }
            }
        }

        @Test("F16: a container of another runtime does not outlive its monitor by more than a command", arguments: all)
        func aMonitorThatIsKilled(_ runtime: OCIRuntime) throws {
            try Self.isolated(runtime) { runimg in
                let id = try Lifecycle.detached(
                    runimg, "--name", "gone", Lifecycle.image, "sh", "-c", "sleep 1000 & sleep 1000")
                let monitor = try #require(Lifecycle.monitor(of: id))
                let pid = try #require(
                    Int32(try runimg.check("inspect", "-f", "{{.State.Pid}}", "gone").lines.first ?? ""))
                kill(monitor, SIGKILL)
                #expect(Wait.forEnd(of: monitor))
                #expect(try runimg.check("wait", "gone").lines == ["137"])
                #expect(try Lifecycle.state(runimg, id).contains("its monitor was killed"))
                #expect(Wait.forEnd(of: pid))
                try runimg.check("start", "gone")
                #expect(try runimg.check("exec", "gone", "echo", "back").lines == ["back"])
            }
        }

        @Test(arguments: all) func whatCanNotBeStartedLeavesNothing(_ runtime: OCIRuntime) throws {
            try Self.isolated(runtime) { runimg in
                for (command, code): (String, Int32) in [
                    ("nosuch", 127), ("/nosuch", 127), ("/etc", 126), ("/etc/passwd", 126),
                ] {
                    let output = try runimg("run", "--rm", Lifecycle.image, command)
                    #expect(output.status == code && !output.stderr.isEmpty, "\(output)")
                }
                let failing = try runimg("run", "--runtime", "/bin/false", Lifecycle.image, "true")
                #expect(failing.status == 125 && failing.stderr.contains("false: make the container"), "\(failing)")
                for name in ["nosuch", "/etc/passwd", "./nosuch"] {
                    let output = try runimg("run", "--runtime", name, Lifecycle.image, "true")
                    #expect(output.status == 125, "\(output)")
                    #expect(output.stderr.contains("unknown or invalid runtime name: \(name)"), "\(output)")
                }
                #expect(try runimg.check("ps", "-aq").stdout.isEmpty)
                let plan = try runimg.check("run", "--dry-run", Lifecycle.image, "true").stdout
                #expect(plan.contains("\"create\", \"--bundle\""), "\(plan)")
            }
        }

        @Test(
            .enabled(if: OrdinaryUser.isPossible, "\(OrdinaryUser.need)"),
            // crun of Debian 12 wants cgroup hierarchies of another kind than this one, which only root can take away.
            arguments: all.filter { $0.kind != .crun })
        func anOrdinaryUserHasThemToo(_ runtime: OCIRuntime) throws {
            try RootlessTests.isolated { runimg in
                let program = try Self.program(runtime, runimg.scratch)
                let flags = ["-q", "--runtime", program, RootlessTests.image]
                let output = try runimg.run(["run", "--rm"] + flags + ["sh", "-c", "id -u; echo err >&2; exit 6"])
                #expect(output.status == 6 && output.stdout == "0\n" && output.stderr == "err\n", "\(output)")
                let started = try runimg.run(["run", "-d", "--name", "one"] + flags + ["sleep", "1000"])
                #expect(started.status == 0, "\(started)")
                #expect(try runimg.check("exec", "one", "echo", "in").lines == ["in"])
                try runimg.check("stop", "-t", "0", "one")
                try runimg.check("start", "one")
                try runimg.check("rm", "-f", "one")
            }
        }
    }
}
