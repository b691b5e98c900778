internal import Glibc
internal import OCI
internal import Sys
internal import TestSupport
import Testing

extension EndToEnd {
    /// What a container may not gain by being joined.
    @Suite struct ExecSafety {
        struct Launch: Sendable, CustomTestStringConvertible {
            let flags: [String]
            var testDescription: String { flags.joined(separator: " ") }
        }

        private static let launches = [
            [], ["-u", "alice"], ["--cap-add", "NET_ADMIN", "--cap-drop", "KILL"],
            ["--security-opt", "no-new-privileges"], ["--init"], ["--read-only", "--tmpfs", "/tmp"],
            ["-m", "64m", "--ulimit", "nofile=77:99", "--network", "host"],
        ].map { Launch(flags: $0) }

        @Test("X9: exec sees and may what run does, line by line", arguments: launches)
        func execIsNotWeakerThanRun(_ launch: Launch) throws {
            let script = "/probe > /tmp/first; exec sleep 1000"
            let container = try Sleeper(launch.flags, ["sh", "-c", script])
            let first = Self.comparable(try container.awaited("/tmp/first"))
            let second = Self.comparable(try container.check(["/probe"]).stdout)
            #expect(first.count > 150)
            #expect(second.difference(from: first).isEmpty)
        }

        /// Without the numbers of processes and descriptors, what a shell adds to its environment, and the links of other
        /// tests' containers, which the host's network has.
        private static func comparable(_ text: String) -> [String] {
            let own =
                ["pid=", "ppid=", "pgid=", "sid=", "tpgid=", "fd.", "env.PWD", "env.SHLVL", "env.OLDPWD"]
                + ["interface.veth", "interface.runimg0"]
            return text.split(separator: "\n").map(String.init)
                .filter { line in !own.contains { line.hasPrefix($0) } }.sorted()
        }

        @Test("X9: --privileged gives all capabilities and no filter, to that process alone") func privileged() throws {
            let container = try Sleeper(["--cap-drop", "ALL"])
            let plain = Probe(try container.check(["/probe"]).stdout)
            #expect(plain["cap_effective"] == "0000000000000000" && plain["seccomp"] == "2")
            let privileged = Probe(try container.check(["/probe"], flags: ["--privileged"]).stdout)
            #expect(privileged["seccomp"] == "0")
            #expect(privileged["cap_effective"] != plain["cap_effective"])
            #expect(privileged["ns.mnt"] == plain["ns.mnt"])
        }

        @Test("R1, R2, R3: neither a working directory, nor a descriptor, nor the program leads to the host")
        func nothingLeadsToTheHost() throws {
            let before = try Tool.check("sha256sum", [Runimg.path]).stdout
            let container = try Sleeper()
            for number in 3...12 {
                let output = try container.exec(["pwd"], flags: ["-w", "/proc/self/fd/\(number)"])
                #expect(output.status == 127 || output.status == 126, "\(output)")
            }
            let inside = Probe(try container.check(["/probe"]).stdout)
            #expect(Set(inside.all("fd.").keys) == ["0", "1", "2"])
            try container.check(["ln", "-s", "/proc/self/exe", "/bin/self"])
            for command in [["self"], ["/proc/self/exe"], ["/probe", "writeexe", "/proc/self/exe"]] {
                let output = try container.exec(command, timeout: 20)
                #expect(!output.timedOut && !output.stdout.contains("ok"), "\(output)")
            }
            #expect(try Tool.check("sha256sum", [Runimg.path]).stdout == before)
        }

        @Test("X8: nothing of a hostile image runs on the host when it is joined") func programsRunInsideOnly() throws {
            let canary = try Canary()
            // With all that it touches, a program or a library that ran outside would be seen.
            let script = """
                mkdir -p usr/bin usr/sbin lib etc; for n in nsenter ps sh-helper tar mount runc crun id getent; do
                printf '#!/bin/sh\\ntouch \(canary.path)/new\\n' > usr/bin/$n; chmod 755 usr/bin/$n
                cp usr/bin/$n usr/sbin/$n; done; for n in libc.so.6 libnss_files.so.2 ld-linux-x86-64.so.2; do
                cp usr/bin/id lib/$n; done; echo /lib/libc.so.6 > etc/ld.so.preload
                echo 'passwd: evil' > etc/nsswitch.conf
                """
            let runimg = try Runimg()
            let layout = try OCILayout(runimg.scratch("layout"))
            try layout.tag(try ImageForge.onFixture(layout, tars: [try ImageForge.tar(script)]), "hostile")
            try runimg.check("pull", "-q", "oci:\(layout.path):hostile")
            let image = try #require(try runimg("images", "-q").lines.first)
            let container = try Sleeper([], ["sleep", "1000"], runimg: runimg, image: image)
            for flags in [[], ["-u", "alice"], ["-d"], ["-t"], ["--privileged"]] {
                #expect(try container.exec(["true"], flags: flags).status == 0)
            }
            for change in try canary.changes() { Issue.record("the host was changed: \(change)") }
        }

        @Test(
            "X11: what a joined container types into a terminal does not reach the caller's",
            arguments: [["-t"], ["-it", "--privileged"], ["-i"], ["--privileged"]])
        func nothingIsTypedFromAJoinedOne(_ flags: [String]) throws {
            let container = try Sleeper()
            let line = container.runimg.command(["exec"] + flags).joined(separator: " ")
            try TypingAttack.expectHarmless("\(line) \(container.name)")
        }

        @Test("F19: a container whose first process is gone is not joined through the number that it had")
        func theNumberIsNotEnough() throws {
            let container = try Sleeper()
            let pid = try #require(try container.processes().first)
            Glibc.kill(pid, SIGKILL)
            _ = Wait.until(seconds: 15) { Glibc.kill(pid, 0) != 0 }
            let output = try container.exec(["true"])
            #expect(output.status == 1 && output.stderr.contains("is not running"), "\(output)")
        }
    }
}
