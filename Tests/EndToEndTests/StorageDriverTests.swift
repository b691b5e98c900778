internal import Glibc
internal import Sys
internal import TestSupport
import Testing

extension Conditions {
    static let hasFuseOverlayfs = has("fuse-overlayfs") && File.exists("/dev/fuse")
}

extension EndToEnd {
    /// Which driver mounts root file systems, and what is said where none can.
    @Suite struct StorageDrivers {
        @Test func infoTellsTheDriverAndWhy() throws {
            let runimg = try Runimg()
            let snapshot = try LeakSnapshot(dataRoot: runimg.dataRoot)
            #expect(
                try runimg.check("info").stdout.contains(
                    "  Chosen because: the default; nothing is stored yet to try it on\n"))
            try expectClean(snapshot)
            try runimg.check("pull", "-q", "oci:\(Fixtures.layout("busybox")):latest")
            let text = try runimg.check("info").stdout
            for line in [
                " Storage Driver: overlay2", "  Supports d_type: true", "  Using metacopy: false",
                "  Native Overlay Diff: true", "  userxattr: false",
                "  Chosen because: overlayfs of the kernel works on the data root",
            ] { #expect(text.contains(line + "\n"), "\(line)") }
            #expect(try Directory.entries(runimg.dataRoot + "/mounts").isEmpty)
            let asked = try runimg("-s", "overlay2", "info", "-f", "{{.Driver}} {{.DriverStatus}}")
            #expect(asked.stdout.contains("overlay2 ") && asked.stdout.contains("asked for by --storage-driver"))
        }

        @Test func aDriverThatIsNoneIsRefused() throws {
            let flag = try engine.runimg("--storage-driver", "foo", "info")
            #expect(
                flag.status != 0
                    && flag.stderr.contains("unknown storage driver \"foo\"; there are overlay2, fuse-overlayfs"))
            let old = try engine.runimg("-s", "aufs", "info")
            #expect(old.status != 0 && old.stderr.contains("storage driver aufs was removed upstream, use overlay2"))
            let configured = try Runimg(configuration: #"{"storage-driver": "bar"}"#)
            let output = try configured("info")
            #expect(output.status == 1 && output.stderr.contains("unknown storage driver \"bar\""), "\(output)")
        }

        /// A data root on overlayfs itself, as in a container.
        private func onOverlay(_ body: (_ data: String, _ runimg: Runimg) throws -> Void) throws {
            try OverlayDisk.with { disk in
                let data = "\(disk)/data"
                let runimg = try Runimg()
                try runimg.check("--data-root", data, "pull", "-q", "oci:\(Fixtures.layout("busybox")):latest")
                try body(data, runimg)
            }
        }

        @Test func sayWhatTheDataRootLacks() throws {
            try onOverlay { data, runimg in
                let image = try #require(try runimg.check("--data-root", data, "images", "-q").lines.first)
                let output = try runimg(
                    "--data-root", data, "-s", "overlay2", "run", "--rm", "--network", "none", image, "true")
                #expect(output.status == 125)
                #expect(
                    output.stderr.contains(
                        "storage driver overlay2 does not work here: \(data)/mounts/probe is on overlayfs itself"),
                    "\(output)")
                #expect(output.stderr.contains("choose a data root on another file system"))
                #expect(try runimg.check("--data-root", data, "ps", "-aq").stdout == "")
            }
        }

