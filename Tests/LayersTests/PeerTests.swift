import Glibc
import Layers
import OCI
import Sys
import TestSupport
import Testing

/// Trees compared with those that umoci makes of the same layers.
@Suite(.enabled(if: Conditions.isRoot && Conditions.has("umoci"), "needs root and umoci"))
struct PeerTests {
    /// Unpacks an image of these blobs with umoci; nil when it refuses.
    static func umoci(_ scratch: Scratch, _ layers: [[UInt8]], _ options: TreeListing.Options) throws -> TreeListing? {
        let layout = try OCILayout(scratch("layer-image"))
        let stored = try layers.map { try layout.layer(tar: $0, .none) }
        try layout.tag(try layout.image(stored), "test")
        return try umoci(scratch, image: "\(layout.path):test", options)
    }

    static func umoci(_ scratch: Scratch, image: String, _ options: TreeListing.Options) throws -> TreeListing? {
        let bundle = scratch("layer-bundle")
        let output = try Tool.run("umoci", ["unpack", "--image", image, bundle], timeout: 120)
        if output.status != 0 { return nil }
        return try TreeListing("\(bundle)/rootfs", options)
    }

    /// The same layers by us, each with the ones below it, as overlayfs merges them.
    static func merged(_ bench: Workbench, _ layers: [[UInt8]], _ options: TreeListing.Options) throws -> TreeListing {
        var below: [String] = []
        for (index, tar) in layers.enumerated() {
            try bench.extract(tar, into: "layer\(index)", below: below)
            below.insert("layer\(index)", at: 0)
        }
        return try Overlay.listing(bench.scratch, below, options)
    }

    /// Applied one after the other onto one directory.
    static func applied(_ bench: Workbench, _ layers: [[UInt8]], _ options: TreeListing.Options) throws -> TreeListing {
        for tar in layers { try bench.extract(tar, into: "layer-tree", format: .directory) }
        return try bench.listing("layer-tree", options)
    }

    private func compare(_ layers: [[UInt8]], _ wanted: TreeListing, _ options: TreeListing.Options) throws {
        let bench = try Workbench()
        let tree = try PeerTests.applied(bench, layers, options)
        // The root of umoci's tree has its own times when no layer describes it.
        #expect(tree.differences(from: wanted).filter { !$0.hasPrefix(".: mtime") } == [])
        if Conditions.hasOverlay {
            let merged = try PeerTests.merged(bench, layers, options)
            #expect(merged.differences(from: tree).filter { !$0.hasPrefix(".: mtime") } == [])
        }
    }

    @Test(.enabled(if: Conditions.hasSharedImages, "needs ../shared/images"), arguments: ["x86_64", "aarch64"])
    func alpineIsTheSame(_ machine: String) throws {
        let scratch = try Scratch()
        let tar = try SharedImages.alpineTar(machine)
        let wanted = try #require(try PeerTests.umoci(scratch, [tar], .all))
        try compare([tar], wanted, .all)
    }

    @Test(.enabled(if: Conditions.hasSharedImages, "needs ../shared/images"))
    func busyboxIsTheSame() throws {
        let scratch = try Scratch()
        // umoci takes what follows the first colon for the tag, and the image's has one inside.
        let layout = try scratch.directory("layout")
        try Tool.check("cp", ["-r", "\(SharedImages.busybox)/.", layout])
        let index = String(decoding: try File.readAll("\(layout)/index.json"), as: UTF8.self)
        let tagged = index.split(separator: "busybox:1.37.0-glibc", omittingEmptySubsequences: false)
        try Tool.check("rm", ["-f", "\(layout)/index.json"])
        try scratch.file("layout/index.json", tagged.joined(separator: "test"))
        let wanted = try #require(try PeerTests.umoci(scratch, image: "\(layout):test", .all))
        var layers: [[UInt8]] = []
        for blob in try Directory.entries("\(layout)/blobs/sha256").map(\.name) {
            let bytes = try File.readAll("\(layout)/blobs/sha256/\(blob)")
            if bytes.starts(with: [0x1f, 0x8b]) {
                layers.append(try Tool.check("gzip", ["-dc"], input: bytes).stdoutBytes)
            }
        }
        try #require(layers.count == 1)
        try compare(layers, wanted, .all)
    }

