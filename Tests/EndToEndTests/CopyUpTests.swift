internal import Glibc
internal import Sys
internal import TestSupport
import Testing

extension EndToEnd {
    /// Containers whose files are copied together, with no union mount: what the kernel's driver shows of them afterwards,
    /// and what a kill leaves.
    @Suite struct CopyUp {
        private static let driver = ["--storage-driver", "copyup"]

        private func run(_ own: SharedEngine, _ flags: [String], _ script: String) throws -> Tool.Output {
            try own.runimg.run(Self.driver + ["run", "--network", "none"] + flags + [own.image, "sh", "-c", script])
        }

        private func layer(_ own: SharedEngine, _ id: String) -> String { "\(own.runimg.dataRoot)/overlay2/\(id)" }

        @Test func leavesNothing() throws {
            let own = try SharedEngine()
            try own.runimg.check("run", "--rm", "--network", "none", own.image, "true")
            let snapshot = try LeakSnapshot(dataRoot: own.runimg.dataRoot)
            let script = "grep -c ' / .*overlay' /proc/self/mountinfo; echo x > /x; cat; exit 7"
            let output = try own.runimg.run(
                Self.driver + ["run", "--rm", "-i", "--network", "none", own.image, "sh", "-c", script],
                input: Array("in".utf8))
            #expect(output.status == 7 && output.stdout == "0\nin", "\(output)")
            let missing = try own.runimg.run(Self.driver + ["run", "--rm", "--network", "none", own.image, "/nosuch"])
            #expect(missing.status == 127, "\(missing)")
            try expectClean(snapshot)
        }

        @Test func theKernelGoesOnWhereItStopped() throws {
            let own = try SharedEngine()
            let script = """
                [ -e /done ] && exec find /home /probe /lnk /nd /sparse ! -type d -exec stat -c '%n %s %a %u' {} +
                echo hi > /etc/new; rm /bin/cat; mkdir /nd; touch /nd/f; chmod 600 /root; rm -r /home; mkdir /home
                touch /home/z; ln -s /etc /lnk; echo a >> /etc/passwd; rm /probe; mkdir /probe; mv /var /moved
                truncate -s 1G /sparse; chown 5 /nd/f; touch /done
                """
            let expected = [
                "C /bin", "D /bin/cat", "A /done", "C /etc", "A /etc/new", "C /etc/passwd", "C /home", "D /home/alice",
                "A /home/z", "A /lnk", "A /moved", "A /moved/log", "A /nd", "A /nd/f", "C /probe", "C /root",
                "A /sparse", "D /var",
            ]
            let made = try run(own, ["--name", "made"], script)
            #expect(made.status == 0, "\(made)")
            #expect(try own.runimg.check("diff", "made").lines == expected)
            #expect(try own.runimg.run(Self.driver + ["diff", "made"]).lines == expected)
            let shown = try own.runimg.check("start", "-a", "made")
            let listed: Set = ["/home/z 0 644 0", "/lnk 4 777 0", "/nd/f 0 644 5", "/sparse 1073741824 644 0"]
            #expect(Set(shown.lines) == listed)
            let again = try own.runimg.run(Self.driver + ["start", "-a", "made"])
            #expect(again.stdout == shown.stdout, "\(again)")
            let names = try own.runimg.run(Self.driver + ["inspect", "-f", "{{.Driver}}", "made"])
            #expect(names.stdout == "copyup\n")
            let id = try #require(try own.runimg.check("ps", "-aq", "--no-trunc").lines.first)
            let used = try Tool.check("du", ["-sk", layer(own, id)]).stdout.split(separator: "\t").first
            #expect(try #require(used.flatMap { Int($0) }) < 1024)
        }

        /// What it changes is seen before it has ended.
        @Test func aRunningOneIsLookedAt() throws {
            let own = try SharedEngine()
            let runimg = own.runimg
            let started = try run(own, ["-d", "--name", "served", "-v", "/vol"], "while :; do sleep 1; done")
            #expect(started.status == 0, "\(started)")
            try runimg.check("exec", "served", "sh", "-c", "echo 1 > /file; rm /bin/cat; mkdir /d")
            #expect(try runimg.check("diff", "served").lines == ["C /bin", "D /bin/cat", "A /d", "A /file", "A /vol"])
            try runimg.check("commit", "served", "snapshot")
            #expect(try runimg.check("run", "--rm", "--network", "none", "snapshot", "ls", "/file").stdout == "/file\n")
            try runimg.check("exec", "served", "rm", "/file")
            let path = try #require(try runimg.check("mount", "served").lines.first)
            #expect(File.exists("\(path)/d") && !File.exists("\(path)/file"))
            #expect(try runimg.run(Self.driver + ["restart", "-t", "0", "served"]).status == 0)
            #expect(try runimg.check("exec", "served", "ls", "-d", "/d").stdout == "/d\n")
            #expect(try runimg.check("unmount", "served").stdout == "served\n")
            #expect(try runimg.check("exec", "served", "ls", "-d", "/d").stdout == "/d\n")
            try runimg.check("stop", "-t", "0", "served")
            #expect(try Directory.entries(path).isEmpty)
            #expect(try runimg.check("diff", "served").lines == ["C /bin", "D /bin/cat", "A /d", "A /vol"])
        }

