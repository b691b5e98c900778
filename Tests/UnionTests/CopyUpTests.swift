import Glibc
import Sys
import TestSupport
import Testing
import Union

/// What a copy-up copies, and what it leaves alone.
struct CopyUpTests {
    static let marks: OverlayMarks = Conditions.isRoot ? .trusted : .user

    private func tree(_ scratch: Scratch, durable: Bool = true) throws -> UnionTree {
        for name in ["low", "up", "work"] { try scratch.directory(name) }
        let low = try Directory.open(scratch("low"))
        let up = try Directory.open(scratch("up"))
        let work = try Directory.open(scratch("work"))
        return try UnionTree(
            lowers: [low.raw], upper: up.raw, work: work.raw, marks: CopyUpTests.marks, durable: durable)
    }

    @Test("a sparse file of 1 GB is copied up by its data alone") func sparseFile() throws {
        let scratch = try Scratch()
        let tree = try tree(scratch)
        let lower = try File.open(scratch.file("low/big", ""), O_WRONLY)
        for offset: Int64 in [4096, 700 << 20] {
            try check { lseek(lower.raw, off_t(offset), SEEK_SET) }
            try File.write(lower.raw, [UInt8](repeating: 7, count: 5000))
        }
        try File.truncate(lower.raw, to: 1 << 30)
        let file = try tree.open(PathBytes("big"), O_RDWR, in: tree.root)
        let copied = try File.status(file.raw)
        #expect(copied.size == 1 << 30)
        #expect(copied.blocks <= 64)
        #expect(try File.bytes(file.raw, at: 700 << 20, count: 5000) == [UInt8](repeating: 7, count: 5000))
        #expect(try File.bytes(file.raw, at: 600 << 20, count: 1) == [0])
        #expect(File.exists(scratch("up/big")))
    }

    private static let canShare: Bool = {
        let kinds = String(decoding: (try? File.readAll("/proc/filesystems", limit: 1 << 16)) ?? [], as: UTF8.self)
        return Conditions.isRoot && Conditions.has("mkfs.xfs", "mount", "umount") && kinds.contains("\txfs\n")
    }()

    @Test(
        "a copy shares its blocks with the layer where the file system can",
        .enabled(if: canShare, "needs root, mkfs.xfs and a kernel with XFS"))
    func sharedBlocks() throws {
        let scratch = try Scratch()
        let image = try scratch.file("disk", "")
        try Tool.check("truncate", ["-s", "512M", image])
        try Tool.check("mkfs.xfs", ["-q", "-m", "reflink=1", image])
        let disk = try scratch.directory("mounted")
        try Tool.check("mount", ["-o", "loop", image, disk])
        defer { _ = try? Tool.run("umount", ["-l", disk]) }
        let bytes = (0..<(24 << 20)).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
        let before: UInt64
        do {
            for name in ["low", "up", "work", "plain"] { try scratch.directory("mounted/\(name)") }
            let low = try Directory.open("\(disk)/low")
            let up = try Directory.open("\(disk)/up")
            let work = try Directory.open("\(disk)/work")
            let plain = try Directory.open("\(disk)/plain")
            try File.replace("big", in: low.raw, with: bytes)
            try File.syncFileSystem(low.raw)
            before = try free(disk)
            let tree = try UnionTree(lowers: [low.raw], upper: up.raw, work: work.raw, marks: Self.marks)
            _ = try tree.open(PathBytes("big"), O_RDWR, in: tree.root)
            _ = try tree.materialise(into: plain.raw)
            try File.syncFileSystem(low.raw)
        }
        #expect(try File.readAll("\(disk)/up/big") == bytes)
        #expect(try File.readAll("\(disk)/plain/big") == bytes)
        // Each of the two copies would take 24 MiB.
        #expect(before < (try free(disk)) + (4 << 20))
    }

    private func free(_ path: String) throws -> UInt64 {
        var status = statvfs()
        try check { statvfs(path, &status) }
        return UInt64(status.f_bfree) * UInt64(status.f_frsize)
    }

    @Test("a layer's file is the same after all that changes the union's") func lowerUntouched() throws {
        let scratch = try Scratch()
        let tree = try tree(scratch)
        try scratch.file("low/d/file", "old", mode: 0o640)
        let before = try TreeListing(scratch("low"))
        let directory = try tree.directory(PathBytes("d"))
        let name = PathBytes("file")
        let reader = try tree.open(name, O_RDONLY, in: directory)
        let writer = try tree.open(name, O_WRONLY | O_TRUNC, in: directory)
        try File.write(writer.raw, "new contents")
        try tree.setMode(name, in: directory, 0o600)
        try tree.setTimes(name, in: directory, accessed: .now, modified: .now)
        try tree.link(name, in: directory, to: PathBytes("other"), in: tree.root)
        try tree.rename(name, in: directory, to: PathBytes("moved"), in: tree.root)
        try tree.removeDirectory(PathBytes("d"), in: tree.root)
        #expect(try TreeListing(scratch("low")).differences(from: before) == [])
        #expect(try File.readAll(reader.raw, limit: 100) == Array("old".utf8))
        #expect(try File.readAll(scratch("up/moved")) == Array("new contents".utf8))
        #expect(try File.status(scratch("up/d")).isWhiteout)
    }

