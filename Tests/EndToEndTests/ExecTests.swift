internal import Glibc
internal import OCI
internal import Sys
internal import TestSupport
import Testing

extension EndToEnd {
    /// Further processes in running containers, as a user has them.
    @Suite struct Exec {
        @Test("a command's output, error and exit code are the caller's") func theCommandsEndIsTheCallers() throws {
            let container = try Sleeper()
            let output = try container.exec(["sh", "-c", "echo out; echo err >&2; cat; exit 7"])
            #expect(output.status == 7, "\(output)")
            #expect(output.stdout == "out\n" && output.stderr == "err\n")
            let piped = try container.exec(["sh", "-c", "cat; exit 3"], flags: ["-i"], input: "piped\n")
            #expect(piped.status == 3 && piped.stdout == "piped\n", "\(piped)")
            #expect(try container.exec(["sh", "-c", "kill -9 $$"]).status == 137)
            let large = try container.exec(["sh", "-c", "dd if=/dev/zero bs=1000 count=3000 2>/dev/null"])
            #expect(large.stdoutBytes.count == 3_000_000)
        }

        struct Refusal: Sendable, CustomTestStringConvertible {
            let flags: [String]
            let command: [String]
            let code: Int32
            let text: String
            var testDescription: String { (flags + command).joined(separator: " ") }

            init(_ flags: [String], _ command: [String], _ code: Int32, _ text: String) {
                (self.flags, self.command, self.code, self.text) = (flags, command, code, text)
            }
        }

        @Test("what keeps a command from starting is said, with docker's exit code") func refusals() throws {
            let container = try Sleeper()
            for refusal in Self.all {
                let output = try container.exec(refusal.command, flags: refusal.flags)
                #expect(output.status == refusal.code, "\(output)")
                #expect(output.stderr.contains(refusal.text), "\(output)")
                #expect(output.stdout.isEmpty)
            }
            #expect(try container.isAlone())
        }

        private static let all = [
            Refusal([], ["nope"], 127, "exec: \"nope\": executable file not found in $PATH"),
            Refusal([], ["/nope"], 127, "exec: \"/nope\": stat /nope: no such file or directory"),
            Refusal([], ["/etc"], 126, "exec: \"/etc\": is a directory"),
            Refusal([], ["/etc/passwd"], 126, "exec: \"/etc/passwd\": permission denied"),
            Refusal(["-w", "/nope"], ["true"], 127, "chdir to cwd (\"/nope\"): no such file or directory"),
            Refusal(["-w", "/etc/passwd"], ["true"], 127, "chdir to cwd (\"/etc/passwd\"): not a directory"),
            Refusal(["-w", "relative"], ["true"], 126, "it needs to be an absolute path"),
            Refusal(["-u", "nobody-here"], ["true"], 126, "unable to find user nobody-here"),
            Refusal(["-u", "99999999999"], ["true"], 126, "uids and gids must be in range"),
            Refusal(["-it"], ["true"], 1, "the input device is not a TTY"),
            Refusal(["-d"], ["nope"], 127, "executable file not found in $PATH"),
            Refusal(["--detach-keys", "foo"], ["true"], 1, "foo"),
            Refusal(["--env-file", "/nope"], ["true"], 1, "open /nope: no such file or directory"),
            Refusal(["--preserve-fds", "2"], ["true"], 1, "no descriptor of the caller's"),
            Refusal(["--nope"], ["true"], 125, "unknown flag: --nope"),
            Refusal([], [], 1, "requires at least 2 arguments"),
        ]

        @Test("a container that does not run is named, in docker's words") func needsARunningContainer() throws {
            let runimg = try engine.runimg
            let missing = try runimg("exec", "no-such-container", "true")
            #expect(
                missing.status == 1 && missing.stderr.contains("No such container: no-such-container"), "\(missing)")
            let name = "created-\(Random.hex(bytes: 4))"
            let id = try runimg.check("create", "--name", name, try engine.image, "true").lines.last ?? ""
            let created = try runimg("exec", name, "true")
            #expect(created.status == 1 && created.stderr.contains("container \(id) is not running"), "\(created)")
            try runimg.check("rm", name)
            let container = try Sleeper()
            let paused = try container.paused { try container.exec(["true"]) }
            #expect(paused.status == 1, "\(paused)")
            #expect(paused.stderr.contains("is paused, unpause the container before exec"), "\(paused)")
            #expect(try container.exec(["true"]).status == 0)
        }

