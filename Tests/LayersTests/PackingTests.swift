import Glibc
import Layers
import OCI
import Sys
import TestSupport
import Testing

/// Trees written as tars: read back by ourselves, by GNU tar and by umoci.
@Suite(.enabled(if: Conditions.isRoot, "needs root"))
struct PackingTests {
    /// A directory with all that a file can be.
    static func fill(_ scratch: Scratch, _ name: String) throws {
        let root = try scratch.directory(name)
        try scratch.file("\(name)/plain", "text", mode: 0o640)
        try scratch.file("\(name)/empty", "")
        try scratch.file("\(name)/setuid", "#!", mode: 0o4755)
        try check { chown("\(root)/setuid", 3_000_000, 4_294_967_294) }
        try check { chmod("\(root)/setuid", 0o6755) }
        try Tool.check("setfattr", ["-n", "user.note", "-v", "0x00ff0a3d", "\(root)/plain"])
        try Tool.check(
            "setfattr",
            ["-n", "security.capability", "-v", "0x0100000200040000000000000000000000000000", "\(root)/setuid"])
        try scratch.directory("\(name)/directory/deeper", mode: 0o1777)
        try Tool.check("setfattr", ["-n", "user.directory", "-v", "yes", "\(root)/directory"])
        let long = String(repeating: "n", count: 200)
        try scratch.file("\(name)/\(long)/\(long)/\(long)", "long")
        try scratch.file(
            "\(name)/\(String(repeating: "d", count: 90))/\(String(repeating: "e", count: 90))", "prefixed")
        try check { symlink(long + long, "\(root)/\(long)/link") }
        try check { symlink("plain", "\(root)/link") }
        try check { lchown("\(root)/link", 12, 13) }
        try check { link("\(root)/plain", "\(root)/directory/hard") }
        try check { mkfifo("\(root)/fifo", 0o620) }
        let odd = try #require(PathBytes([0x61, 0xff, 0xfe, 0x0a]))
        let directory = try Directory.open(root)
        try File.makeNode(PathBytes("null"), mode: S_IFCHR | 0o666, major: 1, minor: 3, at: directory.raw)
        try File.makeNode(PathBytes("disk"), mode: S_IFBLK | 0o600, major: 259, minor: 1_048_575, at: directory.raw)
        let named = try File.open(odd, O_WRONLY | O_CREAT, mode: 0o600, at: directory.raw)
        try File.write(named.raw, "odd")
        let sparse = try File.open("\(root)/sparse", O_RDWR | O_CREAT, mode: 0o600)
        let descriptor = sparse.raw
        try check { pwrite(descriptor, "end", 3, 5 << 20) }
        try check { ftruncate(descriptor, 6 << 20) }
        try File.setTimes(descriptor, modified: FileTime(seconds: -2, nanoseconds: 500_000_000))
        for path in ["plain", "directory", "null"] {
            try File.setTimes(
                try #require(PathBytes(path.utf8)), at: directory.raw,
                modified: FileTime(seconds: 1_700_000_000, nanoseconds: 123_456_789))
        }
    }

    static func pack(
        _ scratch: Scratch, _ name: String, _ change: (inout PackingOptions) -> Void = { _ in }
    ) throws -> [UInt8] {
        var options = PackingOptions()
        change(&options)
        let tree = try Directory.open(scratch(name))
        let output = try File.open(scratch("packed.tar"), O_RDWR | O_CREAT | O_TRUNC, mode: 0o600)
        let summary = try TransferSource.contents(tree.raw).pack(to: output.raw, name: "the tar", options)
        let bytes = try File.readAll(scratch("packed.tar"))
        #expect(summary.bytes == Int64(bytes.count))
        return bytes
    }

    /// The root's own times are nobody's: no member describes it.
    private func differences(_ found: TreeListing, _ wanted: TreeListing) -> [String] {
        found.differences(from: wanted).filter { !$0.hasPrefix(".: ") }
    }

    @Test func aTreeComesBackAsItWas() throws {
        let bench = try Workbench()
        try PackingTests.fill(bench.scratch, "source")
        let tar = try PackingTests.pack(bench.scratch, "source")
        try bench.extract(tar, format: .directory)
        #expect(differences(try bench.listing(), try bench.listing("source")) == [])
        // Twice the same bytes.
        #expect(try PackingTests.pack(bench.scratch, "source") == tar)
    }

