import Glibc
import Layers
import Sys
import TestSupport
import Testing

@Suite(.enabled(if: Conditions.isRoot, "owners and devices need root"))
struct ExtractionTests {
    @Test func keepsOwnerModeAndTimes() throws {
        let bench = try Workbench()
        try bench.extract(
            TarForge.make { tar in
                tar.directory("d/") {
                    $0.mode = 0o1777; $0.uid = 7; $0.gid = 8; $0.mtime = 1_000_000
                }
                tar.pax([("mtime", "1234567890.123456789")])
                tar.file("d/f", "hello") {
                    $0.mode = 0o640; $0.uid = 1000; $0.gid = 4_294_967_294
                }
                tar.file("suid", "x") {
                    $0.mode = 0o6755; $0.uid = 33
                }
                tar.file("old", "x") { $0.mtime = -86400 }
                tar.file("empty")
                tar.symlink("l", to: "nowhere/at all") {
                    $0.uid = 5; $0.mtime = 99
                }
            })
        let tree = try bench.listing()
        let directory = try #require(tree["d"])
        #expect(directory.mode == 0o1777 && directory.uid == 7 && directory.gid == 8)
        #expect(directory.seconds == 1_000_000)
        let file = try #require(tree["d/f"])
        #expect(file.mode == 0o640 && file.uid == 1000 && file.gid == 4_294_967_294 && file.size == 5)
        #expect(file.seconds == 1_234_567_890 && file.nanoseconds == 123_456_789)
        #expect(tree["suid"]?.mode == 0o6755 && tree["suid"]?.uid == 33)
        #expect(tree["old"]?.seconds == -86400)
        #expect(tree["empty"]?.size == 0)
        #expect(tree["l"]?.target == "nowhere/at all" && tree["l"]?.uid == 5 && tree["l"]?.seconds == 99)
        #expect(tree["."]?.mode == 0o755 && tree["."]?.uid == 0)
    }

    @Test func countsEntriesAndBytes() throws {
        let bench = try Workbench()
        let summary = try bench.extract(
            TarForge.make { tar in
                tar.file("a", "12345")
                tar.hardLink("b", to: "a")
                tar.directory("d")
                tar.file("d/.wh.x")
            })
        #expect(summary.entries == 4)
        #expect(summary.bytes == 5)
    }

