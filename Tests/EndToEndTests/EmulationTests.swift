internal import Glibc
internal import Sys
internal import TestSupport
import Testing

/// Containers of a user who can have no namespace: under proot, whose own ways with signals and ends are not a container's.
@Suite(
    .enabled(
        if: Conditions.canRun && OrdinaryUser.isPossible && RunMode.proot.obstacle == nil,
        "\(OrdinaryUser.need), and proot"))
struct EmulationTests {
    /// Runs `body` with a program that says what it says once, and the fixture image; a process that stays is a failure.
    private static func imprisoned(_ body: (Runimg, _ image: String) throws -> Void) throws {
        let user = try #require(OrdinaryUser.plain)
        let runimg = try Runimg(user: user, isImprisoned: true)
        try runimg.check("pull", "-q", RootlessTests.image)
        let image = try #require(try runimg.check("images", "-q").lines.first)
        do {
            try body(runimg, image)
        } catch {
            _ = try? runimg("rm", "-f", "-v", "--all")
            throw error
        }
        try runimg.check("rm", "-f", "-v", "--all")
        #expect(Wait.until(seconds: 20) { processes(runimg).isEmpty }, "\(processes(runimg))")
        #expect((try? Directory.entries("\(runimg.dataRoot)/mounts"))?.isEmpty ?? true)
    }

    /// All that run below the data root.
    private static func processes(_ runimg: Runimg) -> [String] {
        (try? Tool.run("pgrep", ["-a", "-f", runimg.dataRoot]).lines) ?? ["pgrep"]
    }

    /// Processes of a container are found by a word of their command line.
    private static func sleepers(_ seconds: Int) -> [String] {
        (try? Tool.run("pgrep", ["-x", "-f", "sleep \(seconds)"]).lines) ?? ["pgrep"]
    }

    @Test("F33: what is not closed off is said once, and what takes namespaces is refused")
    func saysWhatItIsNot() throws {
        try Self.imprisoned { runimg, image in
            let first = try runimg.check("run", "--rm", image, "id", "-u")
            #expect(first.stdout == "0\n" && first.stderr.contains("closed off from nothing"), "\(first)")
            #expect(try runimg.check("run", "--rm", image, "true").stderr == "")
            #expect(try runimg.check("info").stdout.contains("containers are closed off from nothing"))
            let directory = try runimg.scratch.directory("home/shared")
            try Sys.check { chmod(directory, 0o777) }
            for (flags, text) in [
                (["--network", "none"], "a network of its own"), (["--read-only"], "a read-only root"),
                (["-v", "\(directory):/v:ro"], "/v read-only"), (["--tmpfs", "/t"], "tmpfs on /t"),
                (["--hostname", "name"], "a host name of its own"),
                (["-m", "64m"], "no cgroup of this machine is yours"),
                (["--sysctl", "kernel.shm_rmid_forced=1"], "kernel parameters of its own"),
            ] {
                let refused = try runimg.run(["run", "--rm"] + flags + [image, "true"])
                #expect(refused.status == 125 && refused.stderr.contains(text), "\(refused)")
            }
            #expect(try runimg.check("ps", "-aq").lines == [])
            try runimg.check("run", "--rm", "-v", "\(directory):/v", image, "sh", "-c", "echo made > /v/file")
            #expect(try File.readAll("\(directory)/file") == Array("made\n".utf8))
            let variables = ["-e", "LD_PRELOAD=/nosuch.so", "-e", "PROOT_VERBOSE=9", "-e", "OTHER=1"]
            let seen = try runimg.run(
                ["run", "--rm"] + variables + [image, "sh", "-c", "echo $LD_PRELOAD $PROOT_VERBOSE $OTHER"])
            #expect(seen.stdout == "/nosuch.so 9 1\n" && seen.stderr == "", "\(seen)")
        }
    }