        /// fuse-overlayfs would show what is deleted there.
        @Test func copyUpTakesThePlaceOfARefusedOverlay() throws {
            try onOverlay { data, runimg in
                let image = try #require(try runimg.check("--data-root", data, "images", "-q").lines.first)
                try runimg.check("--data-root", data, "run", "--rm", "--network", "none", image, "true")
                let snapshot = try LeakSnapshot(dataRoot: data)
                let line = ["--data-root", data, "run", "--network", "none"]
                let output = try runimg.run(
                    line + ["--rm", image, "sh", "-c", "cut -d' ' -f4,5 /proc/self/mountinfo | grep ' /$'; exit 3"])
                #expect(output.status == 3 && output.stdout.contains("/merged /\n"), "\(output)")
                try expectClean(snapshot)
                let scratch = try Scratch()
                try #require(try runimg.run(line + ["--name", "kept", image, "sh", "-c", "echo x > /x"]).status == 0)
                try scratch.file("in", "in")
                try runimg.check("--data-root", data, "cp", scratch("in"), "kept:/in")
                try runimg.check("--data-root", data, "cp", "kept:/x", scratch("out"))
                #expect(try File.readAll(scratch("out")) == Array("x\n".utf8))
                #expect(try runimg.check("--data-root", data, "diff", "kept").lines == ["A /in", "A /x"])
                let path = try #require(try runimg.check("--data-root", data, "mount", "kept").lines.first)
                #expect(File.exists("\(path)/in"))
                try runimg.check("--data-root", data, "unmount", "kept")
                try runimg.check("--data-root", data, "rm", "kept")
                try runimg.check("--data-root", data, "unpack", image, scratch("tree"))
                #expect(File.exists(scratch("tree/bin/busybox")))
                let text = try runimg.check("--data-root", data, "info").stdout
                #expect(text.contains(" Storage Driver: copyup\n"))
                #expect(text.contains("  Chosen because: \(data)/mounts/probe is on overlayfs itself"))
            }
        }
    }

    /// The same containers with fuse-overlayfs(1) in the kernel's place.
    @Suite(.enabled(if: Conditions.hasFuseOverlayfs, "needs fuse-overlayfs and /dev/fuse")) struct Fuse {
        private static let driver = ["--storage-driver", "fuse-overlayfs"]

        private func run(_ own: SharedEngine, _ flags: [String], _ script: String) throws -> Tool.Output {
            try own.runimg.run(Fuse.driver + ["run", "--network", "none"] + flags + [own.image, "sh", "-c", script])
        }

        private func processes(_ own: SharedEngine) throws -> [String] {
            try Tool.run("pgrep", ["-f", "fuse-overlayfs.*\(own.runimg.dataRoot)"]).lines
        }

        @Test func leavesNothing() throws {
            let own = try SharedEngine()
            try own.runimg.check("run", "--rm", "--network", "none", own.image, "true")
            let snapshot = try LeakSnapshot(dataRoot: own.runimg.dataRoot)
            let script = "cut -d' ' -f4,5,8 /proc/self/mountinfo | grep '^/ / '; cat; exit 7"
            let output = try own.runimg.run(
                Fuse.driver + ["run", "--rm", "-i", "--network", "none", own.image, "sh", "-c", script],
                input: Array("in".utf8))
            #expect(output.status == 7 && output.stdout == "/ / fuse.fuse-overlayfs\nin", "\(output)")
            let missing = try own.runimg.run(Fuse.driver + ["run", "--rm", "--network", "none", own.image, "/nosuch"])
            #expect(missing.status == 127, "\(missing)")
            try expectClean(snapshot)
            #expect(Wait.until(seconds: 10) { (try? processes(own)) == [] })
        }

        /// Written by one, read by the other: the upper directory is overlayfs's.
        @Test func theKernelGoesOnWhereItStopped() throws {
            let own = try SharedEngine()
            let script = """
                echo hi > /etc/new; rm /bin/cat; mkdir /nd; touch /nd/f; chmod 600 /root; rm -r /home; mkdir /home
                touch /home/z; ln -s /etc /lnk; echo a >> /etc/passwd; rm /probe; mkdir /probe; mkdir -p /tmp/deep/er
                """
            let expected = [
                "C /bin", "D /bin/cat", "C /etc", "A /etc/new", "C /etc/passwd", "C /home", "D /home/alice",
                "A /home/z",
                "A /lnk", "A /nd", "A /nd/f", "C /probe", "C /root", "C /tmp", "A /tmp/deep", "A /tmp/deep/er",
            ]
            let made = try run(own, ["--name", "made"], script)
            #expect(made.status == 0, "\(made)")
            defer { _ = try? own.runimg.run(["rm", "-f", "-a"]) }
            #expect(try own.runimg.check("diff", "made").lines == expected)
            #expect(try own.runimg.run(Fuse.driver + ["diff", "made"]).lines == expected)
            let scratch = try Scratch()
            try own.runimg.check("export", "-o", scratch("kernel.tar"), "made")
            #expect(try own.runimg.run(Fuse.driver + ["export", "-o", scratch("fuse.tar"), "made"]).status == 0)
            let names = try Tool.check("tar", ["-tf", scratch("kernel.tar")]).lines
            #expect(try Tool.check("tar", ["-tf", scratch("fuse.tar")]).lines == names)
            #expect(!names.contains { $0.contains(".wh.") }, "\(names)")
            try scratch.file("in", "copied")
            #expect(try own.runimg.run(Fuse.driver + ["cp", scratch("in"), "made:/in"]).status == 0)
            #expect(try own.runimg.run(Fuse.driver + ["cp", "made:/in", scratch("out")]).status == 0)
            #expect(try File.readAll(scratch("out")) == Array("copied".utf8))
            try own.runimg.check("commit", "made", "image")
            let shown = try own.runimg.check(
                "run", "--rm", "--network", "none", "image", "sh", "-c", "ls -a /home; test -e /bin/cat; echo $?")
            #expect(shown.lines == [".", "..", "z", "1"])
            #expect(Scratch.mounts(below: own.runimg.dataRoot).isEmpty)
            #expect(Wait.until(seconds: 10) { (try? processes(own)) == [] })
        }

        @Test func servesAContainerForAsLongAsItRuns() throws {
            let own = try SharedEngine()
            let runimg = own.runimg
            try runimg.check("run", "--network", "none", "--name", "first", own.image, "true")
            try runimg.check("diff", "first")
            try runimg.check("rm", "first")
            let snapshot = try LeakSnapshot(dataRoot: runimg.dataRoot)
            let started = try run(own, ["-d", "--name", "served"], "while :; do sleep 1; done")
            #expect(started.status == 0, "\(started)")
            let names = try runimg.check("inspect", "-f", "{{.Driver}} {{.GraphDriver.Name}}", "served")
            #expect(names.stdout == "fuse-overlayfs fuse-overlayfs\n")
            #expect(try runimg.check("exec", "served", "sh", "-c", "echo 1 > /file; rm /bin/cat; mkdir /d").status == 0)
            #expect(try runimg.check("diff", "served").lines == ["C /bin", "D /bin/cat", "A /d", "A /file"])
            let path = try #require(try runimg.check("mount", "served").lines.first)
            #expect(try File.readAll("\(path)/file") == Array("1\n".utf8))
            let restarted = try runimg.run(Fuse.driver + ["restart", "-t", "0", "served"])
            #expect(restarted.status == 0, "\(restarted)")
            #expect(try runimg.check("exec", "served", "sh", "-c", "read x < /file; echo $x").stdout == "1\n")
            #expect(Wait.until(seconds: 10) { (try? processes(own).count) == 1 })
            try runimg.check("rm", "-f", "served")
            try expectClean(snapshot)
            #expect(Wait.until(seconds: 10) { (try? processes(own)) == [] })
        }

        @Test func aKillLeavesNothingForLong() throws {
            let own = try SharedEngine()
            let runimg = own.runimg
            try runimg.check("run", "--rm", "--network", "none", own.image, "true")
            let snapshot = try LeakSnapshot(dataRoot: runimg.dataRoot)
            let id = try #require(try run(own, ["-d", "--rm"], "echo x > /x; while :; do sleep 1; done").lines.first)
            let monitor = try #require(
                try Tool.check("pgrep", ["-f", "runimg-monitor.*\(id)"]).lines.compactMap { Int32($0) }.first)
            kill(monitor, SIGKILL)
            #expect(Wait.until(seconds: 10) { (try? runimg.check("ps", "-aq").stdout) == "" })
            try expectClean(snapshot)
            #expect(Wait.until(seconds: 10) { (try? processes(own)) == [] })
        }

        /// A start after a power cut finds the layer as it was left, and nothing mounted.
        @Test func whatALostMountHidTheKernelHides() throws {
            let own = try SharedEngine()
            let runimg = own.runimg
            let script = """
                [ -e /done ] && exec find / -xdev -name '.wh.*' -o -path '/home/*' -o -path '/var/*'
                rm -r /home /var; mkdir /home /var; touch /home/new; touch /done; while :; do sleep 1; done
                """
            let id = try #require(try run(own, ["-d", "--name", "lost"], script).lines.first)
            let merged = "\(runimg.dataRoot)/overlay2/\(id)/merged"
            #expect(Wait.until(seconds: 20) { File.exists("\(merged)/done") })
            let server = try #require(try processes(own).compactMap { Int32($0) }.first)
            for pid in [server, try #require(Lifecycle.monitor(of: id))] { kill(pid, SIGKILL) }
            try Tool.check("umount", ["-l", merged])
            let upper = "\(runimg.dataRoot)/overlay2/\(id)/diff"
            #expect(try Tool.check("find", [upper, "-name", ".wh.*opq"]).lines.count > 0)
            #expect(Wait.until(seconds: 10) { (try? runimg.check("ps", "-q").stdout) == "" })
            let shown = try runimg.check("start", "-a", "lost")
            #expect(shown.lines == ["/home/new"], "\(shown)")
            #expect(try Tool.check("find", [upper, "-name", ".wh.*"]).lines == [])
        }
    }
}
