import Glibc
import Layers
import Sys
import TestSupport
import Testing

@Suite(.enabled(if: Conditions.isRoot, "owners and attributes need root"))
struct LowerLayerTests {
    @Test func directoriesWithoutEntryAreAsBelow() throws {
        let bench = try Workbench()
        try bench.extract(
            TarForge.make { tar in
                tar.directory("./") {
                    $0.mode = 0o711; $0.mtime = 11
                }
                tar.directory("tmp") {
                    $0.mode = 0o1777; $0.mtime = 22
                }
                tar.pax([
                    ("SCHILY.xattr.user.note", "n"), ("SCHILY.acl.default", "user::rwx,group::r-x,other::r-x"),
                ])
                tar.directory("tmp/in") {
                    $0.mode = 0o2770; $0.uid = 5; $0.gid = 6; $0.mtime = 33
                }
            }, into: "layer0")
        try bench.extract(TarForge.make { $0.file("other", "x") }, into: "layer1", below: ["layer0"])
        try bench.extract(
            TarForge.make { tar in
                tar.file("tmp/in/new/f", "x") { $0.mtime = 44 }
            }, below: ["layer1", "layer0"])
        let tree = try bench.listing()
        #expect(tree["."]?.mode == 0o711 && tree["."]?.seconds == 11)
        #expect(tree["tmp"]?.mode == 0o1777 && tree["tmp"]?.seconds == 22)
        let inner = try #require(tree["tmp/in"])
        #expect(inner.mode == 0o2770 && inner.uid == 5 && inner.gid == 6 && inner.seconds == 33)
        #expect(Set(inner.xattrs.keys) == ["user.note", "system.posix_acl_default"])
        let new = try #require(tree["tmp/in/new"])
        #expect(new.mode == 0o755 && new.uid == 0 && new.gid == 0 && new.seconds == 44 && new.xattrs == [:])
        #expect(tree["tmp/in/new/f"]?.gid == 0 && tree["tmp/in/new/f"]?.xattrs == [:])
    }

    /// Whiteouts and opaque directories of the layers between count.
    @Test func hiddenDirectoriesAreNotCopied() throws {
        let bench = try Workbench()
        try bench.extract(
            TarForge.make { tar in
                tar.directory("gone") { $0.mode = 0o700 }
                tar.directory("top") { $0.mode = 0o700 }
                tar.directory("top/hidden") { $0.mode = 0o700 }
                tar.file("top/file", "x")
                tar.directory("replaced") { $0.mode = 0o700 }
            }, into: "layer0")
        try bench.extract(
            TarForge.make { tar in
                tar.file(".wh.gone")
                tar.directory("top") { $0.mode = 0o711 }
                tar.file("top/.wh..wh..opq")
                tar.file("replaced", "a file now")
            }, into: "layer1", below: ["layer0"])
        try bench.extract(
            TarForge.make { tar in
                tar.file("gone/f", "x")
                tar.file("top/hidden/f", "x")
                tar.file("replaced/f", "x")
            }, below: ["layer1", "layer0"])
        let tree = try bench.listing()
        #expect(tree["gone"]?.mode == 0o755 && tree["top/hidden"]?.mode == 0o755 && tree["replaced"]?.mode == 0o755)
        #expect(tree["top"]?.mode == 0o711)
        let link = TarForge.make { $0.hardLink("h", to: "top/file") }
        #expect("\(try #require(try bench.refusal(link, below: ["layer1", "layer0"])))".contains("does not exist"))
    }