    @Test func gnuTarReadsIt() throws {
        let bench = try Workbench()
        try PackingTests.fill(bench.scratch, "source")
        _ = try PackingTests.pack(bench.scratch, "source")
        try bench.scratch.directory("unpacked")
        try Tool.check(
            "tar",
            [
                "--xattrs", "--xattrs-include=*", "--numeric-owner", "-xpf", bench.scratch("packed.tar"), "-C",
                bench.scratch("unpacked"),
            ])
        #expect(differences(try bench.listing("unpacked"), try bench.listing("source")) == [])
    }

    @Test(.enabled(if: Conditions.has("umoci"), "needs umoci")) func umociReadsIt() throws {
        let bench = try Workbench()
        try PackingTests.fill(bench.scratch, "source")
        let tar = try PackingTests.pack(bench.scratch, "source")
        let unpacked = try #require(try PeerTests.umoci(bench.scratch, [tar], .all))
        #expect(differences(unpacked, try bench.listing("source")) == [])
    }

    @Test func largeSizesHaveARecord() throws {
        let scratch = try Scratch()
        try scratch.file("source/large", "")
        try check { truncate(scratch("source/large"), 9 << 30) }
        let tree = try Directory.open(scratch("source"))
        signal(SIGPIPE, SIG_IGN)
        let pipe = try Sys.Pipe()
        let writer = try pipe.writer.duplicate().release()
        var reader: OwnedFD? = pipe.keepReader()
        let raw = reader?.raw ?? -1
        let child = try JoinableThread {
            defer { close(writer) }
            // Nobody reads on: EPIPE.
            _ = try? TransferSource.contents(tree.raw).pack(to: writer, name: "pipe", PackingOptions())
        }
        var head: [UInt8] = []
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1536, alignment: 16)
        defer { buffer.deallocate() }
        while head.count < 1536 { head += buffer[..<(try File.read(raw, into: buffer))] }
        let text = String(decoding: head, as: UTF8.self)
        #expect(text.contains("19 size=9663676416\n"))
        reader = nil
        child.join()
    }

    @Test func ownersCanBeReplaced() throws {
        let bench = try Workbench()
        try PackingTests.fill(bench.scratch, "source")
        let tar = try PackingTests.pack(bench.scratch, "source") { $0.owner = .replaced(user: 7, group: 8) }
        try bench.extract(tar, format: .directory)
        let listing = try bench.listing()
        #expect(listing.paths.allSatisfy { $0 == "." || (listing[$0]?.uid == 7 && listing[$0]?.gid == 8) })
        #expect(listing["setuid"]?.mode == 0o755)
        #expect(listing["setuid"]?.xattrs.isEmpty == true)
        #expect(listing["plain"]?.xattrs.keys.sorted() == ["user.note"])
    }

    @Test func oneItemIsPackedUnderAnyName() throws {
        let bench = try Workbench()
        try PackingTests.fill(bench.scratch, "source")
        for (item, name, expected) in [
            ("link", "new", ["new"]), ("plain", "new", ["new"]),
            ("directory", "new", ["new", "new/deeper", "new/hard"]), ("directory", ".", ["deeper", "hard"]),
        ] {
            let open = try File.open(bench.scratch("source/\(item)"), O_PATH | O_NOFOLLOW)
            let target = try bench.scratch.directory("target-\(item)-\(name)")
            let directory = try Directory.open(target)
            let summary = try TransferSource.item(open.raw, name: Array(name.utf8)).extract(
                into: directory.raw, format: .merge, PackingOptions(), limits: ExtractionLimits()
            ) { [] }
            #expect(summary.digest != nil)
            #expect(try TreeListing(target).paths.filter { $0 != "." } == expected)
        }
    }

    // MARK: Layers

    @Test(.enabled(if: Conditions.hasOverlay, "needs overlayfs")) func anUpperDirectoryBecomesALayer() throws {
        let bench = try Workbench()
        let scratch = bench.scratch
        try PackingTests.fill(scratch, "layer0")
        try scratch.directory("upper")
        try scratch.directory("work")
        try scratch.directory("point")
        let options = "lowerdir=\(scratch("layer0")),upperdir=\(scratch("upper")),workdir=\(scratch("work"))"
        try Tool.check(
            "mount", ["-t", "overlay", "overlay", "-o", options + ",redirect_dir=off,metacopy=off", scratch("point")])
        let script = """
            cd "$0"; rm plain; echo more >> setuid; rm -r directory; mkdir directory; echo new > directory/new
            mkdir fresh; echo a > fresh/a; ln fresh/a fresh/b; mv link moved; chmod 700 null; mknod fresh/p p
            setfattr -n user.later -v 1 fresh/a; rm -r n*; mkdir -p excluded/below; touch excluded/below/file
            """
        try Tool.check("sh", ["-c", script, scratch("point")])
        let wanted = try TreeListing(scratch("point")).without("excluded")
        try Tool.check("umount", ["-l", scratch("point")])
        let tar = try PackingTests.pack(scratch, "upper") {
            $0.marks = .layer
            $0.excluded = [PathBytes("excluded")]
        }
        try bench.extract(tar, into: "layer1", below: ["layer0"])
        let merged = try Overlay.listing(scratch, ["layer1", "layer0"])
        #expect(differences(merged, wanted) == [])
        // Whiteouts of the kernel's making may share one inode.
        let upper = try bench.listing("upper").without("excluded")
        let unlike = differences(try bench.listing("layer1"), upper)
        #expect(unlike.filter { !$0.contains("trusted.overlay") && !$0.contains("hard link to") } == [])
        // Another reader's opinion of the same two layers.
        let lower = try PackingTests.pack(scratch, "layer0")
        if let theirs = try PeerTests.umoci(scratch, [lower, tar], [.digests, .times, .xattrs]) {
            let ours = try Overlay.listing(scratch, ["layer1", "layer0"], [.digests, .times, .xattrs])
            #expect(differences(theirs, ours) == [])
        }
    }

    @Test func whatALayerCannotSayIsRefused() throws {
        let scratch = try Scratch()
        try scratch.file("marked/.wh.passwd", "")
        #expect { try PackingTests.pack(scratch, "marked") { $0.marks = .layer } } throws: {
            "\($0)".contains("another file is deleted")
        }
        #expect(try !PackingTests.pack(scratch, "marked").isEmpty)
        for attribute in ["trusted.overlay.redirect", "trusted.overlay.metacopy"] {
            let name = "upper-\(attribute)"
            try scratch.file("\(name)/file", "")
            try Tool.check("setfattr", ["-n", attribute, "-v", "/etc", scratch("\(name)/file")])
            #expect { try PackingTests.pack(scratch, name) { $0.marks = .layer } } throws: {
                "\($0)".contains(attribute)
            }
        }
    }

    // MARK: Merging

    @Test func aTarIsMergedIntoATree() throws {
        let bench = try Workbench()
        try bench.scratch.file("diff/kept", "kept")
        try bench.scratch.file("diff/replaced", "old", mode: 0o600)
        try bench.scratch.file("diff/directory/kept", "kept")
        try check { link(bench.scratch("diff/kept"), bench.scratch("diff/directory/hard")) }
        let tar = TarForge.make {
            $0.header(TarForge.Header("./", type: "5").with { $0.mode = 0o700 })
            $0.member(TarForge.Header("replaced"), Array("new".utf8))
            $0.header(TarForge.Header("directory/", type: "5").with { $0.mode = 0o711 })
            $0.member(TarForge.Header("directory/hard"), Array("other".utf8))
            $0.member(TarForge.Header("directory/.wh.kept"), [])
            $0.member(TarForge.Header(".wh..wh..opq"), [])
        }
        let before = try bench.listing("diff")["."]
        try bench.extract(tar, format: .merge)
        let after = try bench.listing()
        #expect(
            after.paths == [
                ".", ".wh..wh..opq", "directory", "directory/.wh.kept", "directory/hard", "directory/kept", "kept",
                "replaced",
            ])
        #expect(after["."]?.mode == before?.mode)
        #expect(after["directory"]?.mode == 0o711)
        #expect(try File.readAll(bench.scratch("diff/kept")) == Array("kept".utf8))
        #expect(try File.readAll(bench.scratch("diff/replaced")) == Array("new".utf8))
    }

    @Test(arguments: [true, false]) func directoriesAndFilesDoNotReplaceEachOther(isDirectory: Bool) throws {
        let bench = try Workbench()
        if isDirectory { try bench.scratch.file("diff/a", "") } else { try bench.scratch.file("diff/a/inside", "kept") }
        let tar = TarForge.make { $0.header(TarForge.Header("a", type: isDirectory ? "5" : "0")) }
        let before = try bench.listing()
        guard case .conflict(let text)? = bench.failure(tar, format: .merge) else {
            Issue.record("it was replaced")
            return
        }
        #expect(text.contains("cannot overwrite"))
        #expect(try bench.listing().withoutTimes == before.withoutTimes)
    }
}
