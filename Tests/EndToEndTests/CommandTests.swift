internal import OCI
internal import Sys
internal import TestSupport
import Testing

extension EndToEnd {
    /// `images`, `rmi`, `version`, `info`, `help`, and what stands before a command.
    @Suite struct Commands {
        @Test func imagesAreListedAndRemoved() throws {
            let runimg = try Runimg()
            #expect(try runimg("images").stdout.split(separator: "\n").count == 1)
            let heading = try #require(try runimg("images").lines.first)
            #expect(heading.split { $0 == " " } == ["REPOSITORY", "TAG", "IMAGE", "ID", "CREATED", "SIZE"])
            try runimg.check("pull", "-q", "oci:\(Fixtures.layout("busybox")):latest")
            try runimg.check("pull", "-q", "oci:\(Fixtures.layout("deep")):latest")
            let ids = try runimg("images", "-q", "--no-trunc").lines
            #expect(ids.count == 2 && ids.allSatisfy { $0.hasPrefix("sha256:") && $0.count == 71 })
            #expect(try runimg("images", "-q").lines.allSatisfy { $0.count == 12 })
            // The two share the base layer: removing one keeps it.
            let first = try runimg("rmi", ids[0])
            #expect(first.status == 0 && first.stdout.contains("Deleted: \(ids[0])"), "\(first)")
            #expect(try runimg("run", "--rm", ids[1], "true").status == 0)
            #expect(try runimg("rmi", ids[1]).status == 0)
            #expect(try runimg("images", "-q").stdout.isEmpty)
            #expect(try Directory.entries("\(runimg.dataRoot)/overlay2").filter { $0.name != "l" }.isEmpty)
            #expect(((try? Directory.entries("\(runimg.dataRoot)/overlay2/l")) ?? []).isEmpty)
            #expect(((try? Directory.entries("\(runimg.dataRoot)/image/overlay2/layerdb/sha256")) ?? []).isEmpty)
            let none = try runimg("rmi", "no-such-image")
            #expect(none.status == 1 && none.stderr.contains("No such image: no-such-image"), "\(none)")
        }

        /// The standard library finds the arguments by way of a file, and none without it: a removal became a help text.
        @Test(
            "F7: a command where no file can be opened is still that command",
            .enabled(if: SyscallFaults.isPossible, "needs strace"))
        func argumentsNeedNoFile() throws {
            let runimg = try Runimg()
            // Behind the dynamic loader, which a static executable does without.
            let start = [
                "strace", "-f", "-qq", "-o", "/dev/null", "-P", "/proc/self/maps", "-e", "inject=openat:error=EMFILE",
            ]
            let output = try runimg.run(["rmi", "no-such-image"], under: start)
            #expect(output.status == 1 && output.stderr.contains("No such image"), "\(output)")
        }

        @Test func theImageIDIsDockers() throws {
            // docker's ID is the digest of the config's bytes.
            let runimg = try Runimg()
            try runimg.check("pull", "-q", "oci:\(Fixtures.layout("busybox")):latest")
            let id = try #require(try runimg("images", "-q", "--no-trunc").lines.first)
            let config = "\(runimg.dataRoot)/image/overlay2/imagedb/content/sha256/\(id.dropFirst(7))"
            #expect(Digest.of(try File.readAll(config)).description == id)
        }

        @Test func anImageInUseIsNotRemoved() throws {
            let runimg = try Runimg()
            let image = "oci:\(Fixtures.layout("busybox")):latest"
            var child = try runimg.start("run", "--rm", "-q", image, "sh", "-c", "echo up; sleep 1000")
            #expect(Wait.until(seconds: 20) { runimg.startedOutput.contains("up") })
            let id = try #require(try runimg("images", "-q").lines.first)
            let refused = try runimg("rmi", id)
            #expect(refused.status == 1 && refused.stderr.contains("container"), "\(refused)")
            #expect(try runimg("run", "--rm", id, "true").status == 0)
            try runimg.end(&child)
            let removed = try runimg("rmi", "-f", id)
            #expect(removed.status == 0, "\(removed)")
        }

