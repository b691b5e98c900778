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

/// Which scenarios are run: `RUNIMG_UNION_SEED=N` runs that one alone, `RUNIMG_UNION_COUNT=N` as many.
enum Seeds {
    private static func number(_ name: String) -> UInt64? { getenv(name).flatMap { UInt64(String(cString: $0)) } }

    static func range(from first: UInt64, count: Int, soak: Int) -> Range<UInt64> {
        if let seed = number("RUNIMG_UNION_SEED") { return seed..<seed + 1 }
        return first..<first + (number("RUNIMG_UNION_COUNT") ?? UInt64(SyscallFaults.rounds(count, soak: soak)))
    }
}
