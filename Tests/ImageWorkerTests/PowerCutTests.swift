import Images
import OCI
import Sys
import TestSupport
import Testing

/// The power goes, after a command or in the middle of it: what was promised is there, and what is there is whole.
@Suite(
    .enabled(
        if: LoopDisk.isPossible && Conditions.hasBinaries, "\(LoopDisk.requirements), and the built programs"))
struct PowerCutTests {
    /// When the power goes after the end, and how often the journal is written: at once, when nothing that was not synced
    /// is on disk; and when the names are and the bytes are not, which other engines lost whole images to.
    struct Delay: Sendable, CustomTestStringConvertible {
        let seconds: Double
        let commit: Int
        var testDescription: String { "\(seconds) s after the end, journal each \(commit) s" }

        static let all =
            [Delay(seconds: 0, commit: 5), Delay(seconds: 1.5, commit: 1)]
            + (SyscallFaults.isSoak ? [1, 6, 20].map { Delay(seconds: $0, commit: 5) } : [])
    }

    @Test("F1: a pull or load that ended with 0 survives a power cut", arguments: Victim.Form.possible, Delay.all)
    func afterExitZeroEveryFileIsWhole(_ form: Victim.Form, _ delay: Delay) throws {
        let victim = try Victim(form, size: 1 << 20, files: 40)
        let runimg = try Runimg()
        let cut = try PowerCut(megabytes: 256)
        let outcome = try cut.after(
            runimg.command(["pull", "-q", victim.source], dataRoot: cut.disk.dataRoot), seconds: delay.seconds,
            commit: delay.commit)
        #expect(outcome.status == 0, "\(outcome)")
        let root = try #require(outcome.dataRoot)
        #expect(try victim.expectWholeOrAbsent(ImageStore(dataRoot: root, marks: .trusted), "\(delay)"))
        try victim.expectUsable(root, "\(delay)")
    }

    /// The test above tests something: other engines do what this one does here.
    @Test(
        "F1: without its syncs the same pull is lost though it ended with 0",
        .enabled(if: SyscallFaults.isPossible, "\(SyscallFaults.requirements)"))
    func withoutSyncsItIsLost() throws {
        let victim = try Victim(size: 1 << 20, files: 40)
        let runimg = try Runimg()
        let idle = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=syncfs", "-e", "inject=syncfs:retval=0"]
        // Whatever else calls sync(2) on this machine in that moment saves these bytes too.
        let isLost = try (0..<5).contains { _ in
            let cut = try PowerCut(megabytes: 256)
            let outcome = try cut.after(
                idle + runimg.command(["pull", "-q", victim.source], dataRoot: cut.disk.dataRoot), seconds: 1.5,
                commit: 1)
            #expect(outcome.status == 0, "\(outcome)")
            let root = try #require(outcome.dataRoot)
            let files = try TreeListing("\(root)/overlay2").entries.filter { $0.key.contains("/diff/") }
            return files.values.contains { $0.kind == .file && $0.size == 0 }
        }
        #expect(isLost)
    }

    @Test(
        "F2: power lost at any moment of a pull or load leaves the image whole or absent",
        arguments: Victim.Form.possible)
    func atAnyMomentTheImageIsWholeOrAbsent(_ form: Victim.Form) throws {
        let victim = try Victim(form, layers: 3, size: 1 << 20, files: 40)
        let runimg = try Runimg()
        let start = Wait.now
        try runimg.check("pull", "-q", victim.source)
        let duration = Wait.now - start
        for _ in 0..<SyscallFaults.rounds(3, soak: 25) {
            let cut = try PowerCut(megabytes: 256)
            let delay = Double.random(in: 0...1.3 * duration)
            let outcome = try cut.during(
                runimg.command(["pull", "-q", victim.source], dataRoot: cut.disk.dataRoot), seconds: delay)
            let moment = "cut after \(delay) of \(duration) s: \(outcome)"
            guard let root = outcome.dataRoot else {
                #expect(outcome.status != 0, "\(moment)")
                continue
            }
            let isThere = try victim.expectWholeOrAbsent(ImageStore(dataRoot: root, marks: .trusted), moment)
            #expect(isThere || outcome.status != 0, "\(moment)")
            try victim.expectUsable(root, moment)
        }
    }

    @Test("F1, F2: power lost after or within a removal leaves the image whole or absent", arguments: [true, false])
    func aRemovalIsWholeOrNotBegun(isOver: Bool) throws {
        let victim = try Victim(layers: 3, size: 200_000, files: 40)
        let runimg = try Runimg()
        for _ in 0..<(isOver ? 1 : SyscallFaults.rounds(4, soak: 50)) {
            let cut = try PowerCut(megabytes: 256)
            let pull = runimg.command(["pull", "-q", victim.source], dataRoot: cut.disk.dataRoot)
            let remove = runimg.command(["rmi", Victim.name], dataRoot: cut.disk.dataRoot)
            let setUp = pull.joined(separator: " ") + " > /dev/null || exit 1"
            let delay = Double.random(in: 0...0.15)
            let outcome =
                isOver ? try cut.after(remove, setUp: setUp) : try cut.during(remove, seconds: delay, setUp: setUp)
            let moment = "cut \(isOver ? "at the end" : "after \(delay) s"): \(outcome)"
            let root = try #require(outcome.dataRoot)
            let isThere = try victim.expectWholeOrAbsent(ImageStore(dataRoot: root, marks: .trusted), moment)
            #expect(!isThere || outcome.status != 0, "\(moment)")
            try victim.expectUsable(root, moment)
        }
    }
}