    @Test("links of a layer are not followed, wherever they lead") func linksStayInside() throws {
        let scratch = try Scratch()
        let tree = try tree(scratch)
        try scratch.file("canary/file", "canary", mode: 0o600)
        let before = try TreeListing(scratch("canary"))
        try check { symlink(scratch("canary"), scratch("low/out")) }
        try check { symlink(scratch("canary/file"), scratch("low/file")) }
        let link = PathBytes("file")
        #expect(throws: Errno.loop) { try tree.directory(PathBytes("out")) }
        #expect(throws: Errno.loop) { try tree.directory(PathBytes("out/x")) }
        for flags in [O_RDONLY, O_WRONLY | O_TRUNC, O_RDWR | O_CREAT] {
            #expect(throws: Errno.loop) { _ = try tree.open(link, flags, mode: 0o644, in: tree.root) }
        }
        #expect(throws: Errno.notSupported) { try tree.setMode(link, in: tree.root, 0o777) }
        #expect(throws: Errno.invalid) { try tree.truncate(link, in: tree.root, to: 0) }
        try tree.setTimes(link, in: tree.root, accessed: .now, modified: .now)
        try tree.setOwner(link, in: tree.root, user: UInt32.max, group: UInt32.max)
        for name in ["..", ".", "", "a/b", "../canary/file"] {
            let bytes = try #require(PathBytes(Array(name.utf8)))
            #expect(throws: Errno.invalid) { try tree.status(bytes, in: tree.root) }
            #expect(throws: Errno.invalid) { try tree.unlink(bytes, in: tree.root) }
        }
        #expect(try TreeListing(scratch("canary")).differences(from: before) == [])
        #expect(try File.readLink(scratch("up/file")) == scratch("canary/file"))
    }

    @Test("one tree at a time uses an upper directory, and finds the work directory empty") func oneAtATime() throws {
        let scratch = try Scratch()
        try scratch.file("work/work/#1/whiteout", "left by a kill")
        try check { chmod(scratch("work/work/#1"), 0) }
        do {
            let tree = try tree(scratch)
            #expect(throws: Errno.busy) { _ = try self.tree(scratch) }
            #expect(try Directory.entries(scratch("work/work")).isEmpty)
            _ = consume tree
        }
        _ = try tree(scratch)
    }

    @Test(
        "an upper directory on another file system than its work directory is refused",
        .enabled(if: File.exists("/dev/shm"), "needs a second file system"))
    func twoFileSystems() throws {
        let (scratch, other) = (try Scratch(), try Scratch(below: "/dev/shm"))
        let up = try Directory.open(scratch.path)
        let work = try Directory.open(other.path)
        #expect(throws: Errno.crossDevice) {
            _ = try UnionTree(lowers: [], upper: up.raw, work: work.raw, marks: .user)
        }
    }

    @Test("a directory that somebody holds is known to be gone, moved, or copied up") func heldDirectories() throws {
        let scratch = try Scratch()
        let tree = try tree(scratch)
        try scratch.directory("low/d/e")
        let (first, second) = (try tree.directory(PathBytes("d")), try tree.directory(PathBytes("d")))
        try tree.makeDirectory(PathBytes("new"), mode: 0o755, in: first)
        #expect(try Set(tree.names(in: second)) == [PathBytes("e"), PathBytes("new")])
        let new = try tree.directory(PathBytes("new"), in: second)
        try tree.rename(PathBytes("new"), in: first, to: PathBytes("moved"), in: tree.root)
        try tree.makeDirectory(PathBytes("inside"), mode: 0o755, in: new)
        #expect(File.exists(scratch("up/moved/inside")))
        #expect(throws: Errno.crossDevice) {
            try tree.rename(PathBytes("d"), in: tree.root, to: PathBytes("f"), in: tree.root)
        }
        let inner = try tree.directory(PathBytes("d/e"))
        try tree.removeDirectory(PathBytes("e"), in: first)
        #expect(throws: Errno.noEntry) { try tree.makeDirectory(PathBytes("x"), mode: 0o755, in: inner) }
    }
}
