import Layers
import Sys
import TestSupport
import Testing

@Suite(.enabled(if: Conditions.isRoot, "whiteouts and trusted attributes need root"))
struct WhiteoutTests {
    static let lower = TarForge.make { tar in
        tar.directory("d") {
            $0.mode = 0o750; $0.mtime = 77
        }
        tar.file("d/low", "low")
        tar.directory("d/sub")
        tar.file("d/sub/low", "low")
        tar.file("f", "low")
        tar.symlink("l", to: "f")
    }

    /// What a layer does to the one below, whatever the order of its entries, and the merged tree.
    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let parts: [@Sendable (inout TarForge) -> Void]
        let merged: Set<String>
    }

    static let cases: [Case] = [
        Case(
            testDescription: "whiteout of a file",
            parts: [{ $0.file(".wh.f") }, { $0.file("new", "x") }],
            merged: ["d", "d/low", "d/sub", "d/sub/low", "l", "new"]),
        Case(
            testDescription: "whiteout and new file",
            parts: [{ $0.file(".wh.f") }, { $0.file("f", "upper") }],
            merged: ["d", "d/low", "d/sub", "d/sub/low", "f", "l"]),
        Case(
            testDescription: "whiteout and new directory with a file",
            parts: [{ $0.file(".wh.d") }, { $0.directory("d") }, { $0.file("d/up", "x") }],
            merged: ["d", "d/up", "f", "l"]),
        Case(
            testDescription: "whiteout and file in a directory without entry",
            parts: [{ $0.file(".wh.d") }, { $0.file("d/up", "x") }],
            merged: ["d", "d/up", "f", "l"]),
        Case(
            testDescription: "whiteout and link instead",
            parts: [{ $0.file(".wh.d") }, { $0.symlink("d", to: "nowhere") }],
            merged: ["d", "f", "l"]),
        Case(
            testDescription: "opaque before and after siblings",
            parts: [{ $0.file("d/.wh..wh..opq") }, { $0.file("d/up", "x") }, { $0.file("d/sub/up", "x") }],
            merged: ["d", "d/up", "d/sub", "d/sub/up", "f", "l"]),
        Case(
            testDescription: "opaque with the directory's entry",
            parts: [{ $0.directory("d") { $0.mode = 0o700 } }, { $0.file("d/.wh..wh..opq") }],
            merged: ["d", "f", "l"]),
        Case(
            testDescription: "opaque root",
            parts: [{ $0.file(".wh..wh..opq") }, { $0.file("new", "x") }],
            merged: ["new"]),
        Case(
            testDescription: "whiteouts of nothing that is there",
            parts: [{ $0.file(".wh.absent") }, { $0.file("no/such/.wh.absent") }],
            merged: ["d", "d/low", "d/sub", "d/sub/low", "f", "l"]),
        Case(
            testDescription: "whiteout in a directory without entry",
            parts: [{ $0.file("d/.wh.low") }],
            merged: ["d", "d/sub", "d/sub/low", "f", "l"]),
        Case(
            testDescription: "opaque twice around siblings and whiteouts",
            parts: [
                { $0.file("d/.wh..wh..opq") },
                { tar in
                    tar.file("d/.wh.low")
                    tar.directory("d/sub")
                }, { $0.file("d/low", "upper") },
            ],
            merged: ["d", "d/low", "d/sub", "f", "l"]),
        Case(
            testDescription: "whiteouts of what the layer itself has",
            parts: [{ $0.file("d/own", "x") }, { $0.file("d/.wh.own") }, { $0.file("d/.wh.low") }],
            merged: ["d", "d/own", "d/sub", "d/sub/low", "f", "l"]),
        Case(
            testDescription: "whiteout of a link",
            parts: [{ $0.file(".wh.l") }],
            merged: ["d", "d/low", "d/sub", "d/sub/low", "f"]),
    ]

    static func permutations<T>(_ items: [T]) -> [[T]] {
        guard let first = items.first else { return [[]] }
        return permutations(Array(items.dropFirst())).flatMap { rest in
            (0...rest.count).map { Array(rest[..<$0]) + [first] + Array(rest[$0...]) }
        }
    }

    @Test(
        "U5: whatever the order of markers and siblings, the layer's own files stay and those below go",
        arguments: cases)
    func anyOrderGivesOneTree(_ item: Case) throws {
        for parts in WhiteoutTests.permutations(item.parts) { try check(item, parts, below: "/var/tmp") }
    }

    /// Where no device 0:0 can be made, as in a container.
    @Test(
        "U5: on overlayfs itself the same files stay and go",
        .enabled(if: Conditions.hasOverlay && MountAPI.overlayAppendsLayers, "needs overlayfs of Linux 6.7"),
        arguments: cases)
    func anyOrderGivesOneTreeOnOverlayfs(_ item: Case) throws {
        try OverlayDisk.with { disk in
            for parts in WhiteoutTests.permutations(item.parts) { try check(item, parts, below: disk) }
        }
    }

    private func check(
        _ item: Case, _ parts: [@Sendable (inout TarForge) -> Void], below parent: String
    ) throws {
        let bench = try Workbench(below: parent)
        let upper = TarForge.make { tar in for part in parts { part(&tar) } }
        // The complete tree...
        try bench.extract(WhiteoutTests.lower, into: "layer-tree", format: .directory)
        try bench.extract(upper, into: "layer-tree", format: .directory)
        let tree = try bench.listing("layer-tree")
        #expect(Set(tree.paths).subtracting(["."]) == item.merged)
        // ... and what overlayfs makes of two layers are the same.
        try bench.extract(WhiteoutTests.lower, into: "layer0")
        try bench.extract(upper, into: "layer1", below: ["layer0"])
        if Conditions.hasOverlay {
            let merged = try Overlay.listing(bench.scratch, ["layer1", "layer0"])
            let differences = merged.differences(from: tree).filter { !$0.hasPrefix(".: ") }
            #expect(differences == [], "\(item.testDescription)")
        }
        // Packed again it deletes the same.
        let packed = try PackingTests.pack(bench.scratch, "layer1") { $0.marks = .layer }
        try Directory.removeTree(bench.scratch("packed.tar"))
        try bench.extract(WhiteoutTests.lower, into: "layer-packed", format: .directory)
        try bench.extract(packed, into: "layer-packed", format: .directory)
        #expect(try bench.listing("layer-packed").differences(from: tree).filter { !$0.hasPrefix(".: ") } == [])
        try bench.expectCanaryUntouched()
    }

    @Test("U5, U6: deleted names have the marks of the format") func marksAreThoseOfTheFormat() throws {
        let tar = TarForge.make { tar in
            tar.file("d/.wh..wh..opq")
            tar.file(".wh.f")
        }
        let names: [(OnDiskFormat, String)] = [
            (.overlay, "trusted.overlay.opaque"), (.overlayUserXattr, "user.overlay.opaque"),
        ]
        for (format, name) in names {
            let bench = try Workbench()
            try bench.extract(WhiteoutTests.lower, into: "layer0", format: format)
            try bench.extract(tar, format: format, below: ["layer0"])
            let tree = try bench.listing()
            #expect(tree["d"]?.xattrs == [name: [UInt8(ascii: "y")]])
            #expect(tree["f"]?.kind == .characterDevice && tree["f"]?.device == "0:0")
            // As the directory below is, since the layer does not describe it.
            #expect(tree["d"]?.mode == 0o750 && tree["d"]?.seconds == 77)
        }
    }

    /// A directory that stands where this layer had a file is a new one.
    @Test("U5: a directory that replaces the layer's own file is a new one") func replacedDirectoriesHideWhatIsBelow()
        throws
    {
        let bench = try Workbench()
        try bench.extract(WhiteoutTests.lower, into: "layer0")
        try bench.extract(
            TarForge.make { tar in
                tar.file("d", "a file for a moment")
                tar.directory("d")
            }, into: "layer1", below: ["layer0"])
        #expect(try bench.listing("layer1")["d"]?.xattrs.keys.contains("trusted.overlay.opaque") == true)
    }
}

/// Layers mounted by overlayfs, in a mount namespace of their own.
enum Overlay {
    /// Top first.
    static func listing(
        _ scratch: Scratch, _ layers: [String], _ options: TreeListing.Options = .all
    ) throws -> TreeListing {
        try mounted(scratch, layers) { try TreeListing($0, options) }
    }

    /// Calls `body` with the mount point.
    static func mounted<R>(_ scratch: Scratch, _ layers: [String], _ body: (String) throws -> R) throws -> R {
        let point = try scratch.directory("layer-merged")
        let empty = try scratch.directory("layer-empty")
        let directories = (layers.map { scratch($0) } + [empty]).joined(separator: ":")
        try Tool.check("mount", ["-t", "overlay", "overlay", "-o", "ro,lowerdir=\(directories)", point])
        // A process that another test is just starting may have its files open until its exec.
        defer { _ = try? Tool.check("umount", ["-l", point]) }
        return try body(point)
    }
}
