import Glibc
import Layers
import OCI
import Sys
import TestSupport
import Testing
import Union

/// Marks of overlayfs in layers: those that are real do what they do in a mount, and those that a tar smuggles are not
/// there.
@Suite(.enabled(if: KernelOverlay.isPossible, "\(KernelOverlay.requirements)"))
struct LayerMarkTests {
    /// A layer below with a file `etc/secret` and directories, and what is put on top of it.
    private func stage(
        _ scratch: Scratch, _ marks: OverlayMarks, _ top: (OpenFolder) throws -> Void
    ) throws -> Stage {
        for name in ["l0", "l1", "k", "kw", "kw2", "u", "uw", "uw2"] { try scratch.directory(name) }
        try scratch.file("l1/etc/secret", "secret")
        try scratch.file("l1/d/low", "low")
        try scratch.file("l1/file", "contents")
        try scratch.file("l1/empty", "")
        try top(OpenFolder(try Directory.open(scratch("l0"))))
        return Stage(marks: marks, lowers: [scratch("l0"), scratch("l1")], base: scratch.path)
    }

    private func expectTheSame(_ stage: Stage, _ location: SourceLocation = #_sourceLocation) throws -> Snapshot {
        let kernel = try Snapshot(try stage.kernel(upper: "k", work: "kw"))
        let union = try Snapshot(try stage.union(upper: "u", work: "uw"))
        #expect(union.differences(from: kernel, "union", "kernel") == "", sourceLocation: location)
        return union
    }

    @Test(
        "U6: what a tar smuggles shows one tree on overlayfs and without a mount", arguments: OverlayMarks.allCases)
    func smuggledMarks(marks: OverlayMarks) throws {
        let scratch = try Scratch()
        let spaces = ["trusted", "user"]
        let records = spaces.flatMap { space in
            [("opaque", "y"), ("redirect", "/etc"), ("metacopy", ""), ("whiteout", "y"), ("opaque", "x")].map {
                ("SCHILY.xattr.\(space).overlay.\($0.0)", $0.1)
            }
        }
        let tar = TarForge.make { tar in
            tar.pax(records)
            tar.directory("d") { $0.mode = 0o755 }
            tar.pax(records)
            tar.file("file", "")
            tar.pax(records)
            tar.file("d/new", "new")
            tar.file("etc/.wh.secret", "")
        }
        let stage = try stage(scratch, marks) { layer in
            let below = try Directory.open(scratch("l1"))
            let lower = below.raw
            var source = MemorySource(tar)
            var extractor = try LayerExtractor(
                into: layer.raw, format: marks == .user ? .overlayUserXattr : .overlay, limits: ExtractionLimits(),
                compressedSize: Int64(tar.count), lowers: { () throws(LayerError) in [lower] })
            _ = try extractor.extract(&source)
            _ = consume below
        }
        let shown = try expectTheSame(stage)
        #expect(shown.lines["d/low"]?.contains("3 bytes") == true)
        #expect(shown.lines["file"]?.contains("0 bytes") == true)
        #expect(shown.lines["etc/secret"] == nil)
    }

    @Test("a redirect and a file without its contents are refused with EPERM", arguments: OverlayMarks.allCases)
    func redirects(marks: OverlayMarks) throws {
        let scratch = try Scratch()
        let stage = try stage(scratch, marks) { layer in
            try scratch.directory("l0/d")
            try ExtendedAttributes.set(PathBytes("d"), at: layer.raw, marks.redirect, Array("/etc".utf8))
            try scratch.file("l0/file", "")
            try ExtendedAttributes.set(PathBytes("file"), at: layer.raw, marks.metacopy, [])
        }
        let shown = try expectTheSame(stage)
        #expect(shown.lines["d"] == "EPERM")
        #expect(shown.lines["file"] == "EPERM")
        let (kernel, union) = (
            try stage.kernel(upper: "k", work: "kw2"), try stage.union(upper: "u", work: "uw2")
        )
        let operations: [Operation] = [
            .unlink(Place("file")), .rmdir(Place("d")), .read(Place("file")), .list(Place("d")), .stat(Place("d/low")),
            .chmod(Place("file"), 0o600), .rename(Place("d"), Place("e"), []), .mkdir(Place("d"), 0o755),
            .write(Place("file"), flags: O_WRONLY | O_CREAT | O_TRUNC, mode: 0o644, offset: 0, count: 3),
        ]
        for operation in operations {
            #expect(union.apply(operation) == kernel.apply(operation), "\(operation)")
        }
    }

    @Test("an empty file with the mark is a whiteout", arguments: OverlayMarks.allCases)
    func markedFiles(marks: OverlayMarks) throws {
        let scratch = try Scratch()
        let stage = try stage(scratch, marks) { layer in
            try LayerStep.build([.markedWhiteout("d/low"), .markedWhiteout("etc/secret")], in: layer.raw, marks)
        }
        let shown = try expectTheSame(stage)
        #expect(shown.lines["d/low"] == nil)
        #expect(shown.lines["etc/secret"] == nil)
        #expect(shown.lines["empty"] != nil)
    }

    @Test("marks of the other kind are attributes like others", arguments: OverlayMarks.allCases)
    func otherMarks(marks: OverlayMarks) throws {
        let scratch = try Scratch()
        let other: OverlayMarks = marks == .user ? .trusted : .user
        let stage = try stage(scratch, marks) { layer in
            try scratch.directory("l0/d")
            try ExtendedAttributes.set(PathBytes("d"), at: layer.raw, other.opaque, OverlayMarks.opaqueValue)
            try scratch.file("l0/file", "top")
            try ExtendedAttributes.set(PathBytes("file"), at: layer.raw, other.metacopy, [])
        }
        let shown = try expectTheSame(stage)
        #expect(shown.lines["d/low"] != nil)
    }
}
