internal import Glibc
internal import OCI
internal import Sys
internal import TestSupport
import Testing

extension EndToEnd {
    /// Pulls that are killed or fed bad input.
    @Suite(.enabled(if: Conditions.canPull, "needs docker-registry and skopeo")) struct FaultRuns {
        /// The trees of all layers, by chain ID.
        static func layers(_ runimg: Runimg) throws -> [String: TreeListing] {
            let layerdb = "\(runimg.dataRoot)/image/overlay2/layerdb/sha256"
            var result: [String: TreeListing] = [:]
            for chain in try Directory.entries(layerdb).map(\.name) {
                let cache = String(decoding: try File.readAll("\(layerdb)/\(chain)/cache-id"), as: UTF8.self)
                result[chain] = try TreeListing("\(runimg.dataRoot)/overlay2/\(cache)/diff", .archive)
            }
            return result
        }

        @Test(.timeLimit(.minutes(Wait.minutes(15)))) func killedAtFiftyRandomMoments() throws {
            let registry = try RealRegistry()
            let scratch = try Scratch()
            // Compressed bytes of a few megabytes in many files, so that a pull takes long enough to be hit everywhere.
            let layout = try OCILayout(scratch("layout"))
            var tars: [[UInt8]] = []
            for layer in 0..<3 {
                tars.append(
                    try ImageForge.tar(
                        """
                        for i in $(seq 1 60); do mkdir -p d$i; head -c 20000 /dev/urandom > d$i/f\(layer); \
                        ln d$i/f\(layer) d$i/hard; ln -s f\(layer) d$i/soft; done
                        chmod 4755 d1/f\(layer); chown 1000:50 d2/f\(layer); setfattr -n user.x -v \(layer) d3/f\(layer)
                        """))
            }
            try layout.tag(try ImageForge.onFixture(layout, tars: tars), "latest")
            try registry.push("oci:\(layout.path):latest", as: "library/victim:latest")

            let peaceful = try Runimg(mirror: registry)
            let start = Wait.now
            try peaceful.check("pull", "-q", "victim")
            let duration = Wait.now - start
            let expected = try Self.layers(peaceful)
            #expect(expected.count == 4)

            let runimg = try Runimg(mirror: registry)
            var generator = SystemRandomNumberGenerator()
            var killed = 0
            for _ in 0..<50 {
                var child = try runimg.start("pull", "victim")
                Wait.sleep(Double.random(in: 0...duration, using: &generator))
                if case .signaled(SIGKILL) = try child.kill() { killed += 1 }
                let listed = try runimg("images", "--format", "{{.Repository}}")
                #expect(listed.status == 0, "\(listed)")
                // Either nothing is there yet, or the image whole.
                if listed.stdout.contains("victim") {
                    #expect(
                        try runimg("run", "--rm", "--pull", "never", "victim", "test", "-f", "/d60/f2").status == 0)
                    try runimg.check("rmi", "victim")
                }
            }
            #expect(killed > 20)
            try runimg.check("pull", "-q", "victim")
            let found = try Self.layers(runimg)
            #expect(Set(found.keys) == Set(expected.keys))
            for (chain, tree) in expected {
                for line in (found[chain] ?? tree).differences(from: tree) {
                    Issue.record("\(chain.prefix(12)): \(line)")
                }
            }
            // Staging is empty once a pull has gone through.
            #expect(try TreeListing("\(runimg.dataRoot)/tmp").paths.filter { ![".", "blobs"].contains($0) } == [])
        }

        @Test(.enabled(if: Conditions.has("strace"), "needs strace")) func everyRenameStandsBetweenTwoSyncs() throws {
            let runimg = try Runimg()
            try Tool.check(
                "strace",
                [
                    "-f", "-e", "trace=fsync,syncfs,renameat2,rename,renameat", "-o", runimg.scratch("trace"),
                    Runimg.path,
                    "--data-root", runimg.dataRoot, "pull", "-q", "oci:\(Fixtures.layout("layers")):gzip",
                ])
            let lines = String(decoding: try File.readAll(runimg.scratch("trace")), as: UTF8.self).split(
                separator: "\n")
            var renames = 0
            for (_, calls) in Dictionary(grouping: lines, by: { $0.prefix { $0 != " " } }) {
                // A call during which another thread was seen has a second line.
                let calls = calls.filter {
                    ($0.contains("sync") || $0.contains("rename")) && !$0.contains(" resumed>")
                }
                for (index, call) in calls.enumerated() where call.contains("rename") {
                    renames += 1
                    #expect(index > 0 && calls[index - 1].contains("sync"), "\(call)")
                    #expect(index + 1 < calls.count && calls[index + 1].contains("sync"), "\(call)")
                }
            }
            #expect(renames >= 8)
        }

        /// A registry that holds one image whose blob in the storage is then damaged.
        @Test(arguments: ["flipped", "short", "long", "empty"]) func aDamagedBlobIsRefused(_ damage: String) throws {
            let registry = try RealRegistry()
            try registry.push("oci:\(Fixtures.layout("busybox")):latest", as: "library/fixture:latest")
            let runimg = try Runimg(mirror: registry)
            try runimg.check("pull", "-q", "oci:\(Fixtures.layout("deep")):latest")
            let manifest = try OCILayout.decode(
                Manifest.self,
                Tool.check(
                    "skopeo", ["inspect", "--raw", "--tls-verify=false", "docker://\(registry.host)/library/fixture"]
                )
                .stdoutBytes)
            // The deep image shares the layer: damage what is not there yet, the config.
            let blob = registry.blobFile(manifest.config.digest)
            var bytes = try File.readAll(blob)
            switch damage {
            case "flipped": bytes[bytes.count / 2] ^= 1
            case "short": bytes.removeLast(7)
            case "long": bytes.append(contentsOf: [32, 32])
            default: bytes = []
            }
            try File.replace(blob, with: bytes, mode: 0o644)
            let before = try TreeListing(runimg.dataRoot, .contents)
            let output = try runimg("pull", "fixture")
            #expect(output.status == 1 && output.stderr.split(separator: "\n").count <= 3, "\(output)")
            let after = try TreeListing(runimg.dataRoot, .contents)
            // What was fetched of a blob may stay for the next try; nothing else may.
            #expect(after.without("tmp").differences(from: before.without("tmp")) == [])
            #expect(try runimg("run", "--rm", "--pull", "never", "fixture", "true").status == 125)
        }

        @Test func hostileLayersChangeNothing() throws {
            let canary = try Canary()
            let runimg = try Runimg()
            try runimg.check("run", "--rm", "-q", "oci:\(Fixtures.layout("busybox")):latest", "true")
            let before = try TreeListing(runimg.dataRoot, .contents)
            let scratch = try Scratch()
            let layout = try OCILayout(scratch("layout"))
            let depth = String(repeating: "../", count: 64)
            for (number, script) in [
                "../escape", "a/../../escape", "/../escape", depth + canary.path.dropFirst() + "/new",
            ].enumerated() {
                let tar = try Tool.check(
                    "tar",
                    ["--format=pax", "-P", "-cf", "-", "--transform", "s,^.*$,\(script),", "-C", canary.path, "file"]
                ).stdoutBytes
                try layout.tag(try ImageForge.onFixture(layout, tars: [tar]), "t\(number)")
                let output = try runimg("run", "--rm", "-q", "oci:\(layout.path):t\(number)", "true")
                #expect(output.status == 125 && output.stderr.contains("leaves the layer"), "\(output)")
                #expect(try TreeListing(runimg.dataRoot, .contents).differences(from: before) == [], "\(script)")
            }
            #expect(try canary.changes() == [])
        }
    }
}
