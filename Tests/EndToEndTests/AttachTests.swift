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