    @Test("U7: capabilities, users' attributes and ACLs are kept, those of the image's host are not")
    func keepsExtendedAttributesAndACLs() throws {
        let bench = try Workbench()
        let capability: [UInt8] = [1, 0, 0, 2, 0, 0x20, 0, 0] + [UInt8](repeating: 0, count: 12)
        try bench.extract(
            TarForge.make { tar in
                tar.pax([
                    ("SCHILY.xattr.security.capability", capability),
                    ("SCHILY.xattr.user.note", Array("a=b\nc\0d".utf8)),
                    ("SCHILY.xattr.trusted.thing", Array("t".utf8)),
                    ("SCHILY.xattr.trusted.lov", Array("t".utf8)),
                    ("SCHILY.xattr.security.selinux", Array("system_u:object_r:shadow_t:s0\0".utf8)),
                    ("SCHILY.xattr.security.ima", [3, 1]),
                    ("SCHILY.xattr.security.evm", [3, 1]),
                    ("SCHILY.xattr.security.apparmor", Array("x".utf8)),
                    ("SCHILY.xattr.security.SMACK64", Array("_".utf8)),
                    ("SCHILY.xattr.system.nfs4_acl", Array("x".utf8)),
                    ("SCHILY.xattr.trusted.overlay.redirect", Array("/etc".utf8)),
                    ("SCHILY.xattr.user.overlay.opaque", Array("y".utf8)),
                    ("LIBARCHIVE.xattr.user.b%2564", Array("aGk=".utf8)),
                    ("LIBARCHIVE.xattr.user.note", Array("bm8=".utf8)),
                ])
                tar.file("ping", "x") {
                    $0.mode = 0o755; $0.uid = 12
                }
                tar.pax([
                    ("SCHILY.acl.access", "user::rwx,user:nobody:r-x:65534,group::r-x,mask::r-x,other::---"),
                    ("SCHILY.acl.default", "user::rwx\ngroup::r-x\nother::---"),
                    ("SCHILY.xattr.user.dir", "yes"),
                ])
                tar.directory("acl") { $0.mode = 0o750 }
                tar.file("acl/inside", "x") { $0.mode = 0o666 }
                tar.directory("acl/sub") { $0.mode = 0o777 }
                tar.pax([("SCHILY.xattr.trusted.on-link", "1"), ("SCHILY.xattr.user.no", "1")])
                tar.symlink("l", to: "ping")
            })
        let tree = try bench.listing()
        #expect(
            tree["ping"]?.xattrs == [
                "security.capability": capability, "user.note": Array("a=b\nc\0d".utf8),
                "user.b%64": Array("hi".utf8),
            ])
        let acl = try #require(tree["acl"])
        #expect(Set(acl.xattrs.keys) == ["system.posix_acl_access", "system.posix_acl_default", "user.dir"])
        #expect(acl.mode == 0o750)
        // Nothing is inherited from the default ACL of a directory.
        #expect(tree["acl/inside"]?.xattrs == [:] && tree["acl/inside"]?.mode == 0o666)
        #expect(tree["acl/sub"]?.xattrs == [:] && tree["acl/sub"]?.mode == 0o777)
        let shown = try Tool.check("getfacl", ["-cnp", bench.scratch("diff/acl")]).lines
        #expect(shown.contains("user:65534:r-x") && shown.contains("default:other::---"))
        let link = try #require(PathBytes(Array("l".utf8)))
        let root = try Directory.open(bench.root)
        #expect(try ExtendedAttributes.names(link, at: root.raw) == [])
        #expect(try Tool.check("getcap", [bench.scratch("diff/ping")]).stdout.contains("cap_net_raw=ep"))
    }

    @Test func makesLinksFifosAndDevices() throws {
        let bench = try Workbench()
        try bench.extract(
            TarForge.make { tar in
                tar.file("a", "x")
                tar.hardLink("b", to: "./a")
                tar.hardLink("c", to: "/b")
                tar.symlink("s", to: "/absolute/../else")
                tar.hardLink("t", to: "s")
                tar.header(TarForge.Header("fifo", type: "6").with { $0.mode = 0o622 })
                tar.header(
                    TarForge.Header("null", type: "3").with {
                        $0.mode = 0o666; $0.major = 1; $0.minor = 3
                    })
                tar.header(
                    TarForge.Header("sda", type: "4").with {
                        $0.major = 4095; $0.minor = 1_048_575
                    })
            })
        let tree = try bench.listing()
        #expect(["a", "b", "c"].map { tree[$0]?.linkedTo } == ["a", "a", "a"])
        #expect(tree["s"]?.target == "/absolute/../else" && tree["t"]?.linkedTo == "s")
        #expect(tree["fifo"]?.kind == .fifo && tree["fifo"]?.mode == 0o622)
        #expect(tree["null"]?.kind == .characterDevice && tree["null"]?.device == "1:3")
        #expect(tree["null"]?.mode == 0o666)
        #expect(tree["sda"]?.kind == .blockDevice && tree["sda"]?.device == "4095:1048575")
    }

    @Test func keepsLongAndForeignNames() throws {
        let bench = try Workbench()
        let component = String(repeating: "n", count: 200)
        let deep = Array(repeating: component, count: 4).joined(separator: "/")
        let target = String(repeating: "t/", count: 1500)
        try bench.extract(
            TarForge.make { tar in
                tar.pax([("path", deep + "/pax")])
                tar.file("short", "1")
                tar.long("L", deep + "/gnu")
                tar.file("short", "2")
                tar.long("K", target)
                tar.symlink("link", to: "short")
                tar.file("name", "3") { $0.prefix = Array(String(repeating: "p", count: 150).utf8) }
                tar.member(TarForge.Header([0x68, 0xe4, 0x0a, 0xff]), [1])
                tar.pax([("path", [0x70, 0xc3, 0x28] as [UInt8])])
                tar.file("short", "4")
                tar.file("sm\u{f6}rg\u{e5}s", "5")
            })
        let tree = try bench.listing()
        #expect(tree[deep + "/pax"]?.size == 1 && tree[deep + "/gnu"]?.size == 1)
        #expect(tree["link"]?.target == target)
        #expect(tree[String(repeating: "p", count: 150) + "/name"] != nil)
        let root = try Directory.open(bench.root)
        let names = try Directory.names(root.raw).map { Array($0.bytes) }
        #expect(names.contains([0x68, 0xe4, 0x0a, 0xff]) && names.contains([0x70, 0xc3, 0x28]))
        #expect(tree["sm\u{f6}rg\u{e5}s"] != nil)
    }

    @Test func keepsHoles() throws {
        let bench = try Workbench()
        let gigabytes: Int64 = 9 << 30
        try bench.extract(SparseTars.all(size: gigabytes))
        for name in ["gnu", "pax00", "pax01", "pax10"] {
            let status = try File.status(bench.scratch("diff/\(name)"))
            #expect(status.size == gigabytes, "\(name)")
            #expect(status.blocks < 100, "\(name)")
            let file = try File.open(bench.scratch("diff/\(name)"), O_RDONLY)
            var bytes = [UInt8](repeating: 9, count: 6)
            try check { pread(file.raw, &bytes, 6, 4095) }
            #expect(bytes == [0] + Array("first".utf8), "\(name)")
            try check { pread(file.raw, &bytes, 6, off_t(gigabytes) - 4) }
            #expect(bytes.prefix(4) == ArraySlice("last".utf8), "\(name)")
        }
    }

    @Test("U14: tars without members are layers") func acceptsTarsWithoutMembers() throws {
        for tar in [[], [UInt8](repeating: 0, count: 1024), [UInt8](repeating: 0, count: 10240)] as [[UInt8]] {
            let bench = try Workbench()
            #expect(try bench.extract(tar).entries == 0)
            #expect(try bench.listing().paths == ["."])
        }
    }

    @Test("U13: of two tars one after the other only the first is read") func readsOnlyTheFirstOfTwoTars() throws {
        let bench = try Workbench()
        let first = TarForge.make { $0.file("one", "1") }
        let second = TarForge.make { $0.file("two", "2") }
        #expect(try bench.extract(first + second).entries == 1)
        #expect(try bench.listing().paths == [".", "one"])
    }

    @Test("U2: later entries replace earlier ones, links as well") func laterEntriesReplaceEarlierOnes() throws {
        let bench = try Workbench()
        try bench.extract(
            TarForge.make { tar in
                tar.file("file-file", "old")
                tar.file("file-file", "new")
                tar.directory("dir-file")
                tar.file("dir-file/a/b", "x")
                tar.file("dir-file", "now a file")
                tar.file("file-dir", "x")
                tar.directory("file-dir")
                tar.symlink("link-file", to: "file-file")
                tar.file("link-file", "own")
                tar.directory("real")
                tar.symlink("link-dir", to: "real")
                tar.directory("link-dir")
                tar.file("link-dir/x", "x")
                tar.directory("dir-dir") { $0.mode = 0o700 }
                tar.file("dir-dir/kept", "x")
                tar.directory("dir-dir") {
                    $0.mode = 0o711; $0.mtime = 5
                }
                tar.directory("dir-link")
                tar.file("dir-link/gone", "x")
                tar.symlink("dir-link", to: "real")
                tar.file("dir-link/through", "x")
            })
        let tree = try bench.listing()
        #expect(tree["file-file"]?.size == 3 && tree["file-file"]?.linkedTo == nil)
        #expect(try String(decoding: File.readAll(bench.scratch("diff/file-file")), as: UTF8.self) == "new")
        #expect(tree["dir-file"]?.kind == .file && tree["file-dir"]?.kind == .directory)
        #expect(tree["link-file"]?.kind == .file && tree["link-dir/x"]?.kind == .file)
        #expect(tree["real/through"]?.kind == .file && tree["real/x"] == nil)
        #expect(tree["dir-dir"]?.mode == 0o711 && tree["dir-dir"]?.seconds == 5 && tree["dir-dir/kept"] != nil)
        #expect(tree["dir-link"]?.kind == .symlink)
    }
}

