internal import Glibc
internal import Sys
internal import TestSupport
import Testing

extension EndToEnd {
    /// Exit codes and messages as docker's users know them.
    @Suite struct ExitCodes {
        /// How a process may be started; its end must look the same each time.
        static let ways: [[String]] = [[], ["--init"], ["-t"], ["-t", "--init"]]

        @Test("F20: every exit code comes back") func theProcessesOwnCodeComesBack() throws {
            for code in Int32(0)...255 {
                let output = try run([], "/probe", "exit", "\(code)")
                #expect(output.status == code && output.stderr.isEmpty && output.stdout.isEmpty, "\(output)")
            }
        }

        @Test("F20: an exit code is the same however the process was started", arguments: ways.dropFirst())
        func theCodeDoesNotDependOnTheWay(_ flags: [String]) throws {
            for code: Int32 in [0, 1, 2, 42, 63, 64, 125, 126, 127, 128, 129, 130, 137, 143, 192, 254, 255] {
                let output = try run(flags, "/probe", "exit", "\(code)")
                #expect(output.status == code && output.stderr.isEmpty, "\(output)")
            }
        }

        /// Those of 1 to 31 that end a process (signal(7)).
        static let deadly: [Int32] = [
            SIGHUP, SIGINT, SIGQUIT, SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGKILL, SIGUSR1, SIGSEGV, SIGUSR2,
            SIGPIPE,
            SIGALRM, SIGTERM, SIGSTKFLT, SIGXCPU, SIGXFSZ, SIGVTALRM, SIGPROF, SIGIO, SIGPWR, SIGSYS,
        ]

        @Test("F20: a process that a signal ends is 128 and the signal's number", arguments: ways)
        func aKilledProcessIsACodeAbove128(_ flags: [String]) throws {
            for signal in Self.deadly {
                // Below an init the probe itself dies of it; process 1 of a PID namespace is deaf to its own signals, so
                // there a child of the probe dies, and its end is passed on.
                let output = try run(flags, "/probe", "kill", "\(signal)")
                #expect(output.status == 128 + signal, "\(output)")
            }
        }

        @Test("F20: process 1 that is killed from outside is 137", arguments: ways)
        func aKilledContainerIs137(_ flags: [String]) throws {
            let mark = "\(1_000_000 + flags.count * 7 + (flags.first == "-t" ? 1 : 0)).\(getpid())"
            let engine = try engine
            var child = try ChildProcess(
                Runimg.path,
                ["--data-root", engine.runimg.dataRoot, "run", "--rm"] + flags + [engine.image, "sleep", mark],
                environment: Tool.baseEnvironment)
            var pid: Int32?
            #expect(
                Wait.until(seconds: 20) {
                    let found = try? Tool.run("pgrep", ["-f", "-x", "sleep \(mark)"]).lines.first
                    pid = found.flatMap { Int32($0) }
                    return pid != nil
                })
            kill(try #require(pid), SIGKILL)
            #expect(try child.wait(seconds: 20) == .exited(137))
        }

        struct Refusal: Sendable, CustomTestStringConvertible {
            let command: [String]
            let code: Int32
            let message: String
            var testDescription: String { command.joined(separator: " ") }
        }

