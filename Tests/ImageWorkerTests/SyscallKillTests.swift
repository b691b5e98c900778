import Images
import OCI
import Sys
import TestSupport
import Testing

/// kill -9 at chosen system calls: the moments between two steps of a commit, a record or a removal.
@Suite(
    .enabled(
        if: SyscallFaults.isPossible && Conditions.hasBinaries, "\(SyscallFaults.requirements), and the built programs")
)
struct SyscallKillTests {
    /// The steps that make things visible are all visited; of the rest some.
    private static func samples(_ call: String) -> Int? {
        ["/^rename", "/^symlink", "syncfs"].contains(call) ? nil : 2
    }

    private static let calls = ["/^rename", "/^symlink", "syncfs"]
    private static let others = SyscallFaults.changing.filter { !calls.contains($0) }

    @Test("F3: a pull killed at a call leaves nothing behind", arguments: calls + others)
    func aPullKilledAtACall(call: String) throws {
        try kill(Victim(), at: call, samples: SyscallKillTests.samples(call))
    }

    @Test(
        "F3: a load killed at a call leaves nothing behind",
        arguments: [Victim.Form.ociArchive, .dockerArchive, .compressedArchive].filter(Victim.Form.possible.contains))
    func aLoadKilledAtACall(form: Victim.Form) throws {
        let victim = try Victim(form)
        for call in SyscallFaults.isSoak
            ? SyscallFaults.changing : ["openat", "write", "fsync", "/^rename", "ftruncate"]
        {
            try kill(victim, at: call, samples: 1)
        }
    }

    private func kill(_ victim: Victim, at call: String, samples: Int?) throws {
        let other = try Victim(layers: 1)
        try CrashEnumerator(call, samples: samples).run(
            prepare: { try Runimg() },
            command: { runimg, prefix in
                try runimg.run(["pull", "-q", victim.source], under: prefix).status == 0
            },
            check: { runimg, moment, ended in
                let isThere = try victim.expectWholeOrAbsent(runimg.imageStore, "\(moment)")
                #expect(isThere || !ended, "\(moment)")
                try victim.expectUsable(
                    runimg.dataRoot, "\(moment)", instead: moment.number.isMultiple(of: 2) ? nil : other)
            })
    }

    @Test(
        "F3: a removal killed at a call is whole or not begun, and the next command ends it",
        arguments: ["/^rename", "/^unlink", "fsync", "write", "openat", "flock", "/^mkdir"])
    func aRemovalKilledAtACall(call: String) throws {
        let victim = try Victim()
        let other = try Victim(layers: 1)
        try CrashEnumerator(call, samples: call == "/^rename" ? nil : 3).run(
            prepare: {
                let runimg = try Runimg()
                try runimg.check("pull", "-q", victim.source)
                return runimg
            },
            command: { (runimg: Runimg, prefix: [String]) in
                try runimg.run(["rmi", Victim.name], under: prefix).status == 0
            },
            check: { (runimg: Runimg, moment, ended) in
                let isThere = try victim.expectWholeOrAbsent(runimg.imageStore, "\(moment)")
                #expect(!isThere || !ended, "\(moment)")
                try victim.expectUsable(
                    runimg.dataRoot, "\(moment)", instead: moment.number.isMultiple(of: 2) ? nil : other)
            })
    }
}