        @Test("user, groups, environment and directory are docker's") func surroundingsAreDockers() throws {
            let container = try Sleeper(["-h", "boxy", "-e", "A=1", "-w", "/tmp"])
            let path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
            let base = [path, "HOSTNAME=boxy"]
            #expect(try container.lines(["env"]) == base + ["A=1", "HOME=/root"])
            #expect(try container.lines(["env"], ["-u", "alice"]) == base + ["A=1", "HOME=/home/alice"])
            let flags = ["-e", "X=1", "-e", "A=2", "-e", "NOT_SET_BY_THE_CALLER"]
            #expect(try container.lines(["env"], flags) == base + ["A=2", "X=1", "HOME=/root"])
            #expect(try container.lines(["pwd"]) == ["/tmp"])
            #expect(try container.lines(["pwd"], ["-w", "/etc/../home"]) == ["/home"])
            #expect(try container.lines(["id", "-u"], ["-u", "1234:55"]) == ["1234"])
            #expect(try container.lines(["id", "-G"], ["-u", "1234:55"]) == ["55"])
            #expect(try container.lines(["id", "-G"], ["-u", "alice"]) == ["1000 50 63"])
            // Users are those of the container as it is now.
            try container.check(["sh", "-c", "echo new:x:77:77::/srv:/bin/sh >> /etc/passwd"])
            #expect(try container.lines(["sh", "-c", "id -u; echo $HOME"], ["-u", "new"]) == ["77", "/srv"])
        }

        @Test(
            "X6: a user database that the container makes a trap of is an error, not a wait",
            arguments: ["mkfifo /etc/passwd", "mkdir /etc/passwd", "ln -s /dev/zero /etc/passwd"])
        func aRunningUserDatabaseThatIsATrap(_ trap: String) throws {
            let container = try Sleeper()
            try container.check(["sh", "-c", "rm -rf /etc/passwd; \(trap)"])
            let output = try container.exec(["true"], flags: ["-u", "alice"], timeout: 20)
            #expect(output.status == 1 && !output.timedOut, "\(output)")
            #expect(output.stderr.contains("/etc/passwd of the container: not a regular file"), "\(output)")
        }

        @Test("X6: a user database that is a link is looked for inside") func aRunningUserDatabaseBehindALink() throws {
            let container = try Sleeper()
            let script = "rm /etc/passwd; echo in:x:7:7::/:/bin/sh > /etc/users; ln -s /../../../etc/users /etc/passwd"
            try container.check(["sh", "-c", script])
            #expect(try container.lines(["id", "-u"], ["-u", "in"]) == ["7"])
            try container.check(["sh", "-c", "rm /etc/passwd; ln -s /proc/1/root/etc/users /etc/passwd"])
            #expect(try container.exec(["true"], flags: ["-u", "in"]).status == 1)
        }

        @Test("signals that the command gets reach the process", arguments: [SIGTERM, SIGINT, SIGUSR1, SIGHUP])
        func signalsAreForwarded(_ number: Int32) throws {
            let container = try Sleeper()
            let output = container.output
            var child = try container.start(
                ["sh", "-c", "trap 'echo got; exit 9' \(number); echo ready; while :; do sleep 0.05; done"], to: output)
            #expect(Wait.until(seconds: 15) { container.said(output) == "ready\n" })
            try child.signal(number)
            #expect(try child.wait(seconds: 15) == .exited(9))
            #expect(container.said(output) == "ready\ngot\n")
        }

        @Test("an attached process ends with its command, and the container lives on", arguments: [[], ["-t"]])
        func itDiesWithItsCommand(_ flags: [String]) throws {
            let container = try Sleeper()
            let output = container.output
            var child = try container.start(["sh", "-c", "echo ready; exec sleep 1000"], flags: flags, to: output)
            #expect(Wait.until(seconds: 15) { container.said(output).hasPrefix("ready") })
            try child.signal(SIGKILL)
            _ = try child.wait(seconds: 15)
            #expect(Wait.until(seconds: 15) { (try? container.isAlone()) == true })
            #expect(try container.exec(["true"]).status == 0)
        }

        @Test("a command that is killed at any moment leaves nothing behind", .timeLimit(.minutes(Wait.minutes(5))))
        func killedAtAnyMoment() throws {
            let container = try Sleeper()
            let output = container.output
            for round in 0..<40 {
                var child = try container.start(["sleep", "1000"], to: output)
                usleep(UInt32(round) * 400)
                try child.signal(SIGKILL)
                _ = try child.wait(seconds: 15)
            }
            #expect(Wait.until(seconds: 15) { (try? container.isAlone()) == true })
            #expect(try container.exec(["true"]).status == 0)
        }