    @Test func hardLinksToLowerFilesCopyThemUp() throws {
        let bench = try Workbench()
        let capability: [UInt8] = [1, 0, 0, 2, 0, 0x20, 0, 0] + [UInt8](repeating: 0, count: 12)
        try bench.extract(
            TarForge.make { tar in
                tar.directory("bin") {
                    $0.mode = 0o751; $0.uid = 3
                }
                tar.pax([
                    ("SCHILY.xattr.security.capability", capability), ("SCHILY.xattr.user.u", Array("v".utf8)),
                    ("mtime", Array("1000.5".utf8)),
                ])
                tar.file("bin/tool", "contents") {
                    $0.mode = 0o4755; $0.uid = 9; $0.gid = 10
                }
                tar.symlink("bin/link", to: "tool")
                tar.header(
                    TarForge.Header("bin/dev", type: "3").with {
                        $0.major = 1; $0.minor = 5
                    })
                tar.symlink("sbin", to: "bin")
                tar.raw(SparseTars.all(size: 20 << 20).dropLast(1024))
            }, into: "layer0")
        try bench.extract(
            TarForge.make { tar in
                tar.hardLink("one", to: "bin/tool")
                tar.hardLink("two", to: "sbin/tool")
                tar.hardLink("bin/three", to: "one")
                tar.hardLink("l", to: "bin/link")
                tar.hardLink("d", to: "bin/dev")
                tar.hardLink("holes", to: "pax10")
            }, below: ["layer0"])
        let below = try bench.listing("layer0")
        let tree = try bench.listing()
        var wanted = try #require(below["bin/tool"])
        wanted.linkedTo = "bin/three"
        for name in ["bin/tool", "bin/three", "one", "two"] {
            var found = try #require(tree[name])
            found.blocks = wanted.blocks
            #expect(found == wanted, "\(name)")
        }
        #expect(tree["bin"]?.mode == 0o751 && tree["bin"]?.uid == 3 && tree["sbin"] == nil)
        #expect(tree["l"]?.kind == .symlink && tree["l"]?.linkedTo == "bin/link" && tree["l"]?.target == "tool")
        #expect(tree["d"]?.device == "1:5" && tree["d"]?.linkedTo == "bin/dev")
        #expect(tree["holes"]?.digest == below["pax10"]?.digest && (tree["holes"]?.blocks ?? 1000) < 100)
        try bench.expectCanaryUntouched()
    }

    /// A parent that is a link in a layer below is followed inside the layers, as it is when layers are unpacked onto
    /// one tree: a new directory would hide all that the link leads to.
    @Test func linksOfLowerLayersAreFollowed() throws {
        let bench = try Workbench()
        try bench.extract(
            TarForge.make { tar in
                tar.directory("usr/lib") { $0.mode = 0o775 }
                tar.file("usr/lib/old", "x")
                tar.symlink("lib", to: "usr/lib")
                tar.symlink("lib64", to: "/lib")
            }, into: "layer0")
        try bench.extract(
            TarForge.make { tar in
                tar.file("lib/a", "x")
                tar.file("lib64/b", "x")
                tar.file("lib64/.wh.old")
            }, below: ["layer0"])
        let tree = try bench.listing()
        #expect(tree.paths == [".", "usr", "usr/lib", "usr/lib/a", "usr/lib/b", "usr/lib/old"])
        #expect(tree["usr/lib"]?.mode == 0o775 && tree["usr/lib/old"]?.device == "0:0")
    }

    /// Layers are extracted in parallel: those below are asked for only when something of theirs is needed.
    @Test func lowerLayersAreAskedForLate() throws {
        let bench = try Workbench()
        let asked = Flag()
        let target = try Directory.open(bench.root)
        let tar = TarForge.make { tar in
            tar.directory("/")
            tar.directory("d")
            tar.file("d/f", "x")
        }
        var source = MemorySource(tar)
        var extractor = try LayerExtractor(
            into: target.raw, format: .overlay, compressedSize: 1000,
            lowers: { () throws(LayerError) in
                asked.set()
                return []
            })
        _ = try extractor.extract(&source)
        #expect(!asked.isSet)
    }

    @Test func failureOfLowerLayersIsTheLayers() throws {
        let bench = try Workbench()
        let target = try Directory.open(bench.root)
        var source = MemorySource(TarForge.make { $0.file("d/f", "x") })
        var extractor = try LayerExtractor(
            into: target.raw, format: .overlay, compressedSize: 1000,
            lowers: { () throws(LayerError) in throw .source("the layer below failed") })
        #expect(throws: LayerError.source("the layer below failed")) { try extractor.extract(&source) }
    }
}
