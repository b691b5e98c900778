internal import Sys
internal import TestSupport
import Testing

extension EndToEnd {
    /// Joining and leaving a container that runs.
    @Suite struct Attaching {
        @Test("F22: the keys let go of a container, and another command goes on with it")
        func theKeysLetGo() throws {
            try Lifecycle.isolated { runimg in
                let first = try runimg.terminal("run", "-it", "-q", "--name", "held", Lifecycle.image, "sh")
                let before = first.mode
                try first.expect("# ")
                try first.type("kept=here\r")
                // Taken by the shell, which drops what was typed ahead when it sets its terminal up.
                try first.expect("# ")
                try first.type("\u{10}\u{11}")
                #expect(try first.wait() == .exited(0))
                #expect(first.transcript.contains("read escape sequence") && first.mode == before)
                let second = try runimg.terminal("attach", "held", rows: 40, columns: 90)
                try second.type("echo $kept $((6*7)); stty size\r")
                try second.expect("here 42")
                try second.expect("40 90")
                try second.type("exit 3\r")
                #expect(try second.wait() == .exited(3))
                #expect(try runimg.check("wait", "held").lines == ["3"])
                let events = try runimg.check("events", "--since", "1h", "--until", "0s", "--format", "{{.Action}}")
                #expect(events.lines.suffix(6) == ["create", "attach", "start", "detach", "attach", "die"])
            }
        }

        @Test func aProgramDrawsItsScreenAnew() throws {
            try Lifecycle.isolated { runimg in
                let script = "trap 'echo drawn at $(stty size)' WINCH; echo up; while :; do sleep 0.05; done"
                let id = try Lifecycle.detached(runimg, "-it", Lifecycle.image, "sh", "-c", script)
                for _ in 0..<2 {
                    // The same size each time: the kernel tells nobody of one that stays.
                    let terminal = try runimg.terminal("attach", id, rows: 24, columns: 80)
                    try terminal.expect("drawn at 24 80")
                    try terminal.type("\u{10}\u{11}")
                    #expect(try terminal.wait() == .exited(0))
                }
            }
        }

        @Test("detach keys that are none are refused before anything is made")
        func wrongKeysAreRefused() throws {
            try Lifecycle.isolated { runimg in
                func refused(_ arguments: String..., code: Int32) throws {
                    let output = try runimg.run(arguments)
                    #expect(output.stderr.contains("Invalid detach keys (ctrl-foo) provided"), "\(output)")
                    #expect(output.status == code && output.stdout.isEmpty)
                }
                let keys = "--detach-keys=ctrl-foo"
                try refused("run", "-q", keys, Lifecycle.image, "true", code: 125)
                try refused("run", "-d", "-q", keys, Lifecycle.image, "true", code: 125)
                #expect(try runimg.check("ps", "-aq").lines.isEmpty)
                let id = try Lifecycle.detached(runimg, Lifecycle.image, "sleep", "1000")
                try refused("exec", keys, id, "touch", "/made", code: 1)
                #expect(try runimg.run(["exec", id, "ls", "/made"]).status != 0)
                try refused("attach", keys, id, code: 1)
                try runimg.check("kill", id)
                try refused("start", "-a", keys, id, code: 1)
                #expect(try runimg.check("ps", "-q").lines.isEmpty)
            }
        }

        @Test("F22: several may watch, and one that leaves disturbs nobody")
        func severalWatch() throws {
            try Lifecycle.isolated { runimg in
                let id = try Lifecycle.detached(
                    runimg, "-it", Lifecycle.image, "sh", "-c",
                    "i=0; while sleep 0.05; do echo tick $i; i=$((i+1)); done")
                let first = try runimg.terminal("attach", id)
                let second = try runimg.terminal("attach", id)
                try first.expect("tick")
                try second.expect("tick")
                try first.type("\u{10}\u{11}")
                #expect(try first.wait() == .exited(0))
                #expect(try runimg.check("stop", "-t", "0", id).status == 0)
                #expect(try second.wait() == .exited(137))
            }
        }

        @Test func onlyWhatRunsIsJoined() throws {
            try Lifecycle.isolated { runimg in
                try runimg.check("create", "-q", "--name", "made", Lifecycle.image, "true")
                let output = try runimg.run(["attach", "made"])
                #expect(output.status == 1)
                #expect(output.stderr.contains("You cannot attach to a stopped container, start it first"))
            }
        }
    }
}
