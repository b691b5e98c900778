internal import Glibc
internal import Sys
internal import TestSupport
import Testing

extension EndToEnd {
    /// `cp`, as docker has it.
    @Suite struct Copy {
        /// A tree on the host: `h/f`, `h/d/g`, links to both.
        private func source() throws -> Scratch {
            let scratch = try Scratch()
            try scratch.file("h/f", "f", mode: 0o4755)
            try scratch.file("h/d/g", "g")
            let (file, inner) = (scratch("h/f"), scratch("h/d/g"))
            try check { chown(file, 1000, 1001) }
            try check { chmod(file, 0o4755) }
            try check { chown(inner, 1000, 1001) }
            try File.symlink("f", scratch("h/l"))
            try File.symlink("d", scratch("h/ld"))
            return scratch
        }

        @Test func refusesInDockersWords() throws {
            let box = try ContainerBox("echo hi > /etc/new; mkdir -p /nd; touch /nd/f")
            let host = try source()
            try host.file("out/new", "")
            let name = box.name
            let cases: [(String, String, String)] = [
                ("\(name):/nope", host("out"), "Could not find the file /nope in container \(name)"),
                ("\(name):/etc/new", host("out/nodir/"), "no such directory"),
                (
                    "\(name):/etc/new", host("no/dir/x"),
                    "invalid output path: directory \"\(host("no/dir"))\" does not exist"
                ),
                ("\(name):/etc", host("out/new"), "cannot copy directory"),
                ("\(name):/etc/new/", host("out"), "not a directory"),
                (
                    "\(name):/etc/new", "/dev/null",
                    "invalid output path: \"/dev/null\" must be a directory or a regular file: got a device"
                ),
                (host("h/f"), "\(name):/nope/x", "Could not find the file /nope/x in container \(name)"),
                (host("h/f"), "\(name):/tmp/newdir/", "no such directory"),
                (host("h"), "\(name):/etc/new", "cannot copy directory"),
                (host("h/f/"), "\(name):/tmp", "not a directory"),
                (host("h/nope"), "\(name):/tmp", "lstat \(host("h/nope")): no such file or directory"),
                (host("h/d"), "\(name):/nd/f", "cannot copy directory"),
                ("\(name):/a", "\(name):/b", "copying between containers is not supported"),
                ("a", "b", "must specify at least one container source"),
                (":", "b", "must specify at least one container source"),
                ("-", "\(name):/etc/new", "destination \"\(name):/etc/new\" must be a directory"),
                ("\(name):", host("out"), "bad parameter: path cannot be empty"),
                ("\(name):/proc/version", host("out"), "Could not find the file /proc/version in container \(name)"),
                ("nosuch:/x", host("out"), "No such container: nosuch"),
                ("", "\(name):/x", "source can not be empty"), ("x", "", "destination can not be empty"),
            ]
            for (from, to, text) in cases {
                let output = try box("cp", from, to)
                #expect(output.status == 1 && output.stderr.contains(text), "\(from) \(to): \(output)")
            }
            let few = try box("cp", "a")
            #expect(few.status == 1 && few.stderr.contains("'runimg cp' requires 2 arguments"), "\(few)")
            #expect(
                few.stderr.contains(
                    "runimg cp [OPTIONS] CONTAINER|IMAGE:SRC_PATH DEST_PATH|-\n\trunimg cp [OPTIONS] SRC_PATH|- CONTAINER:DEST_PATH"
                ))
            #expect(try box.check("diff", name).lines == ["C /etc", "A /etc/new", "A /nd", "A /nd/f"])
        }

