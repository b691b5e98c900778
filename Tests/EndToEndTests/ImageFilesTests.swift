internal import Glibc
internal import OCI
internal import Sys
internal import TestSupport
import Testing

extension EndToEnd {
    /// An image's files, looked at without a container.
    @Suite struct ImageFiles {
        private static let first = """
            mkdir -p etc/deep gone hidden usr/bin; echo one > etc/conf; echo same > etc/same; echo x > gone/file
            ln -s usr/bin bin; echo tool > usr/bin/tool; chmod 4755 usr/bin/tool; echo c > hidden/below
            ln -s /etc/conf abs; ln -s ../../../../etc/conf etc/deep/up; ln -s loop loop; mkfifo fifo; mknod null c 1 3
            chown 1000:1001 etc/conf; touch -d '2020-02-03 04:05:06.5 UTC' etc/conf; echo meta > etc/meta; echo k > kind
            """

        private static let second = """
            mkdir -p etc hidden; touch .wh.gone hidden/.wh..wh..opq; echo d > hidden/new; echo two > etc/conf
            echo same > etc/same; echo meta > etc/meta; chmod 600 etc/meta; mkdir kind; echo in > kind/in
            """

        private static func tars() throws -> [[UInt8]] { [try ImageForge.tar(first), try ImageForge.tar(second)] }

        private static let image = "localhost:5000/some/name:v1"

        /// An image of two layers with a name that has colons and slashes, and `lower:1`, its first layer.
        private static func bench(_ runimg: Runimg) throws {
            let tars = try tars()
            for (name, layers) in [(image, tars), ("lower:1", [tars[0]])] {
                let path = runimg.scratch("layout-\(layers.count)")
                try ImageForge.layout(path, tars: layers)
                try Tool.check("chmod", ["-R", "a+rX", path])
                let id = try #require(try runimg.check("pull", "-q", "oci:\(path):latest").lines.last)
                try runimg.check("tag", id, name)
            }
        }

        private static let expected = [
            "/abs", "/bin", "/etc", "/etc/conf", "/etc/deep", "/etc/deep/up", "/etc/meta", "/etc/same", "/fifo",
            "/hidden",
            "/hidden/new", "/kind", "/kind/in", "/loop", "/null", "/usr", "/usr/bin", "/usr/bin/tool",
        ]

        @Test func listsMergedFiles() throws {
            let runimg = try Runimg()
            try Self.bench(runimg)
            func list(_ arguments: String...) throws -> [String] {
                try runimg.run(["image", "ls-files"] + arguments).lines
            }
            #expect(try list(Self.image) == Self.expected)
            #expect(try list(Self.image, "/etc/../kind/") == ["/kind/in"])
            #expect(try list("-d", "1", Self.image, "etc") == ["/etc/conf", "/etc/deep", "/etc/meta", "/etc/same"])
            // Links at the end are followed, inside the image.
            #expect(try list(Self.image, "/bin") == ["/usr/bin/tool"])
            #expect(try list(Self.image, "/etc/deep/up") == ["/etc/conf"])
            #expect(try list("-l", "lower:1", "/abs") == ["-rw-r--r-- 1000/1001 4 2020-02-03 04:05 /etc/conf"])
            let long = try list("-l", Self.image)
            #expect(long.contains { $0.hasPrefix("lrwxrwxrwx 0/0") && $0.hasSuffix("/bin -> usr/bin") }, "\(long)")
            #expect(long.contains { $0.hasPrefix("-rwsr-xr-x 0/0") && $0.hasSuffix(" /usr/bin/tool") }, "\(long)")
            #expect(long.contains { $0.hasPrefix("crw-r--r-- 0/0 1,3 ") && $0.hasSuffix(" /null") }, "\(long)")
            let rows = try list("--format", "{{.Path}} {{.Type}} {{.Mode}} {{.Size}} {{.Name}}", Self.image, "/etc")
            #expect(rows.contains("/etc/meta file 0600 5 meta") && rows.contains("/etc/deep directory 0755 0 deep"))
            let json = try list("--format", "json", Self.image, "/etc/deep")
            let object = try JSONValue(parsing: Array(json[0].utf8))
            let layers = try runimg.check("inspect", "-f", "{{join .RootFS.Layers \" \"}}", Self.image).lines[0]
            #expect(object["Layer"]?.string.map { layers.hasPrefix($0) } == true, "\(json)")
            #expect(object["Target"]?.string == "../../../../etc/conf" && json.count == 1)
            // The same as a mount shows.
            try runimg.check("unpack", Self.image, runimg.scratch("tree"))
            let found = try Tool.check("find", [runimg.scratch("tree"), "-mindepth", "1", "-printf", "/%P\\n"]).lines
            #expect(found.sorted() == Self.expected)
        }

