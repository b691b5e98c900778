import Glibc
import Sys
import TestSupport
import Testing

/// Random operations on random layers, on the kernel's overlay and on `UnionTree`: the same results, errors and trees,
/// and each shows the other's upper directory as it was written.
@Suite(.enabled(if: KernelOverlay.isPossible, "\(KernelOverlay.requirements)"))
struct OverlayComparisonTests {
    @Test("random operations have the results that overlayfs gives", arguments: OverlayMarks.allCases)
    func randomOperations(marks: OverlayMarks) throws {
        let scratch = try Scratch()
        var failures = 0
        for seed in Seeds.range(from: marks == .user ? 1_000_000 : 0, count: 200, soak: 20_000) {
            let scenario = Scenario(seed: seed, marks: marks)
            guard try scenario.difference(in: scratch) != nil else { continue }
            let smallest = try scenario.shrunk(in: scratch)
            let difference = try smallest.difference(in: scratch) ?? "nothing when it is run again"
            Issue.record("seed \(seed), \(marks):\n\(smallest)differs in \(difference)")
            failures += 1
            if failures == 5 { return }
        }
    }
}

/// The same where the union's directories are on overlayfs themselves, as in a container.
@Suite(.enabled(if: KernelOverlay.isPossible, "\(KernelOverlay.requirements)"))
struct NestedComparisonTests {
    @Test("random operations on a data root on overlayfs have the same results", arguments: OverlayMarks.allCases)
    func randomOperations(marks: OverlayMarks) throws {
        try OverlayDisk.with { disk in
            let (scratch, nested) = (try Scratch(), try Scratch(below: disk))
            for seed in Seeds.range(from: marks == .user ? 8_000_000 : 7_000_000, count: 100, soak: 20_000) {
                let scenario = Scenario(seed: seed, marks: marks)
                guard let difference = try scenario.difference(in: scratch, unionOnOverlay: nested) else { continue }
                Issue.record("seed \(seed), \(marks):\n\(scenario)differs in \(difference)")
                return
            }
        }
    }

    /// Each place that leaves a whiteout.
    @Test("what is deleted and moved away stays so", arguments: OverlayMarks.allCases)
    func everyWhiteout(marks: OverlayMarks) throws {
        let files = [
            ("a", 5), ("b", 6), ("c", 7), ("m/x", 1), ("m/y", 2), ("n/z", 3), ("o/z", 3), ("e/f", 1), ("g/h", 1),
        ]
        let layer =
            [LayerStep.symlink("l", target: "a")]
            + files.map { LayerStep.file($0.0, mode: 0o644, owner: 0, size: $0.1, hole: 0) }
        let remake: [Operation] = [.unlink(Place("n/z")), .rmdir(Place("n")), .mkdir(Place("n"), 0o755)]
        let scenarios: [[Operation]] = [
            [.unlink(Place("a")), .unlink(Place("m/x")), .list(Place("m")), .stat(Place("m/x"))],
            [.unlink(Place("m/x")), .unlink(Place("m/y")), .rmdir(Place("m")), .mkdir(Place("m"), 0o755)],
            [.rename(Place("a"), Place("new"), []), .rename(Place("l"), Place("m/l"), [])],
            [.rename(Place("a"), Place("b"), []), .rename(Place("b"), Place("c"), [])],
            [.unlink(Place("b")), .rename(Place("a"), Place("b"), []), .rename(Place("m/x"), Place("m/y"), [])],
            remake + [.rename(Place("n"), Place("moved"), []), .list(Place("")), .mkdir(Place("n"), 0o700)],
            remake + [.unlink(Place("o/z")), .rename(Place("n"), Place("o"), []), .list(Place("o"))],
            remake + [.unlink(Place("o/z")), .rmdir(Place("o")), .rename(Place("n"), Place("o"), [])],
            remake + [.mkdir(Place("own"), 0o755), .rename(Place("n"), Place("own"), [])],
            [.mkdir(Place("own"), 0o755), .unlink(Place("a")), .rename(Place("own"), Place("a"), [])],
            [
                .mkdir(Place("own"), 0o755), .mkdir(Place("own/in"), 0o755), .unlink(Place("a")),
                .rename(Place("own/in"), Place("a"), []), .list(Place("own")),
            ],
            [.rename(Place("a"), Place("m/x"), .exchange), .unlink(Place("m/x")), .unlink(Place("a"))],
        ]
        try OverlayDisk.with { disk in
            let (scratch, nested) = (try Scratch(), try Scratch(below: disk))
            for operations in scenarios {
                let scenario = Scenario(marks: marks, layers: [layer], operations: operations)
                let difference = try scenario.difference(in: scratch, unionOnOverlay: nested)
                #expect(difference == nil, "\(operations)")
            }
        }
    }
}

/// Which scenarios are run: `RUNIMG_UNION_SEED=N` runs that one alone, `RUNIMG_UNION_COUNT=N` as many.
enum Seeds {
    private static func number(_ name: String) -> UInt64? { getenv(name).flatMap { UInt64(String(cString: $0)) } }

    static func range(from first: UInt64, count: Int, soak: Int) -> Range<UInt64> {
        if let seed = number("RUNIMG_UNION_SEED") { return seed..<seed + 1 }
        return first..<first + (number("RUNIMG_UNION_COUNT") ?? UInt64(SyscallFaults.rounds(count, soak: soak)))
    }
}
