internal import Sys
internal import TestSupport
import Testing

extension EndToEnd {
    /// Health checks: carried out by the monitor, shown by the lists.
    @Suite struct Health {
        private func state(_ runimg: Runimg, _ name: String) throws -> String {
            try runimg.check("inspect", "-f", "{{with .State.Health}}{{.Status}}{{else}}none{{end}}", name).lines[0]
        }

        private func isSoon(_ runimg: Runimg, _ name: String, _ wanted: String) -> Bool {
            Wait.until(seconds: 20) { (try? state(runimg, name)) == wanted }
        }

        /// A started container that is checked every 200 ms.
        private func checked(_ runimg: Runimg, _ command: String, _ flags: String...) throws {
            try runimg.run(
                ["run", "-d", "-q", "--name", "checked", "--health-cmd", command, "--health-interval", "200ms"] + flags
                    + [Lifecycle.image, "sleep", "1000"]
            ).expectSuccess()
        }

        @Test("health is checked by the monitor alone, and ps, inspect and events tell it")
        func isCheckedAndTold() throws {
            try Lifecycle.isolated { runimg in
                try checked(
                    runimg, "echo looked; test -e /fine", "--health-retries", "2", "--health-start-period", "1ms")
                #expect(isSoon(runimg, "checked", "unhealthy"))
                #expect(try runimg.check("ps", "--format", "{{.Status}}").stdout.contains("(unhealthy)"))
                #expect(try runimg.check("ps", "-q", "--filter", "health=unhealthy").lines.count == 1)
                try runimg.check("exec", "checked", "touch", "/fine")
                #expect(isSoon(runimg, "checked", "healthy"))
                #expect(try runimg.check("ps", "--format", "{{.Status}}").stdout.contains("(healthy)"))
                #expect(try runimg.check("ps", "-q", "--filter", "health=none").lines.isEmpty)
                let format =
                    "{{.State.Health.FailingStreak}}{{range .State.Health.Log}} {{.ExitCode}}:{{.Output}}{{end}}"
                let log = try runimg.check("inspect", "-f", format, "checked").stdout
                #expect(log.hasPrefix("0 ") && log.contains("0:looked\n"), "\(log)")
                try runimg.check("stop", "-t", "0", "checked")
                #expect(try state(runimg, "checked") == "unhealthy")
                let events = try runimg.check(
                    "events", "--since", "5m", "--until", "0s", "--filter", "container=checked", "--format",
                    "{{.Action}}")
                #expect(
                    events.lines.filter { $0.hasPrefix("health_status") } == [
                        "health_status: unhealthy", "health_status: healthy",
                    ])
                try runimg.check("start", "checked")
                #expect(isSoon(runimg, "checked", "healthy"))
            }
        }