        @Test func localSourcesGiveTheSameImage() throws {
            let scratch = try Scratch()
            let source = "oci:\(Fixtures.layout("layers")):gzip"
            for kind in ["oci-archive", "docker-archive"] {
                try Tool.check(
                    "skopeo", ["--insecure-policy", "copy", "-q", source, "\(kind):\(scratch(kind)):name/of:it"])
            }
            var trees: [[String: TreeListing]] = []
            for name in [
                source, "oci-archive:\(scratch("oci-archive"))", "docker-archive:\(scratch("docker-archive"))",
            ] {
                let runimg = try Runimg()
                let output = try runimg("run", "--rm", "-q", name, "cat", "/top")
                #expect(output.status == 0 && output.stdout == "top\n", "\(output)")
                trees.append(try FaultRuns.layers(runimg))
            }
            #expect(trees[0] == trees[1] && trees[0] == trees[2])
        }

        @Test func versionAndInfoHaveDockersKeys() throws {
            let runimg = try Runimg()
            let version = try runimg("version")
            #expect(
                version.status == 0 && version.stdout.contains("Version:") && version.stdout.contains("API version:"))
            let info = try runimg("info")
            #expect(
                try runimg("info", "-f", "{{.LoggingDriver}} {{.Plugins.Log}}").stdout
                    == "json-file [json-file local none]\n")
            #expect(info.status == 0, "\(info)")
            for key in [
                "Containers:", "Running:", "Images:", "Server Version:", "Storage Driver: overlay2",
                "Backing Filesystem:", "Cgroup Driver: cgroupfs", "Cgroup Version:", "Kernel Version:",
                "Operating System:",
                "OSType: linux", "Architecture:", "CPUs:", "Total Memory:", "Docker Root Dir: \(runimg.dataRoot)",
                "Insecure Registries:", "127.0.0.0/8", "Security Options:", "Live Restore Enabled:",
            ] {
                #expect(info.stdout.contains(key), "\(key)")
            }
        }

        @Test(arguments: [
            ["help"], ["--help"], ["run", "--help"], ["help", "run"], ["pull", "--help"], ["images", "--help"],
        ])
        func helpIsHelp(_ arguments: [String]) throws {
            let output = try Runimg().run(arguments)
            #expect(output.status == 0 && output.stdout.contains("Usage:") && output.stderr.isEmpty, "\(output)")
        }

        @Test func anUnknownCommandIsAnError() throws {
            let output = try Runimg()("no-such-command")
            #expect(output.status == 1 && output.stderr.contains("no-such-command"), "\(output)")
        }

        @Test func aBadConfigurationIsPointedAt() throws {
            let runimg = try Runimg(configuration: "{\n  “registry-mirrors”: []\n}\n")
            let output = try runimg("info")
            #expect(output.status != 0 && output.stderr.contains(runimg.configFile), "\(output)")
            #expect(output.stderr.contains("quot"), "\(output)")
        }

        @Test func helpCommandNeedsNoRoot() throws {
            guard Conditions.isRoot else { return }
            let scratch = try Scratch(below: "/tmp")
            let output = try Tool.run(
                "setpriv", ["--reuid", "65534", "--regid", "65534", "--clear-groups", Runimg.path, "version"],
                environment: ["HOME": scratch.path])
            #expect(output.status == 0, "\(output)")
            let run = try Tool.run(
                "setpriv", ["--reuid", "65534", "--regid", "65534", "--clear-groups", Runimg.path, "run", "x"],
                environment: ["HOME": scratch.path])
            #expect(run.status == 125 && run.stderr.contains("set HOME to a directory of yours"), "\(run)")
        }

        @Test(arguments: [
            "--blkio-weight-device", "--cgroup-parent", "--gpus", "--link", "--oom-score-adj", "--storage-opt",
            "--umask",
        ])
        func aFlagOfTheFutureIsNotIgnored(_ flag: String) throws {
            let output = try Runimg()("run", "\(flag)=x", "image")
            #expect(output.status == 125 && output.stderr.contains("not supported yet"), "\(output)")
        }
    }
}
