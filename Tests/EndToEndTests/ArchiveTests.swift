internal import Glibc
internal import OCI
internal import Sys
internal import TestSupport
import Testing

extension EndToEnd {
    /// `save`, `load` and `import`: images as files, between us and others.
    @Suite struct Archives {
        /// A store with one image, `base:1`.
        private static func bench() throws -> Runimg {
            let runimg = try Runimg()
            try runimg.check("pull", "-q", Leaks.image)
            try runimg.check("tag", try id(runimg), "base:1")
            return runimg
        }

        private static func id(_ runimg: Runimg) throws -> String {
            try #require(try runimg.check("images", "-q", "--no-trunc").lines.first)
        }

        private static func runs(_ runimg: Runimg, _ name: String) throws -> Bool {
            try runimg.check("run", "--rm", name, "echo", "works").lines == ["works"]
        }

        /// An image of two layers, `two:1`, the second made here, and `base:1`, which shares the first.
        private static func makeTwo(_ runimg: Runimg) throws {
            try runimg.check("run", "--name", "maker", "base:1", "sh", "-c", "echo two > /two; rm -rf /etc/group")
            try runimg.check("commit", "-c", "LABEL a=b", "maker", "two:1")
            try runimg.check("rm", "maker")
        }

        @Test func whatIsSavedIsLoadedAgainWithNamesAndDigests() throws {
            let runimg = try Self.bench()
            try Self.makeTwo(runimg)
            try runimg.check("tag", "two:1", "127.0.0.1:5000/team/two:x")
            let scratch = try Scratch()
            let file = scratch("images.tar")
            let before = try runimg.check("images", "--no-trunc", "--format", "{{.Repository}}:{{.Tag}} {{.ID}}").lines
            try runimg.check("save", "-o", file, "two", "base:1", "127.0.0.1:5000/team/two")
            #expect(try File.status(file).mode == 0o600)
            #expect(
                try runimg.check("save", "two", "base:1", "127.0.0.1:5000/team/two").stdoutBytes == File.readAll(file))

