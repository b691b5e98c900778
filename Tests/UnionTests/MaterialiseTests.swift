import Glibc
import Sys
import TestSupport
import Testing
import Union

/// The union as a plain tree, and the way back.
@Suite(.enabled(if: KernelOverlay.isPossible, "\(KernelOverlay.requirements)"))
struct MaterialiseTests {
    /// A plain directory as a side: what a program sees that works on it.
    private func plain(_ path: String, _ marks: OverlayMarks) throws -> KernelSide {
        KernelSide(directory: OpenFolder(try Directory.open(path)), marks)
    }

    @Test(
        "a plain tree shows what overlayfs shows, and what is done in it comes back", arguments: OverlayMarks.allCases)
    func thereAndBack(marks: OverlayMarks) throws {
        let scratch = try Scratch()
        for seed in Seeds.range(from: marks == .user ? 6_000_000 : 5_000_000, count: 30, soak: 5000) {
            let scenario = Scenario(seed: seed, marks: marks)
            guard let difference = try self.difference(scenario, scratch) else { continue }
            Issue.record("seed \(seed), \(marks):\n\(scenario)differs in \(difference)")
            return
        }
    }

    /// The operations of a scenario are made on the plain tree, half of them before it is materialised, on the union.
    private func difference(_ scenario: Scenario, _ scratch: Scratch) throws -> String? {
        defer { try? Directory.removeTree(scratch("run")) }
        let stage = try scenario.stage(in: scratch)
        try scratch.directory("run/plain")
        let target = try Directory.open(scratch("run/plain"))
        let half = scenario.operations.count / 2
        let stamp: Materialised
        do {
            let union = try stage.union(upper: "u", work: "uw")
            for operation in scenario.operations[..<half] { _ = union.apply(operation) }
            let shown = try Snapshot(union)
            stamp = try union.materialise(into: target.raw)
            let copy = try Snapshot(try plain(scratch("run/plain"), scenario.marks))
            let copied = copy.differences(from: shown, "plain", "union", withLinks: false)
            if !copied.isEmpty { return "the plain tree\n\(copied)" }
        }
        let program = try plain(scratch("run/plain"), scenario.marks)
        for operation in scenario.operations[half...] where !operation.makesWhiteout { _ = program.apply(operation) }
        let worked = try Snapshot(program)
        try stage.union(upper: "u", work: "uw").adopt(target.raw, stamp)
        let mounted = try Snapshot(try stage.kernel(upper: "u", work: "uw2"))
        let back = mounted.differences(from: worked, "as the kernel shows it", "plain", withLinks: false)
        return back.isEmpty ? nil : "the upper directory\n\(back)"
    }

    /// They are escaped on their way to the upper directory, as those that a program sets in a mount.
    @Test("a program's own marks delete and hide nothing", arguments: OverlayMarks.allCases, [false, true])
    func programsMarks(marks: OverlayMarks, onOverlay: Bool) throws {
        func check(_ scratch: Scratch) throws {
            let steps: [LayerStep] = [
                .file("d/low", mode: 0o644, owner: 0, size: 5, hole: 0),
                .file("d/gone", mode: 0o644, owner: 0, size: 5, hole: 0),
            ]
            let stage = try Scenario(marks: marks, layers: [steps], operations: []).stage(in: scratch)
            try scratch.directory("run/plain")
            let target = try Directory.open(scratch("run/plain"))
            let made = try stage.union(upper: "u", work: "uw").materialise(into: target.raw)
            let d = try Directory.open(scratch("run/plain/d"))
            for kind in OverlayMarks.allCases {
                try ExtendedAttributes.set(d.raw, kind.opaque, OverlayMarks.xwhiteoutsValue)
                for name in ["low", "own\(kind)"] {
                    try scratch.file("run/plain/d/\(name)", "")
                    let bytes = try #require(PathBytes(name.utf8))
                    try ExtendedAttributes.set(bytes, at: d.raw, kind.whiteout, OverlayMarks.opaqueValue)
                }
            }
            try File.unlink(scratch("run/plain/d/gone"))
            try stage.union(upper: "u", work: "uw").adopt(target.raw, made)
            let shown = try Snapshot(try stage.union(upper: "u", work: "uw"))
            #expect(Set(shown.lines.keys) == [".", "d", "d/low", "d/owntrusted", "d/ownuser"])
            let mounted = try Snapshot(try stage.kernel(upper: "u", work: onOverlay ? nil : "uw2"))
            #expect(shown.differences(from: mounted, "union", "kernel") == "")
        }
        if !onOverlay { return try check(try Scratch()) }
        try OverlayDisk.with { try check(try Scratch(below: $0)) }
    }

    @Test("what is not touched in the plain tree leaves the upper directory empty") func nothingDone() throws {
        let scratch = try Scratch()
        let steps: [LayerStep] = [
            .file("d/f", mode: 0o4755, owner: 1000, size: 5000, hole: 1 << 20), .link("d/g", to: "d/f"),
            .symlink("l", target: "d"), .node("n", .fifo), .attribute("d", Attribute.all[0]),
        ]
        let scenario = Scenario(marks: .trusted, layers: [steps], operations: [])
        let stage = try scenario.stage(in: scratch)
        try scratch.directory("run/plain")
        let target = try Directory.open(scratch("run/plain"))
        let union = try stage.union(upper: "u", work: "uw")
        let made = try union.materialise(into: target.raw)
        try union.adopt(target.raw, made)
        #expect(try Directory.entries(scratch("run/u")).isEmpty)
        let (plain, layer) = (try File.status(scratch("run/plain/d/f")), try File.status(scratch("run/l0/d/f")))
        #expect(plain.inode != layer.inode)
        #expect(plain.blocks <= layer.blocks)
        try Directory.removeTree(scratch("run/plain/d"))
        try union.adopt(target.raw, made)
        #expect(try File.status(scratch("run/u/d")).isWhiteout)
    }
}
