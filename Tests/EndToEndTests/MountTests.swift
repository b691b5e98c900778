internal import Glibc
internal import Sys
internal import TestSupport
import Testing

extension EndToEnd {
    /// podman's `mount` and `unmount`.
    @Suite struct HostMounts {
        private func write(_ path: String, _ text: String) throws {
            let file = try File.open(path, O_WRONLY | O_CREAT | O_TRUNC, mode: 0o644)
            try File.write(file.raw, text)
            try file.close()
        }

        private func text(_ path: String) throws -> String { String(decoding: try File.readAll(path), as: UTF8.self) }

        @Test func aStoppedContainerIsMountedUntilItIsUnmounted() throws {
            let box = try ContainerBox("echo inside > /old")
            let path = try #require(try box.check("mount", box.name).lines.first)
            #expect(path == "\(box.runimg.dataRoot)/overlay2/\(box.id)/merged")
            #expect(try text("\(path)/old") == "inside\n")
            try write("\(path)/new", "outside\n")
            // Once more says where, and no second mount is made.
            #expect(try box.check("container", "mount", box.id).lines == [path])
            #expect(Scratch.mounts(below: path).count == 1)
            #expect(try box.check("mount").lines.contains("\(box.id.prefix(12))  \(path)"))
            #expect(try box.check("mount", "--no-trunc").lines.contains("\(box.id)  \(path)"))
            #expect(try box.check("mount", "--format", "json").stdout.contains("\"mountpoint\": \"\(path)\""))
            #expect(try box.check("unmount", box.name).lines == [box.name])
            #expect(Scratch.mounts(below: path).isEmpty)
            #expect(try box.text("/new") == "outside\n")
            #expect(try box.check("diff", box.name).lines == ["A /new", "A /old"])
            // As podman: no failure, it is not mounted.
            #expect(try box.check("umount", box.name).lines == [box.name])
        }

        /// One upper directory in two mounts would be two opinions of what is in it.
        @Test func aRunningContainersMountIsItsOwn() throws {
            let box = try ContainerBox("while :; do cp /host /back 2>/dev/null; sleep 0.05; done", detached: true)
            let path = try #require(try box.check("mount", box.name).lines.first)
            #expect(try File.status(path).device == File.status("\(try box.root)/.").device)
            try write("\(path)/host", "there\n")
            #expect(Wait.until(seconds: 10) { (try? text("\(path)/back")) == "there\n" })
            #expect(!File.exists("\(path)/proc/self"))
            try box.check("stop", "-t", "0", box.name)
            // It stays, and the next start is on it.
            try write("\(path)/host", "again\n")
            try box.check("start", box.name)
            #expect(try File.status(path).device == File.status("\(try box.root)/.").device)
            #expect(Wait.until(seconds: 10) { (try? text("\(path)/back")) == "again\n" })
            try box.check("unmount", box.name)
            #expect(Scratch.mounts(below: path).isEmpty)
            #expect(try box.check("exec", box.name, "cat", "/host").stdout == "again\n")
        }

        @Test func commandsOnFilesUseTheMountThatIsThere() throws {
            let box = try ContainerBox("true")
            let path = try #require(try box.check("mount", box.name).lines.first)
            let scratch = try Scratch()
            try scratch.file("f", "copied\n")
            try box.check("cp", scratch("f"), "\(box.name):/f")
            #expect(try text("\(path)/f") == "copied\n")
            try write("\(path)/g", "g\n")
            #expect(try box.text("/g") == "g\n")
            #expect(try box.check("diff", box.name).lines == ["A /f", "A /g"])
            let names = try Tool.check("tar", ["-tf", "-"], input: try box.check("export", box.name).stdoutBytes).lines
            #expect(names.contains("f") && names.contains("g"))
            let inUse = try Directory.open(path)
            let busy = try box("unmount", box.name)
            #expect(busy.status == 125 && busy.stderr.contains("\(path) is in use"), "\(busy)")
            try box.check("unmount", "--force", box.name)
            _ = consume inUse
            #expect(Scratch.mounts(below: path).isEmpty)
        }

        @Test func aDirectoryShowsTheFilesWithoutTheirRights() throws {
            let box = try ContainerBox(
                "cp /bin/busybox /suid; chmod 4755 /suid; mknod /null c 1 3; chmod 666 /null",
                flags: ["--cap-add", "MKNOD"])
            let scratch = try Scratch()
            let place = try scratch.directory("place")
            defer { umount2(place, Int32(MNT_DETACH)) }
            #expect(try box.check("mount", box.name, place).lines == [place])
            let table = try text("/proc/self/mountinfo").split(separator: "\n").filter { $0.contains(" \(place) ") }
            #expect(table.count == 1 && table[0].contains("nosuid,nodev"))
            #expect(throws: Errno.accessDenied) { _ = try File.open("\(place)/null", O_RDONLY) }
            let merged = "\(box.runimg.dataRoot)/overlay2/\(box.id)/merged"
            #expect(try box.check("mount").lines.filter { $0.contains(box.id.prefix(12)) }.count == 2)
            let other = try scratch.directory("other")
            defer { umount2(other, Int32(MNT_DETACH)) }
            try box.check("mount", box.name, other)
            #expect(try box.check("unmount", other).lines == [box.name])
            #expect(Scratch.mounts(below: other).isEmpty && Scratch.mounts(below: merged).count == 1)
            // With the last place the mount itself goes.
            #expect(try box.check("unmount", place).lines == [box.name])
            #expect(Scratch.mounts(below: scratch.path).isEmpty && Scratch.mounts(below: merged).isEmpty)
            let none = try box("unmount", place)
            #expect(none.status == 125 && none.stderr.contains("\(place) is no place that runimg has mounted"))
        }

