internal import Glibc
internal import Sys
internal import TestSupport
import Testing

extension EndToEnd {
    /// `unpack` and `bundle`.
    @Suite struct Unpack {
        /// What umoci makes of the same image.
        @Test(
            .enabled(if: Conditions.has("umoci"), "needs umoci"), arguments: [("layers", "gzip"), ("deep", "latest")])
        func writesTheTreeThatUmociMakes(layout: String, tag: String) throws {
            let runimg = try Runimg()
            let scratch = try Scratch()
            let source = "oci:\(Fixtures.layout(layout)):\(tag)"
            let snapshot = try LeakSnapshot(dataRoot: runimg.dataRoot)
            try runimg.check("unpack", "-q", source, scratch("tree"), timeout: 120)
            #expect(try snapshot.leaks(ignoringStore: true) == [])
            try Tool.check(
                "umoci",
                ["--log=error", "unpack", "--image", "\(Fixtures.layout(layout)):\(tag)", scratch("bundle")],
                timeout: 120)
            let trusted = scratch("bundle/rootfs/xattr/trusted")
            if File.exists(trusted) { try Tool.check("setfattr", ["-x", "trusted.secret", trusted]) }
            let ours = try TreeListing(scratch("tree"), .archive)
            #expect(ours.paths.count > 20)
            let theirs = try TreeListing(scratch("bundle/rootfs"), .archive)
            #expect(ours.without(".").differences(from: theirs.without(".")) == [])
            #expect(!ours.entries.values.contains { $0.xattrs.keys.contains { $0.contains("overlay") } })
            #expect(ours["."]?.mode == 0o755)
        }

        @Test func fillsAnEmptyDirectoryAsItStands() throws {
            let scratch = try Scratch()
            let before = try File.status(try scratch.directory("here", mode: 0o700)).inode
            try engine.runimg.check("unpack", engine.image, scratch("here/"))
            #expect(try File.status(scratch("here")).inode == before)
            #expect(try File.status(scratch("here")).mode == 0o755)
            #expect(File.exists(scratch("here/bin/busybox")))
        }

        @Test func leavesNothingWhenItFails() throws {
            let scratch = try Scratch()
            let engine = try engine
            try scratch.file("full/file", "mine")
            let full = try engine.runimg("unpack", engine.image, scratch("full"))
            #expect(full.status == 1 && full.stderr.contains("\(scratch("full")) is not empty: name a directory"))
            #expect(try Directory.entries(scratch("full")).map(\.name) == ["file"])
            let file = try engine.runimg("unpack", engine.image, scratch("full/file"))
            #expect(file.status == 1 && file.stderr.contains("not a directory (ENOTDIR)"))
            let above = try engine.runimg("unpack", engine.image, scratch("no/where"))
            #expect(above.status == 1 && above.stderr.contains("open directory \(scratch("no")): no such file"))
            let missing = try engine.runimg("unpack", "--pull", "never", "nosuch", scratch("new"))
            #expect(missing.status == 1 && missing.stderr.contains("No such image: nosuch"))
            try scratch.directory("empty")
            #expect(try engine.runimg("unpack", "--pull", "never", "nosuch", scratch("empty")).status == 1)
            #expect(try Directory.entries(scratch("empty")).isEmpty)
            #expect(try Directory.entries(scratch.path).map(\.name).sorted() == ["empty", "full"])
        }

        /// A disk that fills up half-way.
        @Test func leavesNothingOnAFullDisk() throws {
            let scratch = try Scratch()
            let engine = try engine
            try scratch.directory("disk")
            try Tool.check("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", scratch("disk")])
            defer { _ = try? Tool.run("umount", ["-l", scratch("disk")]) }
            for name in ["new", ""] {
                let output = try engine.runimg("unpack", engine.image, scratch("disk/\(name)"))
                #expect(output.status == 1 && output.stderr.contains("(ENOSPC)"), "\(output)")
                #expect(try Directory.entries(scratch("disk")).isEmpty)
            }
        }

        @Test func leavesNothingWhenItIsInterrupted() throws {
            let scratch = try Scratch()
            let runimg = try Runimg()
            try runimg.check("pull", "-q", "oci:\(Fixtures.layout("deep")):latest", timeout: 120)
            let image = try #require(try runimg.check("images", "-q").lines.first)
            var child = try runimg.start("unpack", image, scratch("tree"))
            #expect(Wait.until(seconds: 20) { (try? Directory.entries(scratch.path).isEmpty) == false })
            kill(child.pid, SIGTERM)
            _ = try child.wait(seconds: 30)
            let names = try Directory.entries(scratch.path).map(\.name)
            // It may have been done when the signal came.
            #expect(names == [] || names == ["tree"])
        }

        @Test func makesABundleOfTheImage() throws {
            let scratch = try Scratch()
            let engine = try engine
            let script = "id; pwd; echo $A; hostname; touch /made; cat /proc/self/mountinfo | grep -c overlay"
            try engine.runimg.check(
                "bundle", "-e", "A=b", "-u", "1000:1001", "-w", "/tmp", "--network", "none", engine.image,
                scratch("bundle"), "sh", "-c", script)
            #expect(try Directory.entries(scratch("bundle")).map(\.name).sorted() == ["config.json", "rootfs"])
            for runtime in ["runc", "crun"] where Tool.find(runtime) != nil {
                // crun 1.8 refuses the hybrid layout of cgroups.
                let id = "runimg-test-\(Random.hex(bytes: 6))"
                let output = try Tool.run(
                    runtime, ["run", id], directory: scratch("bundle"), input: [], timeout: 60)
                if output.stderr.contains("hybrid mode not supported") { continue }
                #expect(
                    output.lines.prefix(4) == ["uid=1000(alice) gid=1001 groups=1001", "/tmp", "b", "runimg"],
                    "\(output)")
                #expect(output.stderr.contains("touch: /made: Permission denied"))
                #expect(output.lines.last == "0")
            }
        }

        @Test func aBundleSaysWhatRunDoes() throws {
            let scratch = try Scratch()
            let engine = try engine
            try engine.runimg.check("bundle", "--read-only", "-m", "64m", engine.image, scratch("b"))
            let text = String(decoding: try File.readAll(scratch("b/config.json")), as: UTF8.self)
            for part in [
                #""readonly": true"#, #""limit": 67108864"#, #""path": "rootfs""#, #""ociVersion": "1.0.2""#,
            ] {
                #expect(text.contains(part))
            }
            #expect(!text.contains("cgroupsPath") && !text.contains("resolv.conf") && !text.contains("/containers/"))
            let volume = try engine.runimg("bundle", "-v", "/a:/b", engine.image, scratch("c"))
            #expect(volume.status == 125 && volume.stderr.contains("unknown shorthand flag: 'v' in -v"), "\(volume)")
        }
    }
}