        @Test func readsFiles() throws {
            let runimg = try Runimg()
            try Self.bench(runimg)
            #expect(try runimg.check("image", "cat", Self.image, "/abs", "usr/bin/tool").stdout == "two\ntool\n")
            #expect(try runimg.check("image", "cat", "lower:1", "/etc/conf").stdout == "one\n")
            for (path, reason) in [
                ("/gone/file", "Could not find the file /gone/file in image lower"), ("/etc", "EISDIR"),
                ("/loop", "ELOOP"), ("/fifo", "ENXIO"), ("/null", "ENXIO"), ("/etc/conf/x", "ENOTDIR"),
            ] {
                let image = path.hasPrefix("/gone") ? Self.image : "lower:1"
                let output = try runimg("image", "cat", image, path)
                let text = reason.replacing("lower", with: "localhost:5000/some/name:v1")
                #expect(output.status == 1 && output.stderr.contains(text), "\(output)")
                #expect(output.stdout.isEmpty)
            }
            let missing = try runimg("image", "cat", "nosuch", "/x")
            #expect(missing.status == 1 && missing.stderr.contains("No such image: nosuch:latest"), "\(missing)")
        }

        @Test func comparesImages() throws {
            let runimg = try Runimg()
            try Self.bench(runimg)
            let changes = [
                "C /etc", "C /etc/conf", "C /etc/meta", "D /gone", "C /hidden", "D /hidden/below", "A /hidden/new",
                "C /kind",
                "A /kind/in",
            ]
            #expect(try runimg.check("image", "diff", "lower:1", Self.image).lines == changes)
            #expect(try runimg.check("image", "diff", Self.image).lines == changes)
            #expect(try runimg.check("image", "diff", Self.image, Self.image).stdout == "")
            let back = try runimg.check("image", "diff", Self.image, "lower:1").lines
            #expect(back.contains("A /gone/file") && back.contains("C /kind") && back.contains("D /hidden/new"))
            // All of its only layer.
            #expect(try runimg.check("image", "diff", "lower:1").lines.allSatisfy { $0.hasPrefix("A ") })
            // The same files in other layers.
            try ImageForge.layout(runimg.scratch("flat"), tars: [try ImageForge.tar(Self.first)], .none)
            try runimg.check("pull", "-q", "oci:\(runimg.scratch("flat")):latest")
            #expect(try runimg.check("image", "diff", "lower:1", "lower:1").stdout == "")
        }