        static let refusals = [
            Refusal(
                command: ["nosuchcommand"], code: 127,
                message: #"exec: "nosuchcommand": executable file not found in $PATH"#),
            Refusal(
                command: ["./nosuch"], code: 127,
                message: #"exec: "./nosuch": stat ./nosuch: no such file or directory"#),
            Refusal(
                command: ["/no/such/file"], code: 127,
                message: #"exec: "/no/such/file": stat /no/such/file: no such file or directory"#),
            Refusal(command: ["/bin/bad-interpreter"], code: 127, message: "no such file or directory"),
            Refusal(command: [""], code: 127, message: #"exec: "": executable file not found in $PATH"#),
            Refusal(command: ["/etc/passwd/x"], code: 127, message: "not a directory"),
            Refusal(
                command: ["/etc/not-executable"], code: 126, message: #"exec: "/etc/not-executable": permission denied"#
            ),
            Refusal(command: ["/etc"], code: 126, message: #"exec: "/etc": is a directory"#),
            Refusal(command: ["/bin/bad-format"], code: 126, message: "exec format error"),
        ]

        @Test(
            "F20: a command that cannot be started is 127 or 126, and is told the same way", arguments: refusals, ways)
        func aCommandThatCannotBeStarted(_ refusal: Refusal, _ flags: [String]) throws {
            let output = try engine.runimg.run(["run", "--rm"] + flags + [engine.image] + refusal.command)
            #expect(output.status == refusal.code, "\(output)")
            #expect(output.stderr.contains(refusal.message), "\(output)")
            #expect(output.stdout.isEmpty)
        }

        @Test(
            "F20: an error of ours is 125",
            arguments: [
                (["run", "--no-such-flag", "x"], "unknown flag: --no-such-flag"),
                (["run", "-Z", "x"], "unknown shorthand flag: 'Z' in -Z"),
                (["run", "-m", "lots", "x"], "invalid"),
                (["run", "--pull", "never", "no-such-image"], "No such image: no-such-image"),
                (["run", "UPPER/case"], "must be lowercase"),
                (["run", "--gpus", "all", "x"], "not supported yet"),
                (["run", "--restart", "sometimes", "x"], "unknown policy 'sometimes'"),
                (
                    ["run", "--rm", "--restart", "always", "x"],
                    "conflicting options: cannot specify both --restart and --rm"
                ),
                (["run", "--cap-add", "NO_SUCH", "x"], "NO_SUCH"),
                (["run", "-v", "relative:/x:bogus", "x"], "bogus"),
                (["run", "-w", "relative", "x"], "absolute path"),
            ])
        func anErrorOfOursIs125(_ arguments: [String], _ message: String) throws {
            let output = try engine.runimg.run(arguments)
            #expect(output.status == 125, "\(output)")
            #expect(output.stderr.contains(message), "\(output)")
            #expect(output.stdout.isEmpty)
        }

        @Test func outputGoesWhereItWasWritten() throws {
            let output = try run([], "sh", "-c", "echo out; echo err >&2")
            #expect(output.stdout == "out\n" && output.stderr == "err\n")
        }

        @Test func withoutInteractiveInputIsEmpty() throws {
            #expect(try shell([], "wc -c", input: "not passed on") == "0")
        }

        @Test func interactivePassesInputAndItsEnd() throws {
            let text = String(repeating: "line\n", count: 50_000)
            #expect(try shell(["-i"], "wc -c", input: text) == "250000")
            #expect(try shell(["-i"], "cat; echo after", input: "text\n") == "text\nafter")
        }

        @Test func muchOutputComesWholeAndInOrder() throws {
            let output = try run([], "sh", "-c", "seq 1 200000")
            #expect(output.lines.count == 200_000 && output.lines.last == "200000")
        }

        @Test("F15: a reader that starts long after the container ended gets every byte")
        func aLateReaderGetsEverything() throws {
            let engine = try engine
            // More than the pipe and the monitor's socket hold together, and less.
            let sizes = [120, 260, 300, 340, 380, 460]
            let script = """
                for size in \(sizes.map(String.init).joined(separator: " ")); do
                    "$@" dd if=/dev/zero bs=1024 count=$size 2>/dev/null | (sleep 2.5; wc -c) >"$0/$size" &
                done
                wait
                """
            let scratch = try Scratch()
            let run = engine.runimg.command(["run", "--rm", engine.image])
            let output = try Tool.run("/bin/sh", ["-c", script, scratch.path] + run)
            #expect(output.status == 0, "\(output)")
            for size in sizes {
                let counted = String(decoding: try File.readAll(scratch("\(size)")), as: UTF8.self)
                #expect(counted == "\(size * 1024)\n")
            }
        }

        @Test func aReaderThatLeavesEndsTheContainer() throws {
            let engine = try engine
            let output = try Tool.run(
                "sh",
                [
                    "-c", "\"$0\" --data-root \"$1\" run --rm \"$2\" yes | head -1", Runimg.path,
                    engine.runimg.dataRoot,
                    engine.image,
                ], timeout: 20)
            #expect(output.stdout == "y\n" && !output.timedOut)
        }

        @Test(arguments: [SIGINT, SIGHUP, SIGUSR1, SIGUSR2, SIGQUIT, SIGWINCH, SIGCONT])
        func signalsAreForwarded(_ signal: Int32) throws {
            let runimg = try Runimg()
            let image = "oci:\(Fixtures.layout("busybox")):latest"
            var child = try runimg.start("run", "--rm", "-q", image, "/probe", "signals")
            #expect(Wait.until(seconds: 20) { runimg.startedOutput.contains("ready") })
            try child.signal(signal)
            let name = String(cString: sigabbrev_np(signal) ?? UnsafePointer(strdup("?")))
            #expect(
                Wait.until(seconds: 10) { runimg.startedOutput.contains("signal=\(name)\n") }, "\(runimg.startedOutput)"
            )
            try child.signal(SIGTERM)
            #expect(try child.wait(seconds: 10) == .exited(0))
        }

        @Test func aProcessThatIgnoresASignalLivesOn() throws {
            let runimg = try Runimg()
            let image = "oci:\(Fixtures.layout("busybox")):latest"
            var child = try runimg.start(
                "run", "--rm", "-q", image, "sh", "-c", "trap '' TERM; echo ready; sleep 1; exit 5")
            #expect(Wait.until(seconds: 20) { runimg.startedOutput.contains("ready") })
            try child.signal(SIGTERM)
            #expect(try child.wait(seconds: 10) == .exited(5))
        }
    }
}