    @Test func copiesInAndOut() throws {
        try Self.imprisoned { runimg, image in
            try runimg.check("create", "--name", "files", "-v", "named:/data", image, "cat", "/in")
            try runimg.scratch.file("in", "text")
            try Sys.check { chmod(runimg.scratch("in"), 0o644) }
            try runimg.check("cp", runimg.scratch("in"), "files:/in")
            #expect(try runimg.check("start", "-a", "files").stdout == "text")
            let tar = try runimg.check("cp", "files:/in", "-").stdoutBytes
            let listed = try Tool.run("tar", ["--numeric-owner", "-tvf", "-"], input: tar)
            #expect(listed.stdout.contains(" 0/0 ") && listed.stdout.hasSuffix(" in\n"), "\(listed)")
            let refused = try runimg("cp", runimg.scratch("in"), "files:/data/in")
            #expect(
                refused.status == 1 && refused.stderr.contains("/volumes/named/_data; copy from there"), "\(refused)")
            #expect(try runimg.check("export", "files").stdoutBytes.count > 1 << 19)
        }
    }

    @Test func endsAreThoseOfTheCommand() throws {
        try Self.imprisoned { runimg, image in
            for (script, code) in [("exit 7", 7), ("sleep 61 & exit 3", 3), ("kill -9 $$", 137), ("kill $$", 143)] {
                #expect(try runimg("run", "--rm", image, "sh", "-c", script).status == Int32(code), "\(script)")
            }
            #expect(try runimg("run", "--rm", image, "nosuch").status == 127)
            #expect(try runimg("run", "--rm", image, "/etc").status == 126)
            let script = "trap 'echo asked; exit 5' TERM; sleep 62 & while :; do sleep 0.1; done"
            let id = try #require(try runimg.check("run", "-d", image, "sh", "-c", script).lines.first)
            #expect(Wait.until(seconds: 20) { (try? runimg.check("top", id).lines.count) ?? 0 >= 3 })
            #expect(try runimg("exec", id, "sh", "-c", "echo beside; exit 9").status == 9)
            try runimg.check("stop", "-t", "20", id)
            #expect(try runimg.check("logs", id).stdout == "asked\n")
            #expect(try runimg.check("inspect", "-f", "{{.State.ExitCode}}", id).stdout == "5\n")
            try runimg.check("start", id)
            try runimg.check("kill", id)
            #expect(try runimg.check("inspect", "-f", "{{.State.ExitCode}}", id).stdout == "137\n")
        }
    }

    @Test("F16: a killed monitor takes all processes along, also those of a session of their own")
    func aKilledMonitorTakesAllAlong() throws {
        try Self.imprisoned { runimg, image in
            let seconds = Int.random(in: 100_000...900_000)
            let script = "echo kept > /x; setsid sleep \(seconds) & sh -c 'sleep \(seconds) & wait' & wait"
            let id = try #require(try runimg.check("run", "-d", image, "sh", "-c", script).lines.first)
            #expect(Wait.until(seconds: 20) { Self.sleepers(seconds).count == 2 })
            kill(try #require(EndToEnd.Lifecycle.monitor(of: id)), SIGKILL)
            #expect(Wait.until(seconds: 20) { Self.sleepers(seconds).isEmpty }, "\(Self.sleepers(seconds))")
            #expect(Wait.until(seconds: 20) { (try? runimg.check("ps", "-q").lines) == [] })
            #expect(try runimg.check("diff", id).lines == ["A /x"])
            let again = try runimg.check("run", "-d", image, "sh", "-c", script).lines
            #expect(Wait.until(seconds: 20) { Self.sleepers(seconds).count == 2 })
            try runimg.check("rm", "-f", try #require(again.first))
            #expect(Self.sleepers(seconds).isEmpty)
        }
    }

    @Test func filesThatNobodyMayReadAreKept() throws {
        try Self.imprisoned { runimg, image in
            let script = """
                [ -e /closed ] && exec cat /closed/file
                mkdir /closed; echo text > /closed/file; chmod 0 /closed/file; chmod 0 /closed
                """
            try runimg.check("run", "--name", "closed", image, "sh", "-c", script)
            #expect(try runimg.check("diff", "closed").lines == ["A /closed", "A /closed/file"])
            #expect(try runimg.check("start", "-a", "closed").stdout == "text\n")
            try runimg.check("commit", "closed", "closed:1")
            #expect(try runimg.check("run", "--rm", "closed:1", "cat", "/closed/file").stdout == "text\n")
        }
    }

    @Test func checksOfHealthAndTerminals() throws {
        try Self.imprisoned { runimg, image in
            let flags = ["-d", "--health-cmd", "test -e /up", "--health-interval", "200ms"]
            let id = try #require(
                try runimg.run(["run"] + flags + [image, "sh", "-c", "touch /up; sleep 100"]).lines.first)
            let isHealthy = Wait.until(seconds: 20) {
                (try? runimg.check("inspect", "-f", "{{.State.Health.Status}}", id).stdout) == "healthy\n"
            }
            #expect(isHealthy)
            let terminal = try runimg.terminal("run", "--rm", "-it", image, "/bin/sh", rows: 30, columns: 90)
            try terminal.expect("# ")
            try terminal.type("stty size; tty; exit 4\r")
            try terminal.expect("30 90")
            try terminal.expect("/dev/pts/")
            #expect(try terminal.wait() == .exited(4))
        }
    }
}