        @Test func copiesOutOfImages() throws {
            let runimg = try Runimg()
            try Self.bench(runimg)
            try runimg.check("cp", "\(Self.image):/etc/conf", runimg.scratch("conf"))
            #expect(try File.readAll(runimg.scratch("conf")) == Array("two\n".utf8))
            try runimg.check("cp", "lower:1:/etc", runimg.scratch("etc"))
            #expect(try File.readAll(runimg.scratch("etc/conf")) == Array("one\n".utf8))
            let id = try runimg.check("inspect", "-f", "{{.Id}}", Self.image).lines[0]
            let tar = try runimg.check("cp", "\(id):/hidden", "-").stdoutBytes
            try runimg.scratch.file("hidden.tar", tar)
            #expect(
                try Tool.check("tar", ["-tf", runimg.scratch("hidden.tar")]).lines == ["hidden/", "hidden/new"])
            #expect(try runimg.check("ps", "-aq").stdout == "")
            let missing = try runimg("cp", "lower:1:/nosuch", "-")
            #expect(missing.stderr.contains("Could not find the file /nosuch in image lower:1"), "\(missing)")
            let none = try runimg("cp", "nosuch:1:/etc", "-")
            #expect(none.status == 1 && none.stderr.contains("No such container: nosuch"), "\(none)")
            let into = try runimg("cp", runimg.scratch("conf"), "lower:1:/etc")
            #expect(into.status == 1 && into.stderr.contains("No such container: lower"), "\(into)")
            // A container of that name comes first.
            try runimg.check("pull", "-q", Leaks.image)
            let box = try #require(try runimg.check("images", "-q", "-f", "dangling=true").lines.first)
            try runimg.check("run", "--name", "lower", box, "sh", "-c", "mkdir /1:; echo container > /1:/file")
            #expect(try runimg("cp", "lower:/1:/file", "-").status == 0)
            #expect(try runimg("cp", "lower:1:/file", runimg.scratch("file")).status == 0)
            #expect(try File.readAll(runimg.scratch("file")) == Array("container\n".utf8))
        }

        @Test("an image that is removed while its files are copied is whole in the copy") func besideARemoval() throws {
            let runimg = try Runimg()
            let script = "mkdir d; i=0; while [ $i -lt 3000 ]; do echo $i > d/$i; i=$((i+1)); done"
            try ImageForge.layout(runimg.scratch("many"), tars: [try ImageForge.tar(script)])
            for _ in 0..<3 {
                let id = try #require(
                    try runimg.check("pull", "-q", "oci:\(runimg.scratch("many")):latest").lines.last)
                let line = runimg.command(["cp", "\(id):/d", "-"]).map { "'\($0)'" }.joined(separator: " ")
                let removal = runimg.command(["rmi", id]).map { "'\($0)'" }.joined(separator: " ")
                let output = try Tool.check(
                    "sh", ["-c", "\(line) | { head -c 1000; \(removal) >&2; cat; } | tar -tf - | wc -l"])
                #expect(output.lines == ["3001"], "\(output)")
                try runimg.check("image", "prune", "-f")
                #expect(try Directory.entries("\(runimg.dataRoot)/overlay2/l").isEmpty)
            }
        }
    }
}

/// The same without root, and without any namespace.
extension RootlessImageTests {
    @Test func filesOfAnImageWithoutAContainer() throws {
        try RootlessTests.isolated { runimg in
            try Self.looksAtFiles(runimg)
        }
    }

    @Test func filesOfAnImageWithoutNamespaces() throws {
        let user = try #require(OrdinaryUser.ranged)
        try Self.looksAtFiles(try Runimg(user: user, isImprisoned: true))
    }

    static func looksAtFiles(_ runimg: Runimg) throws {
        let path = runimg.scratch("layout")
        let first = "mkdir -p a gone; echo one > a/file; echo x > gone/file; ln -s a/file link"
        let second = "mkdir a; touch .wh.gone; echo two > a/new"
        try ImageForge.layout(path, tars: [try ImageForge.tar(first), try ImageForge.tar(second)])
        try Tool.check("chmod", ["-R", "a+rX", path])
        try runimg.check("pull", "-q", "oci:\(path):latest")
        let id = try #require(try runimg.check("images", "-q").lines.first)
        #expect(try runimg.check("image", "ls-files", id).lines == ["/a", "/a/file", "/a/new", "/link"])
        #expect(try runimg.check("image", "cat", id, "/link").stdout == "one\n")
        #expect(try runimg.check("image", "diff", id).lines == ["C /a", "A /a/new", "D /gone"])
        let tar = try runimg.check("cp", "\(id):/a", "-").stdoutBytes
        try runimg.scratch.file("a.tar", tar)
        #expect(try Tool.check("tar", ["-tf", runimg.scratch("a.tar")]).lines.sorted() == ["a/", "a/file", "a/new"])
    }
}