/// The four ways to write a sparse file: 5 bytes at 4096 and 4 at the end.
enum SparseTars {
    static func all(size: Int64) -> [UInt8] {
        let data = Array("firstlast".utf8)
        let last = size - 4
        return TarForge.make { tar in
            tar.header(
                TarForge.Header("gnu", type: "S").with { header in
                    header.format = .gnu
                    header.size = 9
                    header.patches = [(386, gnuMap([(4096, 5), (last, 4)])), (483, TarForge.number(size, 12))]
                })
            tar.data(data)
            tar.pax([
                ("GNU.sparse.size", "\(size)"), ("GNU.sparse.numblocks", "2"), ("GNU.sparse.offset", "4096"),
                ("GNU.sparse.numbytes", "5"), ("GNU.sparse.offset", "\(last)"), ("GNU.sparse.numbytes", "4"),
            ])
            tar.member(TarForge.Header("pax00"), data)
            tar.pax([
                ("GNU.sparse.size", "\(size)"), ("GNU.sparse.numblocks", "2"), ("GNU.sparse.name", "pax01"),
                ("GNU.sparse.map", "4096,5,\(last),4"),
            ])
            tar.member(TarForge.Header("GNUSparseFile.0/pax01"), data)
            tar.pax([
                ("GNU.sparse.major", "1"), ("GNU.sparse.minor", "0"), ("GNU.sparse.name", "pax10"),
                ("GNU.sparse.realsize", "\(size)"),
            ])
            let map = Array("2\n4096\n5\n\(last)\n4\n".utf8)
            let padded = map + [UInt8](repeating: 0, count: 512 - map.count)
            tar.member(TarForge.Header("GNUSparseFile.0/pax10"), padded + data)
        }
    }

    static func gnuMap(_ extents: [(Int64, Int64)]) -> [UInt8] {
        extents.flatMap { TarForge.number($0.0, 12) + TarForge.number($0.1, 12) }
    }
}
