internal import Glibc
internal import TestSupport
import Testing

extension EndToEnd {
    /// Exit codes and messages as docker's users know them.
    @Suite struct ExitCodes {
        @Test(arguments: [0, 1, 3, 125, 126, 127, 128, 137, 255]) func theProcessesOwnCodeComesBack(_ code: Int32)
            throws
        {
            let output = try run([], "/probe", "exit", "\(code)")
            #expect(output.status == code && output.stderr.isEmpty)
        }

        @Test(arguments: [SIGTERM, SIGKILL, SIGINT, SIGSEGV, SIGUSR1])
        func aKilledProcessIsACodeAbove128(_ signal: Int32) throws {
            // With an init, the probe is an ordinary process that its own signal ends.
            let output = try run(["--init"], "sh", "-c", "kill -\(signal) $$")
            #expect(output.status == 128 + signal)
        }

        @Test(arguments: [
            (["nosuchcommand"], #"exec: "nosuchcommand": executable file not found in $PATH"#),
            (["./nosuch"], #"exec: "./nosuch": stat ./nosuch: no such file or directory"#),
            (["/no/such/file"], #"exec: "/no/such/file": stat /no/such/file: no such file or directory"#),
            (["/bin/bad-interpreter"], "no such file or directory"),
        ])
        func aCommandThatIsNotThereIs127(_ command: [String], _ message: String) throws {
            let output = try engine.runimg.run(["run", "--rm", engine.image] + command)
            #expect(output.status == 127)
            #expect(output.stderr.contains(message), "\(output)")
            #expect(output.stdout.isEmpty)
        }

        @Test(arguments: [
            (["/etc/not-executable"], #"exec: "/etc/not-executable": permission denied"#),
            (["/etc"], #"exec: "/etc": is a directory"#),
            (["/bin/bad-format"], "exec format error"),
        ])
        func aCommandThatCannotRunIs126(_ command: [String], _ message: String) throws {
            let output = try engine.runimg.run(["run", "--rm", engine.image] + command)
            #expect(output.status == 126)
            #expect(output.stderr.contains(message), "\(output)")
        }

        @Test(arguments: [
            (["run", "--no-such-flag", "x"], "unknown flag: --no-such-flag"),
            (["run", "-Z", "x"], "unknown shorthand flag: 'Z' in -Z"),
            (["run", "-m", "lots", "x"], "invalid"),
            (["run", "--pull", "never", "no-such-image"], "No such image: no-such-image"),
            (["run", "UPPER/case"], "must be lowercase"),
            (["run", "-d", "x"], "not supported yet"),
            (["run", "--restart", "always", "x"], "not supported yet"),
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
