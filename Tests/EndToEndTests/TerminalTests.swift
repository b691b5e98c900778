internal import Glibc
internal import Sys
internal import TestSupport
import Testing

extension EndToEnd {
    /// `run -it`, as a person uses it.
    @Suite struct Terminals {
        /// Starts `run --rm FLAGS IMAGE COMMAND` on a terminal.
        static func open(_ flags: [String], _ command: String..., rows: UInt16 = 24, columns: UInt16 = 80) throws
            -> PseudoTerminal
        {
            let engine = try EndToEnd.engine
            return try engine.runimg.terminal(
                ["run", "--rm"] + flags + [engine.image] + command, rows: rows, columns: columns)
        }

        @Test func aClosedWindowEndsTheShell() throws {
            let terminal = try Self.open(["-it"], "/bin/sh")
            try terminal.expect("# ")
            try terminal.hangUp()
            #expect(try terminal.wait() != nil)
        }

        @Test func aShellIsTypedIntoResizedAndLeft() throws {
            let terminal = try Self.open(["-it"], "/bin/sh", rows: 30, columns: 100)
            try terminal.expect("# ")
            #expect(terminal.isRaw)
            try terminal.type("stty size\r")
            try terminal.expect("30 100")
            try terminal.resize(rows: 50, columns: 132)
            // The size arrives by a signal; the shell may be asked before it.
            var seen = false
            for _ in 0..<20 where !seen {
                try terminal.type("stty size\r")
                seen = (try? terminal.expect("50 132", seconds: 0.5)) != nil
            }
            #expect(seen)
            try terminal.type("echo $TERM; tty; echo $((6*7))\r")
            try terminal.expect("xterm")
            try terminal.expect("/dev/pts/0")
            try terminal.expect("42")
            try terminal.type("exit 3\r")
            #expect(try terminal.wait() == .exited(3))
            #expect(terminal.mode == terminal.initialMode)
        }

        @Test func theTerminalIsTheContainersOwn() throws {
            let terminal = try Self.open(["-it"], "/probe")
            _ = try terminal.wait()
            let probe = Probe(String(decoding: terminal.transcript.utf8.filter { $0 != 13 }, as: UTF8.self))
            #expect(probe["isatty.0"] == "1" && probe["isatty.1"] == "1" && probe["isatty.2"] == "1")
            #expect(probe["controlling_terminal"] == "yes" && probe["tpgid"] == "1")
            #expect(probe["dev.console"]?.hasPrefix("c 136:") == true)
            #expect(probe["env.TERM"] == "xterm")
            #expect(Set(probe.all("fd.").keys) == ["0", "1", "2"])
        }

        @Test func interruptReachesTheProcess() throws {
            let terminal = try Self.open(
                ["-it"], "sh", "-c", "trap 'echo caught; exit 9' INT; echo ready; while :; do sleep 0.1; done")
            try terminal.expect("ready")
            try terminal.type("\u{3}")
            try terminal.expect("caught")
            #expect(try terminal.wait() == .exited(9))
        }

        @Test func endOfFileByKey() throws {
            let terminal = try Self.open(["-it"], "cat")
            try terminal.type("hello\r")
            try terminal.expect("hello\r\nhello")
            try terminal.type("\u{4}")
            #expect(try terminal.wait() == .exited(0))
        }

        @Test(arguments: [SIGTERM, SIGHUP, SIGINT]) func aSignalToRunimgLeavesTheTerminalAsItWas(_ signal: Int32) throws
        {
            let terminal = try Self.open(["-it"], "/probe", "signals")
            try terminal.expect("ready")
            try terminal.signal(signal)
            if signal != SIGTERM {
                try terminal.expect("signal=")
                try terminal.signal(SIGTERM)
            }
            #expect(try terminal.wait() == .exited(0))
            #expect(terminal.mode == terminal.initialMode)
        }

        @Test func aProcessThatDiesLeavesTheTerminalAsItWas() throws {
            let terminal = try Self.open(["-it", "--init"], "sh", "-c", "stty raw -echo; kill -9 $$")
            #expect(try terminal.wait() == .exited(137))
            #expect(terminal.mode == terminal.initialMode)
        }

