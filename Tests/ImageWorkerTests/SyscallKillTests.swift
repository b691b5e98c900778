import Images
import OCI
import Sys
import TestSupport
import Testing

/// kill -9 at chosen system calls, by strace's injection: the moments between two steps of a commit, a record or a
/// removal, which random moments seldom meet.
@Suite(.enabled(if: Conditions.isRoot && Conditions.has("strace"), "needs root and strace"), .serialized)
struct SyscallKillTests {
    private static func strace(_ call: String, _ number: Int) -> [String] {
        [
            "strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=\(call)", "-e",
            "inject=\(call):signal=SIGKILL:when=\(number)",
        ]
    }

    private static func sample() throws -> SampleImage {
        var sample = try SampleImage()
        for name in ["one", "two"] { try sample.addLayer(name, size: 1000, files: 3) }
        try sample.finish(as: "app:1")
        return sample
    }

    /// One directory and one link a layer, nothing in staging.
    private static func expectTidy(_ fixture: PullFixture, layers: Int, _ moment: String) throws {
        #expect(try Directory.entries("\(fixture.dataRoot)/overlay2").count == layers + 1, "\(moment)")
        #expect(try Directory.entries("\(fixture.dataRoot)/overlay2/l").count == layers, "\(moment)")
        #expect(try Directory.entries("\(fixture.dataRoot)/image/overlay2/layerdb/sha256").count == layers, "\(moment)")
        #expect(try Directory.entries("\(fixture.dataRoot)/tmp").map(\.name) == ["blobs"], "\(moment)")
    }

    @Test(arguments: [("renameat2", 1), ("symlinkat", 1), ("syncfs", 1), ("fsync", 7), ("mkdirat", 11)])
    func aPullKilledAtACallLeavesNothingBehind(call: String, stride: Int) throws {
        let sample = try SyscallKillTests.sample()
        let peaceful = try PullFixture()
        try peaceful.pull(sample.source)
        let trees = try peaceful.trees("app:1")
        for number in Swift.stride(from: 1, through: 60, by: stride) {
            let fixture = try PullFixture()
            let outcome = try fixture.pull(sample.source, prefix: SyscallKillTests.strace(call, number))
            if outcome.status == 0 { return }
            let moment = "\(call) \(number)"
            let listing = try fixture.store.list()
            #expect(listing.problems.isEmpty, "\(moment): \(listing.problems)")
            let again = try fixture.pull(sample.source)
            #expect(again.status == 0, "\(moment): \(again)")
            #expect(try fixture.trees("app:1") == trees, "\(moment)")
            try SyscallKillTests.expectTidy(fixture, layers: 2, moment)
        }
        Issue.record("never got to the end")
    }

    @Test(
        .enabled(if: Conditions.hasBinaries, "needs the built programs"),
        arguments: [("renameat2", 1), ("unlinkat", 5), ("fsync", 2)])
    func aRemovalKilledAtACallIsFinishedByTheNext(call: String, stride: Int) throws {
        let sample = try SyscallKillTests.sample()
        for number in Swift.stride(from: 1, through: 60, by: stride) {
            let fixture = try PullFixture()
            try fixture.pull(sample.source)
            let command = SyscallKillTests.strace(call, number) + [Runimg.path, "--data-root", fixture.dataRoot]
            let output = try Tool.run(command[0], command.dropFirst() + ["rmi", "app:1"])
            let moment = "\(call) \(number)"
            let listing = try fixture.store.list()
            #expect(listing.problems.isEmpty, "\(moment): \(listing.problems)")
            if output.status == 0 {
                #expect(listing.images.isEmpty)
                try SyscallKillTests.expectTidy(fixture, layers: 0, moment)
                return
            }
            // Whole or gone: what is left of it is pulled, or removed, as if nothing had been.
            #expect(try fixture.pull(sample.source).status == 0, "\(moment)")
            #expect(try fixture.trees("app:1").count == 2, "\(moment)")
            try SyscallKillTests.expectTidy(fixture, layers: 2, moment)
        }
        Issue.record("never got to the end")
    }
}
