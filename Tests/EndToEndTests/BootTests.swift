internal import Sys
internal import TestSupport
import Testing

extension EndToEnd {
    /// What runs again after a boot, by the command that `generate systemd --boot` puts into a unit.
    @Suite struct Boot {
        private static let start = [
            "start", "--all", "--filter", "restart-policy=always", "--filter", "restart-policy=unless-stopped",
        ]

        private static func make(_ runimg: Runimg, _ name: String, _ policy: String) throws {
            try runimg.check(
                "run", "-d", "-q", "--name", name, "--restart", policy, "--stop-signal", "KILL", Lifecycle.image,
                "sleep",
                "1000")
        }

        private static func running(_ runimg: Runimg) throws -> [String] {
            try runimg.check("ps", "--format", "{{.Names}}").lines.sorted()
        }

        @Test func whatWasStoppedByHandStaysSo() throws {
            try Lifecycle.isolated { runimg in
                for (name, policy) in [
                    ("always", "always"), ("unless", "unless-stopped"), ("by-hand", "unless-stopped"), ("never", "no"),
                ] {
                    try Self.make(runimg, name, policy)
                }
                try runimg.check("stop", "by-hand")
                // The machine goes down, which is nobody's wish for a container.
                let stopped = try runimg.check("stop", "--all", "--until-boot").lines
                #expect(stopped.count == 3)
                #expect(try Self.running(runimg).isEmpty)
                let started = try runimg.run(Self.start)
                #expect(started.status == 0 && started.lines.count == 2, "\(started)")
                #expect(try Self.running(runimg) == ["always", "unless"])
                // Once more, with nothing to do.
                #expect(try runimg.run(Self.start).lines.isEmpty)
                // Started and stopped by hand, it stays stopped; `always` does not mind.
                try runimg.check("stop", "unless", "always")
                #expect(try runimg.run(Self.start).lines.count == 1)
                #expect(try Self.running(runimg) == ["always"])
            }
        }

        @Test func afterAPowerCutAllOfThemRunAgain() throws {
            try Lifecycle.isolated { runimg in
                try Self.make(runimg, "unless", "unless-stopped")
                try Self.make(runimg, "never", "no")
                for name in ["unless", "never"] {
                    let id = try runimg.check("inspect", "-f", "{{.Id}}", name).lines[0]
                    let monitor = try #require(Lifecycle.monitor(of: String(id)))
                    try Tool.check("kill", ["-9", "\(monitor)"])
                }
                #expect(Wait.until(seconds: 20) { (try? Self.running(runimg))?.isEmpty == true })
                #expect(try runimg.run(Self.start).lines.count == 1)
                #expect(try Self.running(runimg) == ["unless"])
            }
        }
    }
}