        @Test("R3: a check has the container's user, rights and filter, and three descriptors")
        func aCheckRunsAsTheContainerDoes() throws {
            try Lifecycle.isolated { runimg in
                // Without a pipe, which the shell would have open as well.
                let script =
                    "id -u; pwd; echo $WORD; grep -E 'CapEff|Seccomp:|NoNewPrivs' /proc/self/status; ls -C /proc/$$/fd; true"
                try checked(
                    runimg, script, "-u", "1234", "-w", "/tmp", "-e", "WORD=here", "--security-opt",
                    "no-new-privileges",
                    "--cap-drop", "all")
                #expect(isSoon(runimg, "checked", "healthy"))
                let output = try runimg.check("inspect", "-f", "{{(index .State.Health.Log 0).Output}}", "checked")
                    .lines
                #expect(
                    output.map { $0.split { $0 == "\t" || $0 == " " }.joined(separator: " ") } == [
                        "1234", "/tmp", "here", "CapEff: 0000000000000000", "NoNewPrivs: 1", "Seccomp: 2",
                        "0 1 2",
                    ])
            }
        }

        @Test("F34: a check that takes too long is killed with all that it started")
        func aLongCheckIsKilled() throws {
            try Lifecycle.isolated { runimg in
                try checked(
                    runimg, "echo began; sleep 500 & sleep 500", "--health-timeout", "300ms", "--health-retries", "2")
                #expect(isSoon(runimg, "checked", "unhealthy"))
                try runimg.check("pause", "checked")
                // Of a paused container nothing new is said.
                let before = try runimg.check("inspect", "-f", "{{json .State.Health}}", "checked").stdout
                #expect(before.contains("Health check exceeded timeout (0.3s): began"), "\(before)")
                let sleepers = try runimg.check("top", "checked", "-eo", "pid,args").lines.filter {
                    $0.contains("sleep 500")
                }
                // Those of the check that the pause has met, at most.
                #expect(sleepers.count <= 2, "\(sleepers)")
                #expect(!Wait.until(seconds: 1) { (try? state(runimg, "checked")) != "unhealthy" })
                #expect(try runimg.check("inspect", "-f", "{{json .State.Health}}", "checked").stdout == before)
                try runimg.check("unpause", "checked")
            }
        }

        @Test func muchOutputIsCut() throws {
            try Lifecycle.isolated { runimg in
                try checked(runimg, "yes | head -c 1000000; exit 1", "--health-retries", "1")
                #expect(isSoon(runimg, "checked", "unhealthy"))
                let output = try runimg.check("inspect", "-f", "{{(index .State.Health.Log 0).Output}}", "checked")
                    .stdout
                #expect(output.utf8.count == 4096 + "...\n".utf8.count && output.hasSuffix("...\n"))
            }
        }

        @Test func theImagesCheckIsKeptChangedOrLeftOut() throws {
            // A store with a name in it is another than before, so it is one of its own.
            let runimg = try Runimg()
            try checked(runimg, "true")
            let change = "HEALTHCHECK --interval=200ms --retries=1 CMD [\"cat\", \"/healthy\"]"
            try runimg.check("commit", "-c", change, "checked", "with-check:1")
            try runimg.check("rm", "-f", "checked")
            try runimg.check("run", "-d", "--name", "kept", "with-check:1", "sleep", "1000")
            try runimg.check(
                "run", "-d", "--name", "changed", "--health-cmd", "true", "with-check:1", "sleep", "1000")
            try runimg.check("run", "-d", "--name", "without", "--no-healthcheck", "with-check:1", "sleep", "1000")
            #expect(isSoon(runimg, "kept", "unhealthy") && isSoon(runimg, "changed", "healthy"))
            #expect(try state(runimg, "without") == "none")
            let format = "{{json .Config.Healthcheck}}"
            #expect(
                try runimg.check("inspect", "-f", format, "changed").lines == [
                    #"{"Test":["CMD-SHELL","true"],"Interval":200000000,"Retries":1}"#
                ])
            #expect(
                try runimg.check("inspect", "-f", format, "without").lines == [
                    #"{"Test":["NONE"],"Interval":200000000,"Retries":1}"#
                ])
            let byHand = try runimg.run(["healthcheck", "run", "kept"])
            #expect(byHand.status == 1 && byHand.stderr.contains("/healthy"), "\(byHand)")
            #expect(try runimg.run(["healthcheck", "run", "changed"]).status == 0)
            #expect(
                try runimg.run(["healthcheck", "run", "without"]).stderr.contains("has no defined healthcheck"))
            try runimg.check("rm", "-f", "--all")
        }

        @Test("F16: a monitor that is killed in a check takes container and check along")
        func theMonitorIsKilled() throws {
            try Lifecycle.isolated { runimg in
                try checked(runimg, "touch /begun; sleep 500")
                let id = try runimg.check("ps", "-q", "--no-trunc").lines[0]
                let upper = try runimg.check("inspect", "-f", "{{.GraphDriver.Data.UpperDir}}", "checked").lines[0]
                #expect(Wait.until(seconds: 20) { File.exists("\(upper)/begun") })
                let monitor = try #require(Lifecycle.monitor(of: id))
                try Tool.check("kill", ["-9", "\(monitor)"])
                #expect(Wait.until(seconds: 20) { (try? runimg.check("ps", "-q").lines.isEmpty) == true })
                #expect(try state(runimg, "checked") == "unhealthy")
                // The command that checked ends by itself.
                #expect(
                    Wait.until(seconds: 20) { (try? Tool.run("pgrep", ["-f", "monitor-health \(id)"]).status) == 1 })
            }
        }
    }
}

extension Tool.Output {
    fileprivate func expectSuccess() throws { if status != 0 { throw Tool.Failure(output: self) } }
}
