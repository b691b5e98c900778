internal import Glibc
internal import Sys
internal import TestSupport
import Testing

extension EndToEnd {
    /// Containers that end before the command that starts them has done its own part.
    @Suite struct QuickEnds {
        @Test(
            "F17: the end of a container that ends at once is what is recorded, not its start",
            .enabled(if: SyscallFaults.isPossible, "\(SyscallFaults.requirements)"))
        func theEndComesLast() throws {
            try Lifecycle.isolated { runimg in
                // The command, and it alone, sleeps when it has told the monitor to go on.
                let slow = ["strace", "-qq", "-o", "/dev/null", "-e", "inject=sendmsg:delay_exit=3000000"]
                let name = "quick"
                let started = try runimg.run(
                    ["run", "-d", "--name", name, Lifecycle.image, "sh", "-c", "exit 3"], under: slow)
                #expect(started.status == 0, "\(started)")
                #expect(try runimg.run(["wait", name], timeout: 30).stdout == "3\n")
                let state = try runimg.check("inspect", "-f", "{{.State.Status}} {{.State.ExitCode}}", name)
                #expect(state.stdout == "exited 3\n")
            }
        }

        @Test(.enabled(if: SyscallFaults.isPossible, "\(SyscallFaults.requirements)"))
        func removalWaitsForTheEntryToGo() throws {
            try Lifecycle.isolated { runimg in
                // Records the end, and then takes a second to remove what the entry consists of, file by file.
                let script = """
                    strace -qq -o /dev/null -e inject=unlinkat:delay_enter=250000 \
                      "$@" run --name leaving \(Lifecycle.image) true &
                    until grep -q '"status":"exited"' "$0"/containers/*/config.json; do sleep 0.01; done 2>/dev/null
                    "$@" rm leaving
                    wait $!
                    """
                let output = try Tool.run("bash", ["-c", script, runimg.dataRoot] + runimg.command([]), timeout: 60)
                #expect(output.status == 0 && output.stdout == "leaving\n", "\(output)")
            }
        }

        @Test func manyAtOnce() throws {
            try Lifecycle.isolated { runimg in
                let script = """
                    for i in 1 2 3 4 5 6 7 8; do
                      (for j in 1 2 3 4 5 6; do
                        c=$("$@" run -d \(Lifecycle.image) sh -c 'exit 3') && timeout 60 "$@" wait $c && "$@" rm $c
                      done) &
                    done
                    wait
                    """
                let output = try Tool.run("bash", ["-c", script, "bash"] + runimg.command([]), timeout: 300)
                let codes = output.lines.filter { $0.count < 64 }
                #expect(codes == Array(repeating: "3", count: 48), "\(output)")
                // A removal that was refused says why here.
                #expect(try runimg.check("ps", "-a").stdout.split(separator: "\n").count == 1, "\(output)")
            }
        }

        @Test func whatNobodyServesIsOver() throws {
            try Lifecycle.isolated { runimg in
                let id = try Lifecycle.detached(runimg, Lifecycle.image, "true")
                #expect(try runimg.check("wait", id).stdout == "0\n")
                let path = "\(runimg.dataRoot)/containers/\(id)/config.json"
                let record = String(decoding: try File.readAll(path), as: UTF8.self)
                let running = record.replacing(#""status":"exited""#, with: #""status":"running""#)
                #expect(running != record)
                try File.replace(path, with: Array(running.utf8))
                #expect(try runimg.run(["wait", id], timeout: 30).stdout == "137\n")
                let state = try runimg.check("inspect", "-f", "{{.State.Status}} {{.State.Error}}", id)
                #expect(state.stdout == "exited its monitor was killed\n")
            }
        }
    }
}