        @Test(arguments: [false, true]) func copiesIntoAContainer(running: Bool) throws {
            let box = try ContainerBox(
                "ln -s /etc /lnk; mkdir /old; echo up > /up" + (running ? "; sleep 1000" : ""),
                flags: ["-v", "/data"], detached: running)
            if running { #expect(Wait.until(seconds: 10) { (try? box.members("/up")) == ["up"] }) }
            let host = try source()
            let name = box.name
            for (from, to) in [
                ("h/f", "/tmp"), ("h/f", "/tmp/new"), ("h/f", "/lnk/f2"), ("h", "/tmp/h2"), ("h/.", "/tmp/h3"),
                ("h/", "/tmp/"), ("h/l", "/tmp/l1"), ("h/d/g", "/tmp/new"), ("h/.", "/old"), ("h/d", "/data"),
            ] {
                try box.check("cp", host(from), "\(name):\(to)")
            }
            try box.check("cp", "-L", host("h/l"), "\(name):/tmp/l2")
            try box.check("cp", "-L", host("h/ld"), "\(name):/tmp/")
            let tree = ["d/", "d/g", "f", "l", "ld"]
            #expect(
                try box.members("/tmp") == ["tmp/", "tmp/f"] + ["h/"].map { "tmp/" + $0 } + tree.map { "tmp/h/" + $0 }
                    + ["tmp/h2/"] + tree.map { "tmp/h2/" + $0 } + ["tmp/h3/"] + tree.map { "tmp/h3/" + $0 }
                    + ["tmp/l1", "tmp/l2", "tmp/ld/", "tmp/ld/g", "tmp/new"])
            #expect(try box.members("/old") == ["old/"] + tree.map { "old/" + $0 })
            #expect(try box.members("/etc/f2") == ["f2"])
            #expect(try box.members("/data/d") == ["d/", "d/g"])
            #expect(try box.text("/tmp/new") == "g")
            // Owners and modes as they were.
            let tar = try box.check("cp", "\(name):/tmp/f", "-").stdoutBytes
            #expect(
                try Tool.check("tar", ["--numeric-owner", "-tvf", "-"], input: tar).stdout.hasPrefix(
                    "-rwsr-xr-x 1000/1001"))
            // A volume's files are no change of the container.
            #expect(try !box.check("diff", name).stdout.contains("/data/"))
        }

        @Test(arguments: [false, true]) func copiesOutOfAContainer(running: Bool) throws {
            let box = try ContainerBox(
                """
                mkdir -p /t/d; echo f > /t/f; echo g > /t/d/g; ln -s f /t/l; ln -s /t/d /t/ld; ln /t/f /t/hard
                chown 1000:50 /t/f; chmod 4755 /t/f; touch -d '2001-02-03 04:05:06' /t/d/g; echo v > /data/v; echo up > /up
                """ + (running ? "\nsleep 1000" : ""), flags: ["-v", "/data"], detached: running)
            if running { #expect(Wait.until(seconds: 10) { (try? box.members("/up")) == ["up"] }) }
            let name = box.name
            let host = try Scratch()
            try host.directory("there")
            try host.file("file", "old", mode: 0o600)
            try box.check("cp", "\(name):/t", host("there"))
            try box.check("cp", "\(name):/t", host("new"))
            try box.check("cp", "\(name):/t/.", host("contents"))
            try box.check("cp", "\(name):t/f", host("file"))
            try box.check("cp", "-a", "\(name):/t/f", host("kept"))
            try box.check("cp", "\(name):/data/v", host("v"))
            try box.check("cp", "-L", "\(name):/t/ld", host("there"))
            let wanted = [".", "d", "d/g", "f", "hard", "l", "ld"]
            for tree in ["there/t", "new", "contents"] {
                let listing = try TreeListing(host(tree))
                #expect(listing.paths == wanted)
                #expect(listing["hard"]?.linkedTo == "f")
                #expect(listing["ld"]?.target == "/t/d")
                #expect(listing["d/g"]?.seconds == 981_173_106)
                // They are the caller's now, and no setuid program of somebody else's becomes one of his.
                #expect(listing["f"]?.uid == 0 && listing["f"]?.mode == 0o755)
            }
            #expect(try File.status(host("file")).mode == 0o755)
            let kept = try File.status(host("kept"))
            #expect(kept.uid == 1000 && kept.gid == 50 && kept.mode == 0o4755)
            #expect(try File.readAll(host("v")) == Array("v\n".utf8))
            #expect(try TreeListing(host("there/ld")).paths == [".", "g"])
        }

        @Test(arguments: [false, true]) func tarsGoThroughStandardStreams(running: Bool) throws {
            let box = try ContainerBox(
                "ln -s /etc /lnk; echo up > /up" + (running ? "; sleep 1000" : ""), detached: running)
            if running { #expect(Wait.until(seconds: 10) { (try? box.members("/up")) == ["up"] }) }
            let name = box.name
            #expect(try box.members("/lnk") == ["lnk"])
            #expect(try box.members("/lnk/").prefix(2) == ["lnk/", "lnk/group"])
            #expect(try box.members("/etc/.").prefix(2) == ["./", "group"])
            #expect(try box.members("/").contains("etc/passwd"))
            let followed = try box.check("cp", "-L", "\(name):/lnk", "-").stdoutBytes
            #expect(try Tool.check("tar", ["-tf", "-"], input: followed).lines.first == "etc/")
            let host = try source()
            let tar = try Tool.check("tar", ["-C", host("h"), "-czf", "-", "."]).stdoutBytes
            try box.check("cp", "-", "\(name):/tmp", input: tar)
            #expect(try box.members("/tmp") == ["tmp/", "tmp/d/", "tmp/d/g", "tmp/f", "tmp/l", "tmp/ld"])
            let damaged = try box("cp", "-", "\(name):/tmp", input: Array("this is no tar".utf8))
            #expect(damaged.status == 1 && !damaged.stderr.isEmpty)
        }

        @Test func readOnlyPlacesStayAsTheyAre() throws {
            let host = try source()
            try host.file("volume/kept", "kept")
            for detached in [false, true] {
                let box = try ContainerBox(
                    detached ? "sleep 1000" : "true", flags: ["--read-only", "-v", "\(host("volume")):/data:ro"],
                    detached: detached)
                let root = try box("cp", host("h/f"), "\(box.name):/tmp")
                #expect(root.status == 1 && root.stderr.contains("container rootfs is marked read-only"), "\(root)")
                let volume = try box("cp", host("h/f"), "\(box.name):/data")
                #expect(volume.status == 1 && volume.stderr.contains("mounted volume is marked read-only"), "\(volume)")
            }
            #expect(try Directory.entries(host("volume")).map(\.name) == ["kept"])
        }

        @Test func saysWhatItCopiedToTerminalsOnly() throws {
            let box = try ContainerBox("true")
            let host = try source()
            let quiet = try box.check("cp", host("h/d/g"), "\(box.name):/tmp")
            #expect(quiet.stdout + quiet.stderr == "")
            let terminal = try box.runimg.terminal("cp", host("h/d/g"), "\(box.name):/tmp/q")
            _ = try terminal.expect("Successfully copied 2.05kB to \(box.name):/tmp/q")
            #expect(try terminal.wait() == .exited(0))
        }
    }
}
