internal import Glibc
internal import Sys
internal import TestSupport
import Testing

extension EndToEnd {
    /// An end that comes while nobody looks, and that can't be recorded.
    @Suite(.enabled(if: Conditions.has("chattr"), "needs chattr")) struct FailedEnds {
        /// Nothing can be made or renamed in the container's directory while `body` runs; its log stays writable.
        private static func immutable(_ directory: String, _ body: () throws -> Void) throws {
            try Tool.check("chattr", ["+i", directory])
            defer { _ = try? Tool.run("chattr", ["-i", directory]) }
            try body()
        }

        /// Ends the container and waits until nobody serves it.
        private static func end(_ runimg: Runimg, _ id: String) throws {
            let pid = try #require(try runimg.check("inspect", "-f", "{{.State.Pid}}", id).lines.first)
            kill(try #require(Int32(pid)), SIGKILL)
            #expect(Wait.until(seconds: 20) { Lifecycle.monitor(of: id) == nil && !isServed(runimg, id) })
        }

        private static func isServed(_ runimg: Runimg, _ id: String) -> Bool {
            guard let entry = try? Directory.open("/run/runimg/\(id)") else { return false }
            return (try? FileLock.attempt("lock", in: entry.raw)) == nil
        }

        @Test func theNextCommandSaysItAndTakesItUp() throws {
            try Lifecycle.isolated { runimg in
                let id = try Lifecycle.detached(runimg, Lifecycle.image, "sleep", "1000")
                let warning = "WARNING: the end of container \(id) (exit code 137) was not taken care of: "
                try Self.immutable("\(runimg.dataRoot)/containers/\(id)") {
                    try Self.end(runimg, id)
                    // It can't be recorded now either, and is said until it is.
                    let still = try runimg.run(["ps", "-a"])
                    #expect(still.stderr.hasPrefix(warning) && still.stderr.contains("EPERM"), "\(still)")
                }
                let listed = try runimg.run(["ps", "-a", "--format", "{{.Status}}"])
                #expect(listed.stderr.hasPrefix(warning), "\(listed)")
                #expect(listed.stdout.hasPrefix("Exited (137)"))
                #expect(try runimg.run(["ps", "-a"]).stderr.isEmpty)
                let state = try runimg.check("inspect", "-f", "{{.State.Error}}", id)
                #expect(state.stdout.hasPrefix("its end could not be recorded at its time: "), "\(state)")
                let events = try runimg.check(
                    "events", "--since", "1h", "--until", "0s", "-f", "event=die", "-f", "container=\(id)", "--format",
                    "{{.Actor.Attributes.exitCode}}")
                #expect(events.lines == ["137"])
            }
        }

        @Test func anEndThatIsRecordedStaysAsItIs() throws {
            try Lifecycle.isolated { runimg in
                let id = try Lifecycle.detached(runimg, Lifecycle.image, "sleep", "1000")
                let directory = "/run/runimg/\(id)"
                let entry = try File.readAll("\(directory)/state.json", limit: 1 << 16)
                try runimg.check("kill", id)
                let before = try runimg.check("inspect", "-f", "{{json .State}}", id).stdout
                // As its cgroup that could not be removed leaves it.
                try Directory.make(directory, mode: 0o700)
                let file = try File.open("\(directory)/state.json", O_WRONLY | O_CREAT, mode: 0o600)
                try File.write(file.raw, entry)
                #expect(try runimg.check("ps", "-a").stderr.isEmpty)
                #expect(!File.exists(directory))
                #expect(try runimg.check("inspect", "-f", "{{json .State}}", id).stdout == before)
            }
        }
    }
}
