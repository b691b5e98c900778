internal import Glibc
internal import Sys
internal import TestSupport
import Testing

extension EndToEnd {
    /// `run --rootfs`.
    @Suite struct RootDirectories {
        /// A tree of the fixture image's files.
        private func tree() throws -> Scratch {
            let scratch = try Scratch()
            try engine.runimg.check("unpack", engine.image, scratch("root"))
            return scratch
        }

        @Test func theDirectoryIsTheRoot() throws {
            let scratch = try tree()
            let runimg = try Runimg()
            let snapshot = try LeakSnapshot(dataRoot: runimg.dataRoot)
            let output = try runimg(
                "run", "--rm", "--network", "none", "-e", "A=b", "--rootfs", scratch("root"), "sh", "-c",
                "echo $A > /made; id -u; grep -c ' / / ' /proc/self/mountinfo; exit 3")
            #expect(output.status == 3 && output.stdout.hasPrefix("0\n"), "\(output)")
            #expect(String(decoding: try File.readAll(scratch("root/made")), as: UTF8.self) == "b\n")
            #expect(try Directory.entries(scratch("root/proc")).isEmpty)
            try expectClean(snapshot)
        }

        @Test func itIsShownAsPodmanShowsIt() throws {
            let scratch = try tree()
            let runimg = try engine.runimg
            let name = "root-\(Random.hex(bytes: 4))"
            let flags = ["--network", "none", "--name", name, "--rootfs", scratch("root")]
            try #require(try runimg.run(["create"] + flags + ["sleep", "1000"]).status == 0)
            defer { _ = try? runimg.run(["rm", "-f", name]) }
            let format = "{{.Image}}|{{.Rootfs}}|{{.Config.Image}}|{{.Path}}"
            #expect(
                try runimg.check("inspect", "-f", format, name).lines == [
                    "|\(scratch("root"))|\(scratch("root"))|sleep"
                ])
            #expect(
                try runimg.check("ps", "-a", "--format", "{{.Names}} {{.Image}}").lines.contains(
                    "\(name) \(scratch("root"))"))
            try runimg.check("start", name)
            #expect(try runimg.check("exec", name, "sh", "-c", "echo hi > /new; cat /new").stdout == "hi\n")
            #expect(File.exists(scratch("root/new")))
            #expect(try runimg.check("mount", name).lines == [scratch("root")])
            #expect(try runimg.check("diff", name).lines == [])
            let commit = try runimg("commit", name, "new")
            #expect(
                commit.status == 1 && commit.stderr.contains("cannot commit a container that uses an exploded rootfs"))
            try runimg.check("stop", "-t", "0", name)
            try scratch.file("in", "in\n")
            try runimg.check("cp", scratch("in"), "\(name):/in")
            #expect(String(decoding: try File.readAll(scratch("root/in")), as: UTF8.self) == "in\n")
            try runimg.check("cp", "\(name):/new", scratch("out"))
            #expect(String(decoding: try File.readAll(scratch("out")), as: UTF8.self) == "hi\n")
            let tar = try runimg.check("export", name).stdoutBytes
            #expect(try Tool.check("tar", ["-tf", "-"], input: tar).lines.contains("bin/busybox"))
            try runimg.check("rm", name)
            #expect(File.exists(scratch("root/new")))
        }

        @Test func anOverlaidDirectoryStaysAsItWas() throws {
            let scratch = try tree()
            let runimg = try engine.runimg
            let before = try TreeListing(scratch("root"))
            let name = "root-\(Random.hex(bytes: 4))"
            let output = try runimg.run(
                [
                    "run", "--network", "none", "--name", name, "--rootfs", scratch("root") + ":O", "sh", "-c",
                    "echo x > /new; rm /bin/cat",
                ])
            #expect(output.status == 0, "\(output)")
            defer { _ = try? runimg.run(["rm", "-f", name]) }
            #expect(try TreeListing(scratch("root")).differences(from: before) == [])
            #expect(try runimg.check("diff", name).lines == ["C /bin", "D /bin/cat", "A /new"])
        }

        @Test func refusesWhatIsNoDirectory() throws {
            let scratch = try tree()
            let runimg = try engine.runimg
            let missing = try runimg("run", "--rm", "--network", "none", "--rootfs", scratch("no"), "true")
            #expect(
                missing.status == 125 && missing.stderr.contains("stat \(scratch("no")): no such file or directory"))
            let file = try runimg("run", "--rm", "--network", "none", "--rootfs", scratch("root/bin/busybox"), "true")
            #expect(file.status == 125 && file.stderr.contains("not a directory (ENOTDIR)"))
            let empty = try runimg("run", "--rm", "--network", "none", "--rootfs", scratch("root"))
            #expect(empty.status == 125 && empty.stderr.contains("no command specified"), "\(empty)")
        }
    }
}