        /// A user's changes in the copy that `mount` shows are the container's.
        @Test func aMountedCopyIsTheContainers() throws {
            let own = try SharedEngine()
            let runimg = own.runimg
            try runimg.check("create", "--network", "none", "--name", "shown", own.image, "ls", "/made", "/home")
            let path = try #require(try runimg.run(Self.driver + ["mount", "shown"]).lines.first)
            #expect(try runimg.check("mount").lines.count == 1)
            try Tool.check("sh", ["-c", "echo x > \(path)/made && rm -r \(path)/home && mkdir \(path)/home"])
            #expect(try runimg.check("diff", "shown").lines == ["C /home", "D /home/alice", "A /made"])
            #expect(try runimg.check("start", "-a", "shown").stdout == "/made\n\n/home:\n")
            #expect(File.exists("\(path)/made"))
            try runimg.check("unmount", "shown")
            #expect(try runimg.check("mount").lines == [] && Directory.entries(path).isEmpty)
            #expect(try runimg.check("start", "-a", "shown").stdout == "/made\n\n/home:\n")
            let refused = try runimg.run(Self.driver + ["mount", "shown", try runimg.scratch.directory("place")])
            #expect(refused.status != 0 && refused.stderr.contains("leave the directory out for a copy"), "\(refused)")
            let image = try #require(try runimg.run(Self.driver + ["mount", own.image]).lines.first)
            #expect(File.exists("\(image)/bin/busybox"))
            try runimg.check("unmount", "--all")
            #expect(!File.exists(image))
        }

        @Test("F16: what a container wrote is there after its monitor and all of it were killed")
        func aKillLosesNothing() throws {
            let own = try SharedEngine()
            let runimg = own.runimg
            let script = "[ -e /x ] && exec cat /x; echo kept > /x; while :; do sleep 1; done"
            let id = try #require(try run(own, ["-d"], script).lines.first)
            #expect(Wait.until(seconds: 10) { File.exists("\(layer(own, id))/merged/x") })
            let removed = try #require(try run(own, ["-d", "--rm"], script).lines.first)
            for name in [id, removed] { kill(try #require(Lifecycle.monitor(of: name)), SIGKILL) }
            #expect(Wait.until(seconds: 10) { (try? runimg.check("ps", "-aq").lines.count) == 1 })
            #expect(try runimg.check("start", "-a", id).stdout == "kept\n")
            #expect(!File.exists(layer(own, removed)))
        }

        /// A run directory that is emptied, as by a reboot, leaves copies of which nobody is told.
        @Test func aRebootLosesNothing() throws {
            let own = try SharedEngine()
            let runimg = own.runimg
            let script = "[ -e /x ] && exec cat /x; echo kept > /x; rm /bin/cat; ln -s busybox /bin/cat; sleep 100"
            let id = try #require(try run(own, ["-d"], script).lines.first)
            #expect(Wait.until(seconds: 10) { (try? File.readLink("\(layer(own, id))/merged/bin/cat")) == "busybox" })
            kill(try #require(Lifecycle.monitor(of: id)), SIGKILL)
            try Directory.removeTree("/run/runimg/\(id)")
            #expect(try runimg.check("diff", id).lines == ["C /bin", "C /bin/cat", "A /x"])
            #expect(try runimg.check("start", "-a", id).stdout == "kept\n")
        }

        @Test(.timeLimit(.minutes(Wait.minutes(2)))) func aKillWhileItIsCopiedLeavesNothing() throws {
            let own = try SharedEngine()
            try own.runimg.check("run", "--rm", "--network", "none", own.image, "true")
            let snapshot = try LeakSnapshot(dataRoot: own.runimg.dataRoot)
            for step in 0..<16 {
                var child = try own.runimg.start(
                    "-s", "copyup", "run", "--rm", "--network", "none", "--name", "killed", own.image, "sleep", "100")
                Wait.sleep(0.004 * Double(step))
                try child.kill()
                #expect(try own.runimg("rm", "-f", "killed").status == 0)
                #expect(Wait.until(seconds: 10) { (try? own.runimg.check("ps", "-aq").lines) == [] })
            }
            try expectClean(snapshot)
        }

        @Test func aDeviceIsADevice() throws {
            let tar = TarForge.make { tar in
                tar.member(TarForge.Header("disk", type: "4").with { ($0.major, $0.minor) = (8, 0) }, [])
            }
            let own = try SharedEngine()
            let layout = try OCILayout(own.runimg.scratch("layout"))
            try layout.tag(try ImageForge.onFixture(layout, tars: [tar]), "latest")
            let image = "oci:\(own.runimg.scratch("layout")):latest"
            let line = ["run", "--network", "none", "--name", "devices", image]
            let output = try own.runimg.run(Self.driver + line + ["sh", "-c", "stat -c %t:%T /disk; echo > /x"])
            #expect(output.stdout == "8:0\n", "\(output)")
            #expect(try own.runimg.check("diff", "devices").lines == ["A /x"])
        }
    }
}