            let other = try Runimg()
            let output = try other.check("load", "-i", file)
            #expect(
                Set(output.lines) == [
                    "Loaded image: two:1", "Loaded image: base:1", "Loaded image: 127.0.0.1:5000/team/two:x",
                ])
            let after = try other.check("images", "--no-trunc", "--format", "{{.Repository}}:{{.Tag}} {{.ID}}").lines
            #expect(after.sorted() == before.sorted())
            #expect(try Self.runs(other, "base:1"))
            #expect(try other.check("run", "--rm", "two:1", "cat", "/two").lines == ["two"])
            #expect(try other.run(["run", "--rm", "two:1", "ls", "/etc/group"]).status == 1)
            // The same blobs: nothing was compressed anew.
            #expect(
                try other.check("save", "two", "base:1", "127.0.0.1:5000/team/two").stdoutBytes == File.readAll(file))
        }

        @Test("compressed, by a file and by a pipe", arguments: ["gzip", "xz", "zstd", "cat"])
        func compressed(_ program: String) throws {
            let runimg = try Self.bench()
            let id = try Self.id(runimg)
            let saved = try runimg.check("save", "base:1").stdoutBytes
            let packed = try Tool.check(program, program == "cat" ? [] : ["-c"], input: saved).stdoutBytes
            let scratch = try Scratch()
            let file = try scratch.file("packed", packed)
            for input in [nil, file] {
                try runimg.check("rmi", "-f", id)
                let output =
                    try input.map { try runimg.run(["load", "-q", "-i", $0]) }
                    ?? runimg.run(["load", "-q"], input: packed)
                #expect(output.status == 0 && output.lines == ["Loaded image: base:1"], "\(output)")
                #expect(try Self.id(runimg) == id)
            }
            #expect(try Self.runs(runimg, "base:1"))
            // One that is cut says so, and changes nothing.
            try runimg.check("rmi", "-f", id)
            let before = try runimg.storeListing()
            let cut = try runimg.run(["load"], input: Array(packed.prefix(packed.count / 2)))
            #expect(cut.status == 1 && cut.stderr.contains("standard input: ") && cut.stdout.isEmpty, "\(cut)")
            #expect(try runimg.storeListing() == before)
        }

        @Test(.enabled(if: DockerDaemon.isPossible, "needs docker's packages")) func dockerLoadsOursAndWeTheirs() throws
        {
            let runimg = try Self.bench()
            try Self.makeTwo(runimg)
            let docker = try DockerDaemon()
            let scratch = try Scratch()
            let ours = scratch("ours.tar")
            try runimg.check("save", "-o", ours, "two:1", "base:1")
            let loaded = try docker.check("load", "-i", ours)
            #expect(
                Set(loaded.lines.filter { $0.hasPrefix("Loaded") }) == ["Loaded image: two:1", "Loaded image: base:1"])
            let ids = try runimg.check("images", "-q", "--no-trunc", "two:1").lines
            #expect(try docker.check("image", "inspect", "-f", "{{.Id}}", "two:1").lines == ids)

            // It shares the first layer between them by a symbolic link.
            let theirs = scratch("theirs.tar")
            try docker.check("save", "-o", theirs, "two:1", "base:1")
            let other = try Runimg()
            let output = try other.check("load", "-i", theirs)
            #expect(Set(output.lines) == ["Loaded image: two:1", "Loaded image: base:1"], "\(output)")
            #expect(try other.check("images", "-q", "--no-trunc", "two:1").lines == ids)
            #expect(try other.check("run", "--rm", "two:1", "cat", "/two").lines == ["two"])
            #expect(try Self.runs(other, "base:1"))
            // And what it gave us goes back to it.
            let back = scratch("back.tar")
            try other.check("save", "-o", back, "two:1")
            try docker.check("rmi", "-f", "two:1")
            try docker.check("load", "-i", back)
            #expect(try docker.check("image", "inspect", "-f", "{{.Id}}", "two:1").lines == ids)
        }

        @Test(
            .enabled(if: Podman.isPossible, "needs podman's package"),
            arguments: ["docker-archive", "oci-archive"])
        func podmanLoadsOursAndWeTheirs(_ format: String) throws {
            let runimg = try Self.bench()
            try Self.makeTwo(runimg)
            let podman = try Podman()
            let scratch = try Scratch()
            let ours = scratch("ours.tar")
            try runimg.check("save", "-o", ours, "two:1")
            try podman.check("load", "-q", "-i", ours)
            let id = try #require(try runimg.check("images", "-q", "--no-trunc", "two:1").lines.first)
            let name = try #require(
                try podman.check("images", "--noheading", "--format", "{{.Repository}}:{{.Tag}}").lines.first)
            #expect(name == "docker.io/library/two:1" || name == "localhost/two:1")
            #expect(try podman.check("image", "inspect", "-f", "sha256:{{.Id}}", name).lines == [id])

            let theirs = scratch("theirs.tar")
            try podman.check("save", "-q", "--format", format, "-o", theirs, name)
            let other = try Runimg()
            let output = try other.check("load", "-i", theirs)
            #expect(output.lines.count == 1 && output.stdout.hasPrefix("Loaded image"), "\(output)")
            let loaded = try #require(try other.check("images", "-q").lines.first)
            #expect(try other.check("run", "--rm", loaded, "cat", "/two").lines == ["two"])
        }

        @Test(arguments: ["docker-archive", "oci-archive"]) func skopeoReadsOursAndWeTheirs(_ format: String) throws {
            let runimg = try Self.bench()
            try Self.makeTwo(runimg)
            let scratch = try Scratch()
            let ours = scratch("ours.tar")
            try runimg.check("save", "-o", ours, "two:1")
            let reference = format == "docker-archive" ? "two:1" : "1"
            try Tool.check(
                "skopeo",
                [
                    "--insecure-policy", "copy", "-q", "\(format):\(ours):\(reference)",
                    "\(format):\(scratch("theirs.tar")):two:1",
                ])
            let other = try Runimg()
            let output = try other.check("load", "-i", scratch("theirs.tar"))
            #expect(output.lines == ["Loaded image: two:1"], "\(output)")
            #expect(try other.check("run", "--rm", "two:1", "cat", "/two").lines == ["two"])
        }

        /// A stranger's archive that says `alpine:latest` does not become what was pulled by that name.
        @Test(
            "P10: a name moves only from what was loaded",
            .enabled(if: Conditions.hasRegistry, "needs docker-registry and skopeo"))
        func aNameMovesOnlyFromWhatWasLoaded() throws {
            let registry = try RealRegistry()
            try registry.push("oci:\(Fixtures.layout("busybox")):latest", as: "team/app:1")
            let name = "\(registry.host)/team/app:1"
            let runimg = try Self.bench()
            try runimg.check("pull", "-q", name)
            let pulled = try #require(try runimg.check("images", "-q", "--no-trunc", name).lines.first)
            let other = try Self.bench()
            try Self.makeTwo(other)
            try other.check("tag", "two:1", name)
            try other.check("tag", "two:1", "base:1")
            let two = try #require(try other.check("images", "-q", "--no-trunc", "two:1").lines.first)
            let archive = try other.check("save", name, "base:1").stdoutBytes

            let first = try runimg.run(["load"], input: archive)
            #expect(first.status == 1 && first.stderr.contains("\(name) stays with image"), "\(first)")
            #expect(
                first.lines == [
                    "The image base:1 already exists, renaming the old one with ID \(pulled) to empty string",
                    "Loaded image: base:1",
                ], "\(first)")
            #expect(try runimg.check("images", "-q", "--no-trunc", name).lines == [pulled])
            #expect(try runimg.check("images", "-q", "--no-trunc", "base:1").lines == [two])

            let second = try runimg.run(["load", "--move-names"], input: archive)
            #expect(second.status == 0, "\(second)")
            #expect(try runimg.check("images", "-q", "--no-trunc", name).lines == [two])
        }

        static let refusals: [([String], String)] = [
            (["save", "nope"], "No such image: nope:latest"),
            (["save", "-o", "/nonexistent/x", "base:1"], "invalid output path: stat /nonexistent"),
            (["save", "-o", "/tmp", "base:1"], "cannot write to a directory"),
            (["save", "--platform", "linux/s390x", "base:1"], "is here for linux/"),
            (["load", "-i", "/nonexistent"], "open /nonexistent: no such file or directory (ENOENT)"),
            (["load", "-i", "/"], "read /: is a directory (EISDIR)"),
            (["load"], "it is no tar archive"),
            (["import", "/nonexistent"], "open /nonexistent"),
            (["import", "-", "UPPER"], "invalid reference format"),
            (["import", "-c", "FROM x", "-"], "from is not a valid change command"),
            (["import", "http://127.0.0.1/x"], "import reads files only; curl -fL"),
        ]

        @Test("what can't be done is said, and changes nothing", arguments: refusals)
        func refused(_ arguments: [String], _ message: String) throws {
            let runimg = try Self.bench()
            let before = try runimg.storeListing()
            let output = try runimg.run(arguments)
            #expect(output.status == 1 && output.stderr.contains(message) && output.stdout.isEmpty, "\(output)")
            #expect(try runimg.storeListing() == before)
        }

        @Test func aDamagedBlobIsNotGivenAway() throws {
            let runimg = try Self.bench()
            let blobs = try runimg.storeListing().keys.filter { $0.hasSuffix("/blob") }
            let path = "\(runimg.dataRoot)/\(try #require(blobs.first))"
            let file = try File.open(path, O_RDWR)
            let byte = try File.bytes(file.raw, at: 2000, count: 1)
            try check { pwrite(file.raw, [byte[0] ^ 1], 1, 2000) }
            let scratch = try Scratch()
            let output = try runimg.run(["save", "-o", scratch("x.tar"), "base:1"])
            #expect(output.status == 1 && output.stderr.contains("is damaged: its digest is"), "\(output)")
            #expect(try Directory.entries(scratch.path).isEmpty)
        }

        @Test func aTarOfFilesBecomesAnImage() throws {
            let runimg = try Self.bench()
            let tar = try runimg.check("run", "--rm", "base:1", "tar", "-c", "bin", "etc").stdoutBytes
            let packed = try Tool.check("xz", ["-c"], input: tar).stdoutBytes
            let output = try runimg.run(
                ["import", "-c", #"CMD ["echo","made"]"#, "-c", "ENV A=b", "-m", "from files", "-", "made:1"],
                input: packed)
            #expect(output.status == 0, "\(output)")
            #expect(try runimg.check("images", "-q", "--no-trunc", "made:1").lines == output.lines)
            #expect(try runimg.check("run", "--rm", "made:1").lines == ["made"])
            #expect(try runimg.check("history", "--format", "{{.Comment}}", "made:1").lines == ["from files"])
            // Its contents are the tar's, byte for byte, and it can be given away.
            let saved = try runimg.check("save", "made:1").stdoutBytes
            let other = try Runimg()
            #expect(try other.run(["load"], input: saved).lines == ["Loaded image: made:1"])
            #expect(try other.check("run", "--rm", "made:1").lines == ["made"])
        }
    }
}