        @Test func aStartThatFailsLeavesTheTerminalAsItWas() throws {
            let terminal = try Self.open(["-it"], "no-such-command")
            #expect(try terminal.wait() == .exited(127))
            #expect(terminal.mode == terminal.initialMode)
            #expect(terminal.transcript.contains("executable file not found"))
        }

        @Test func manyResizesEndAtTheLastSize() throws {
            let terminal = try Self.open(["-it"], "sh", "-c", "echo ready; read x; stty size")
            try terminal.expect("ready")
            for step in 0..<200 { try terminal.resize(rows: UInt16(20 + step % 30), columns: UInt16(60 + step % 50)) }
            try terminal.resize(rows: 33, columns: 77)
            Wait.sleep(0.2)
            try terminal.type("\r")
            try terminal.expect("33 77")
            _ = try terminal.wait()
        }

        @Test func muchOutputThroughATerminalIsWhole() throws {
            let terminal = try Self.open(["-it"], "sh", "-c", "seq 1 20000; echo done")
            try terminal.expect("20000\r\ndone", seconds: 30)
            #expect(terminal.transcript.split(separator: "\r\n").filter { Int($0) != nil }.count == 20000)
            #expect(try terminal.wait() == .exited(0))
        }

        @Test func aTerminalWithoutInputIsRefusedWithDockersWords() throws {
            let output = try run(["-it"], "true")
            #expect(output.status == 1 && output.stderr.contains("the input device is not a TTY"), "\(output)")
            // Without -i a terminal may be had: its output comes with the terminal's line ends.
            #expect(try run(["-t"], "echo", "x").stdout == "x\r\n")
        }

        @Test func rawBytesAreNotChanged() throws {
            // Docker's keys would detach.
            let terminal = try Self.open(
                ["-it", "--detach-keys", "ctrl-^"], "sh", "-c",
                "stty raw -echo; echo ready; dd bs=1 count=6 2>/dev/null | od -An -tx1")
            try terminal.expect("ready")
            try terminal.type("\u{1}\u{3}\u{10}\u{11}\u{1a}\u{7f}")
            try terminal.expect("01 03 10 11 1a 7f")
            _ = try terminal.wait()
        }
    }

    @Suite(.enabled(if: Conditions.canPullAlpine, "needs docker-registry, skopeo and ../shared/images"))
    struct RealAlpine {
        @Test func theMainJob() throws {
            let scratch = try Scratch()
            try SharedImages.alpineLayout(scratch("alpine"))
            let registry = try RealRegistry()
            try registry.push("oci:\(scratch("alpine")):latest", as: "library/alpine:latest")
            let runimg = try Runimg(mirror: registry)

            let first = try runimg("run", "--rm", "alpine", "cat", "/etc/alpine-release")
            #expect(first.status == 0 && first.stdout == "3.20.3\n", "\(first)")
            #expect(first.stderr.contains("Unable to find image 'alpine:latest' locally"))
            #expect(first.stderr.contains("latest: Pulling from library/alpine"))
            #expect(first.stderr.contains("Status: Downloaded newer image for alpine:latest"))
            let second = try runimg("run", "--rm", "alpine", "cat", "/etc/alpine-release")
            #expect(second.stdout == "3.20.3\n" && second.stderr.isEmpty, "\(second)")

            let terminal = try runimg.terminal("run", "-it", "--rm", "alpine", "/bin/sh", rows: 40, columns: 120)
            try terminal.expect("/ # ")
            try terminal.type("cat /etc/alpine-release\r")
            try terminal.expect("3.20.3")
            try terminal.resize(rows: 25, columns: 90)
            var seen = false
            for _ in 0..<20 where !seen {
                try terminal.type("stty size\r")
                seen = (try? terminal.expect("25 90", seconds: 0.5)) != nil
            }
            #expect(seen)
            try terminal.type("apk --version && su nobody -s /bin/sh -c id\r")
            try terminal.expect("apk-tools")
            try terminal.expect("uid=65534(nobody)")
            try terminal.type("exit\r")
            #expect(try terminal.wait() == .exited(0))
            #expect(terminal.mode == terminal.initialMode)

            let arm = try runimg("run", "--rm", "-q", "--platform", "linux/arm64", "alpine", "true")
            #expect(arm.status != 0 && arm.stderr.contains("exec format error"), "\(arm)")
        }
    }
}