        @Test func removingAContainerUnmountsIt() throws {
            let own = try SharedEngine()
            let runimg = own.runimg
            try runimg.check("run", "--rm", "--network", "none", own.image, "true")
            let snapshot = try LeakSnapshot(dataRoot: runimg.dataRoot)
            let scratch = try Scratch()
            for (start, how) in [
                (["create"], ["rm"]), (["run", "-d"], ["rm", "-f"]), (["run", "-d", "--rm"], ["stop", "-t", "0"]),
            ] {
                let id = try #require(
                    try runimg.run(start + ["--network", "none", own.image, "sleep", "1000"]).lines.first)
                let place = try scratch.directory("place")
                try runimg.check("mount", id, place)
                let removed = try runimg.run(how + [id])
                #expect(removed.status == 0, "\(removed)")
                #expect(Wait.until(seconds: 5) { Scratch.mounts(below: scratch.path).isEmpty })
                #expect(Wait.until(seconds: 5) { !File.exists("\(runimg.dataRoot)/overlay2/\(id)") })
            }
            // In a store of its own, for this takes everybody's.
            for name in ["one", "two"] {
                try runimg.check("create", "--name", name, "--network", "none", own.image, "true")
                try runimg.check("mount", name)
            }
            try runimg.check("unmount", "-a")
            #expect(Scratch.mounts(below: runimg.dataRoot).isEmpty)
            try runimg.check("rm", "one", "two")
            try expectClean(snapshot)
        }

        @Test func whatElseIsMountedStaysAsItIs() throws {
            let box = try ContainerBox("mkdir /sub")
            let path = try #require(try box.check("mount", box.name).lines.first)
            try Tool.check("mount", ["-t", "tmpfs", "tmpfs", "\(path)/sub"])
            defer { _ = try? Tool.run("umount", ["-l", "\(path)/sub"]) }
            for command in [["unmount", "-f"], ["rm"], ["rm", "-f"]] {
                let output = try box.runimg.run(command + [box.name])
                #expect(output.status != 0)
                #expect(
                    output.stderr.contains("something else is mounted at \(path)/sub; unmount that first"), "\(output)")
            }
            #expect(File.exists("\(path)/bin/busybox"))
        }

        @Test func anImageIsMountedReadOnly() throws {
            let runimg = try Runimg()
            try runimg.check("pull", "-q", "oci:\(Fixtures.layout("busybox")):latest")
            let image = try #require(try runimg.check("images", "-q", "--no-trunc").lines.first)
            let hex = String(image.dropFirst(7))
            let path = try #require(try runimg.check("mount", String(hex.prefix(12))).lines.first)
            #expect(path == "\(runimg.dataRoot)/mounts/\(hex)")
            #expect(throws: Errno.self) { try write("\(path)/x", "x") }
            #expect(File.exists("\(path)/bin/busybox"))
            #expect(try runimg.check("mount").lines == ["\(image)  \(path)"])
            #expect(try runimg.check("image", "mount").lines == ["\(image)  \(path)"])
            let refused = try runimg("rmi", hex)
            #expect(refused.status == 1 && refused.stderr.contains("image is mounted at \(path)"), "\(refused)")
            #expect(File.exists("\(path)/bin/busybox"))
            let scratch = try Scratch()
            let place = try scratch.directory("place")
            try runimg.check("image", "mount", hex, place)
            #expect(throws: Errno.self) { try write("\(place)/x", "x") }
            #expect(try runimg.check("image", "unmount", hex).lines == [hex])
            #expect(try runimg.check("image", "umount", hex).lines == [])
            #expect(Scratch.mounts(below: runimg.dataRoot).isEmpty && Scratch.mounts(below: scratch.path).isEmpty)
            #expect(!File.exists(path))
            try runimg.check("mount", hex)
            try runimg.check("rmi", "-f", hex)
            #expect(Scratch.mounts(below: runimg.dataRoot).isEmpty)
        }

        @Test func aRestrictedNameIsRefusedAsPodmanDoes() throws {
            let runimg = try engine.runimg
            for (line, code, message) in [
                (["mount", "nosuch"], 125, "no container or image with name or ID \"nosuch\" found"),
                (["image", "mount", "nosuch"], 125, "No such image: nosuch"),
                (["unmount", "nosuch"], 125, "no container or image with name or ID \"nosuch\" found"),
                (["unmount"], 125, "you must provide at least one name or id"),
                (["image", "umount"], 125, "image name or ID must be specified"),
                (["mount", "--format", "foo"], 125, "unknown --format argument: \"foo\""),
                (["mount", "-a", "x"], 125, "when using the --all switch, you may not pass any names or IDs"),
            ] as [([String], Int32, String)] {
                let output = try runimg.run(line)
                #expect(output.status == code && output.stderr.contains(message), "\(output)")
            }
        }

        /// A kill at any call leaves a store that the next command goes on with.
        @Test func aKilledMountLeavesAStoreThatWorks() throws {
            let box = try ContainerBox("echo x > /x")
            for call in ["fsmount", "move_mount", "unshare"] {
                let killed = try box.runimg.run(
                    ["mount", box.name],
                    under: ["strace", "-f", "-qq", "-o", "/dev/null", "-e", "inject=\(call):signal=KILL"])
                #expect(killed.status != 0, "\(call)")
                let path = try #require(try box.check("mount", box.name).lines.first)
                #expect(try text("\(path)/x") == "x\n")
                try box.check("unmount", box.name)
                #expect(Scratch.mounts(below: path).isEmpty)
                #expect(try box.check("start", "-a", box.name).status == 0)
            }
        }
    }
}
