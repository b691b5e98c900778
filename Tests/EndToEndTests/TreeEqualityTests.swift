internal import Glibc
internal import OCI
internal import Sys
internal import TestSupport
import Testing

extension EndToEnd {
    /// The trees that we extract, against those that umoci makes of the same images.
    @Suite(.enabled(if: Conditions.has("umoci", "unshare"), "needs umoci")) struct TreeEquality {
        /// The one image's merged tree in the store: its layers mounted one over the other by the kernel, listed, and
        /// unmounted.
        static func merged(_ runimg: Runimg, _ scratch: Scratch) throws -> TreeListing {
            // Layers from the top down, by following parents of the chain IDs.
            let root = runimg.dataRoot
            let layerdb = "\(root)/image/overlay2/layerdb/sha256"
            func text(_ path: String) throws -> String {
                String(decoding: try File.readAll(path), as: UTF8.self).split(separator: "\n").joined()
            }
            let chains = try Directory.entries(layerdb).map(\.name)
            let parents = chains.compactMap {
                try? text("\(layerdb)/\($0)/parent").split(separator: ":").last.map(String.init)
            }
            let top = try #require(Set(chains).subtracting(parents).first)
            var layers: [String] = []
            var next: String? = top
            while let chain = next {
                let directory = try text("\(layerdb)/\(chain)/cache-id")
                layers.append("l/" + (try text("\(root)/overlay2/\(directory)/link")))
                next = try? text("\(layerdb)/\(chain)/parent").split(separator: ":").last.map(String.init)
            }
            let point = try scratch.directory("merged")
            let empty = try scratch.directory("empty")
            // Short relative names, because 130 full paths do not fit in a page.
            try Tool.check(
                "mount",
                ["-t", "overlay", "overlay", "-o", "ro,lowerdir=\((layers + [empty]).joined(separator: ":"))", point],
                directory: "\(root)/overlay2")
            defer { _ = try? Tool.run("umount", ["-l", point]) }
            return try TreeListing(point, .archive)
        }

        static func compare(_ layout: String, _ tag: String, umociTag: String? = nil) throws -> [String] {
            let runimg = try Runimg()
            let scratch = try Scratch()
            try runimg.check("pull", "-q", "oci:\(layout):\(tag)", timeout: 120)
            try Tool.check(
                "umoci", ["--log=error", "unpack", "--image", "\(layout):\(umociTag ?? tag)", scratch("bundle")],
                timeout: 120)
            // `trusted.*` is the host's own; umoci sets what a tar has of it, containerd and we do not.
            let trusted = scratch("bundle/rootfs/xattr/trusted")
            if File.exists(trusted) { try Tool.check("setfattr", ["-x", "trusted.secret", trusted]) }
            let ours = try merged(runimg, scratch)
            let theirs = try TreeListing(scratch("bundle/rootfs"), .archive)
            #expect(ours.paths.count > 20)
            // The root itself is in no layer of the fixtures; every tool gives it other times.
            return ours.without(".").differences(from: theirs.without("."))
        }

        @Test(arguments: ["gzip", "zstd", "none"]) func everyKindOfEntry(_ compression: String) throws {
            // umoci reads no zstd; the layers are the same ones.
            #expect(try Self.compare(Fixtures.layout("layers"), compression, umociTag: "gzip") == [])
        }

        @Test func manyLayers() throws {
            #expect(try Self.compare(Fixtures.layout("deep"), "latest") == [])
        }

        @Test(.enabled(if: Conditions.hasSharedImages, "needs ../shared/images")) func theRealAlpine() throws {
            let scratch = try Scratch()
            let layout = try OCILayout(scratch("alpine"))
            let tar = try SharedImages.alpineTar("x86_64")
            try layout.tag(try layout.image([try layout.layer(tar: tar)]), "latest")
            #expect(try Self.compare(layout.path, "latest") == [])
        }

        @Test(.enabled(if: Conditions.hasSharedImages, "needs ../shared/images")) func theRealBusybox() throws {
            let scratch = try Scratch()
            try Tool.check(
                "skopeo",
                ["--insecure-policy", "copy", "-q", "oci:\(SharedImages.busybox)", "oci:\(scratch("busybox")):latest"])
            #expect(try Self.compare(scratch("busybox"), "latest") == [])
        }

        @Test func sparseFilesStaySparse() throws {
            let runimg = try Runimg()
            let scratch = try Scratch()
            try runimg.check("pull", "-q", "oci:\(Fixtures.layout("layers")):sparse")
            let tree = try Self.merged(runimg, scratch)
            for name in ["old", "new"] {
                let entry = try #require(tree[name])
                #expect(entry.size == 8 << 20 && entry.blocks < 200)
            }
            #expect(tree["old"]?.digest == tree["new"]?.digest)
        }

        @Test func theContainerSeesTheMergedTree() throws {
            let runimg = try Runimg()
            let script = """
                set -e; cat /comes-back /again /becomes-file /becomes-directory/inside /gone-directory/z /top
                ls /opaque /opaque/sub /gone-directory /hard | tr '\\n' ' '; test ! -e /gone
                stat -c '%h %i' /hard/from-above > /tmp/a; stat -c '%h %i' /hard/lower > /tmp/b; cmp /tmp/a /tmp/b
                """
            let output = try runimg("run", "--rm", "-q", "oci:\(Fixtures.layout("layers")):zstd", "sh", "-c", script)
            #expect(output.status == 0, "\(output)")
            #expect(output.stdout.hasPrefix("upper\nsecond of two\nnow a file\nupper\nupper\ntop\n"))
            #expect(
                output.stdout.hasSuffix(
                    "/hard: far from-above its-twin lower two with-xattr  /opaque: sub  /opaque/sub: d "))
            #expect(output.stdout.contains("/gone-directory: z  "))
        }

        @Test func aContainerOnManyLayersRuns() throws {
            let runimg = try Runimg()
            let output = try runimg(
                "run", "--rm", "-q", "oci:\(Fixtures.layout("deep")):latest", "sh", "-c", "cat /top; ls /layers | wc -l"
            )
            #expect(output.stdout == "129\n129\n", "\(output)")
        }
    }
}