        /// Between the word that lets the process go on and its wish for a signal at the command's death.
        @Test(
            "F15: a command that is killed before its process knows of it takes it along",
            .enabled(if: SyscallFaults.isPossible, "\(SyscallFaults.requirements)"))
        func killedBeforeItsProcessKnows() throws {
            let container = try Sleeper()
            let exec = container.runimg.command(["exec", container.name, "sleep", "1000"])
            let slow = ["-f", "-qq", "-o", "/dev/null", "-e", "inject=setsid:delay_enter=1500000"]
            var child = try ChildProcess("/usr/bin/env", ["strace"] + slow + exec, environment: Tool.baseEnvironment)
            var command: pid_t?
            #expect(
                Wait.until(seconds: 20) {
                    command = try? container.processes().dropFirst().compactMap(parentOfOneInside).first
                    return command != nil
                })
            usleep(500_000)
            if let command { #expect(kill(command, SIGKILL) == 0) }
            _ = try child.wait(seconds: 20)
            #expect(Wait.until(seconds: 15) { (try? container.isAlone()) == true })
        }

        /// nil for one that is not in a pid namespace of its own yet.
        private func parentOfOneInside(_ pid: pid_t) throws -> pid_t? {
            let status = String(decoding: try File.readAll("/proc/\(pid)/status", limit: 8192), as: UTF8.self)
            let fields = status.split(separator: "\n").map { $0.split { $0 == "\t" || $0 == " " } }
            guard fields.contains(where: { $0.first == "NSpid:" && $0.count > 2 }) else { return nil }
            return fields.first { $0.first == "PPid:" }.flatMap { $0.last }.flatMap { pid_t($0) }
        }

        @Test("a process ends with its container") func itEndsWithItsContainer() throws {
            let container = try Sleeper()
            let output = container.output
            var child = try container.start(["sh", "-c", "echo ready; exec sleep 1000"], to: output)
            #expect(Wait.until(seconds: 15) { container.said(output) == "ready\n" })
            try container.runimg.check("kill", container.name)
            #expect(try child.wait(seconds: 15) == .exited(137))
        }

        @Test("detached, the command returns at once and the process goes on", arguments: [["-d"], ["-d", "-t"]])
        func detachedItGoesOn(_ flags: [String]) throws {
            let container = try Sleeper()
            let script = "tty > /tmp/tty; seq 1 20000; echo done > /tmp/done; exec sleep 1000"
            let output = try container.exec(["sh", "-c", script], flags: flags)
            #expect(output.status == 0 && output.stdout.isEmpty && !output.lingering, "\(output)")
            #expect(Wait.until(seconds: 15) { (try? container.lines(["cat", "/tmp/done"])) == ["done"] })
            let terminal = try container.lines(["cat", "/tmp/tty"])
            #expect(terminal == [flags.count == 2 ? "/dev/pts/0" : "not a tty"])
            #expect(try container.processes().count == 2)
        }

        @Test(
            "F22: the keys let go of a process, which runs on with its terminal; without them it ends with its command")
        func theKeysLetGoOfAProcess() throws {
            let container = try Sleeper()
            let script = "echo ready; sleep 1; seq 1 20000; tty; echo on > /tmp/on; exec sleep 1000"
            let terminal = try container.runimg.terminal("exec", "-it", container.name, "sh", "-c", script)
            try terminal.expect("ready")
            try terminal.type("\u{10}\u{11}")
            #expect(try terminal.wait() == .exited(0))
            #expect(terminal.transcript.contains("read escape sequence") && !terminal.isRaw)
            #expect(Wait.until(seconds: 15) { (try? container.lines(["cat", "/tmp/on"])) == ["on"] })
            #expect(try container.processes().count == 2)
            let other = try container.runimg.terminal(
                "exec", "-it", "--detach-keys", "x,y", container.name, "sh", "-c", "echo ready; exec sleep 1000")
            try other.expect("ready")
            try other.signal(SIGKILL)
            #expect(Wait.until(seconds: 15) { (try? container.processes().count) == 2 })
        }

        @Test("on a terminal it is a shell as any other: size, resizing, Ctrl-C") func aShellOnATerminal() throws {
            let container = try Sleeper()
            let terminal = try container.runimg.terminal(
                "exec", "-it", container.name, "sh", rows: 33, columns: 101)
            try terminal.type("tty; stty size\n")
            try terminal.expect("/dev/pts/0")
            try terminal.expect("33 101")
            #expect(terminal.isRaw)
            try terminal.resize(rows: 40, columns: 120)
            #expect(
                Wait.until(seconds: 15) {
                    (try? terminal.type("stty size\n")) != nil && (try? terminal.expect("40 120", seconds: 1)) != nil
                })
            try terminal.type("sleep 1000\n")
            #expect(Wait.until(seconds: 15) { (try? container.processes().count) == 3 })
            // Again, if the shell had not yet put it into the foreground.
            #expect(
                Wait.until(seconds: 15) {
                    (try? terminal.type("\u{3}")) != nil
                        && Wait.until(seconds: 1) { (try? container.processes().count) == 2 }
                })
            try terminal.type("echo interrupted-$((1+1)); exit 5\n")
            try terminal.expect("interrupted-2")
            #expect(try terminal.wait() == .exited(5))
            #expect(!terminal.isRaw)
        }
    }
}