    /// What a setuid program and one with capabilities are in the end, whatever the order of owner, mode and attributes.
    @Test("U7: set-id bits and capabilities are those of the peer") func privilegesAreTheSame() throws {
        let capability: [UInt8] = [1, 0, 0, 2, 0, 0x20, 0, 0] + [UInt8](repeating: 0, count: 12)
        let tar = TarForge.make { tar in
            for (index, mode) in ([0o4755, 0o2755, 0o6755, 0o1755, 0o7777, 0o4000, 0o755] as [Int64]).enumerated() {
                for owner in [0, 1000] as [Int64] {
                    tar.pax([("SCHILY.xattr.security.capability", capability)])
                    tar.file("both\(index)-\(owner)", "x") {
                        $0.mode = mode; $0.uid = owner; $0.gid = owner
                    }
                    tar.file("bits\(index)-\(owner)", "x") {
                        $0.mode = mode; $0.uid = owner; $0.gid = owner
                    }
                    tar.directory("directory\(index)-\(owner)") {
                        $0.mode = mode; $0.uid = owner; $0.gid = owner
                    }
                }
            }
        }
        let scratch = try Scratch()
        let wanted = try #require(try PeerTests.umoci(scratch, [tar], .archive))
        let bench = try Workbench()
        try bench.extract(tar)
        #expect(try bench.listing("diff", .archive).without(".").differences(from: wanted.without(".")) == [])
        #expect(try bench.listing()["both2-1000"]?.mode == 0o6755)
        let shown = try Tool.check("getcap", ["-r", bench.root]).lines
        #expect(shown.count == 14 && shown.allSatisfy { $0.hasSuffix("cap_net_raw=ep") }, "\(shown)")
    }

    /// A root that is described: what it may be given, and what stays.
    @Test("U4: a directory as the root sets its attributes only", arguments: [".", "./", "/", "", "a/.."])
    func theRootIsTheSame(_ name: String) throws {
        let tar = TarForge.make { tar in
            tar.pax([("SCHILY.xattr.trusted.overlay.opaque", "y"), ("SCHILY.xattr.trusted.overlay.redirect", "/etc")])
            tar.directory(name) {
                $0.mode = 0o710; $0.mtime = 77; $0.uid = 3
            }
            tar.file("f", "x")
        }
        let bench = try Workbench()
        let before = try File.status(bench.root).inode
        try bench.extract(tar)
        let root = try #require(try bench.listing()["."])
        #expect(try File.status(bench.root).inode == before)
        #expect(root.kind == .directory && root.mode == 0o710 && root.uid == 3 && root.seconds == 77)
        #expect(root.xattrs == [:])
        try bench.expectCanaryUntouched()
    }

    /// Two layers with most of what layers do to each other.
    @Test func layersOnLayersAreTheSame() throws {
        let base = TarForge.make { tar in
            tar.directory("./") { $0.mode = 0o755 }
            tar.directory("etc") { $0.mtime = 1000 }
            tar.file("etc/passwd", "root")
            tar.file("etc/shadow", "x") {
                $0.mode = 0o640; $0.gid = 42
            }
            tar.directory("opt/app") { $0.mtime = 2000 }
            tar.file("opt/app/a", "a")
            tar.file("opt/app/b", "b")
            tar.directory("tmp") {
                $0.mode = 0o1777; $0.mtime = 3000
            }
            tar.directory("usr/lib") { $0.mode = 0o755 }
            tar.symlink("lib", to: "usr/lib")
            tar.pax([("SCHILY.xattr.user.k", "v"), ("mtime", "123.75")])
            tar.file("usr/lib/x", "library")
            tar.hardLink("usr/lib/y", to: "usr/lib/x")
            tar.directory("was-dir/below")
            tar.file("was-file", "x")
            tar.directory("usr") { $0.mtime = 4000 }
            tar.directory("opt") { $0.mtime = 5000 }
            tar.directory("was-dir") { $0.mtime = 5500 }
        }
        let upper = TarForge.make { tar in
            tar.directory("./") { $0.mode = 0o755 }
            tar.directory("etc") {
                $0.mode = 0o750; $0.mtime = 6000
            }
            tar.file("etc/.wh.shadow")
            tar.file("etc/passwd", "root and more") { $0.uid = 7 }
            tar.directory("opt") { $0.mtime = 6500 }
            tar.directory("opt/app") { $0.mtime = 7000 }
            tar.file("opt/app/.wh..wh..opq")
            tar.file("opt/app/c", "c")
            tar.directory("usr") { $0.mtime = 7500 }
            tar.directory("usr/lib") { $0.mtime = 8000 }
            tar.file("lib/z", "through the link")
            tar.hardLink("usr/lib/w", to: "usr/lib/x")
            tar.file("was-dir", "file")
            tar.directory("was-file") { $0.mtime = 9000 }
            tar.header(TarForge.Header("fifo", type: "6"))
            tar.header(
                TarForge.Header("dev", type: "3").with {
                    $0.major = 1; $0.minor = 7
                })
        }
        let scratch = try Scratch()
        let layers = [base, upper]
        let wanted = try #require(try PeerTests.umoci(scratch, layers, .archive))
        let bench = try Workbench()
        let tree = try PeerTests.applied(bench, layers, .archive)
        #expect(tree.differences(from: wanted) == [])
        if Conditions.hasOverlay {
            // A copied-up file has no more names than this layer gives it, as in overlayfs itself.
            let apart = try PeerTests.merged(bench, layers, .archive).differences(from: tree)
            #expect(apart.filter { !$0.hasPrefix("usr/lib/") || !$0.contains("hard link") } == [])
        }
    }
}
