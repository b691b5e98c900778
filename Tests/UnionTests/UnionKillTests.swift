import Sys
import TestSupport
import Testing

/// kill -9 at single system calls of a change: what is there is the old or the new tree, and nothing stays of the rest.
@Suite(
    .enabled(
        if: SyscallFaults.isPossible && File.exists(UnionStep.program),
        "\(SyscallFaults.requirements), and the debug build's UnionStep"))
struct UnionKillTests {
    private static let steps = [
        "chmod", "chown", "chmodDirectory", "create", "mkdir", "unlink", "rmdir", "rename", "swap", "replace", "link",
    ]
    /// All that give a name its place; of the rest some.
    private static let placing = ["/^rename", "/^link"]
    private static let others = [
        "/^mkdir", "/^mknod", "openat", "/^unlink", "/^fchown", "/setxattr$", "/^fchmod", "/^utimens", "/^copy_file",
        "fsync", "/truncate$", "/^symlink",
    ]

    @Test("a change that is killed at a call has happened whole or not at all", arguments: steps)
    func killedAtACall(step: String) throws {
        let (old, new) = try (snapshots(after: nil), snapshots(after: step))
        try #require(old != new)
        let others = SyscallFaults.isSoak ? Self.others : Array(Self.others.shuffled().prefix(2))
        var kills = 0
        for call in Self.placing + others {
            kills += try CrashEnumerator(call, samples: Self.placing.contains(call) ? nil : 2).run(
                prepare: { try UnionStep.prepare() },
                command: { scratch, prefix in try UnionStep.run(step, in: scratch, under: prefix) },
                check: { scratch, moment, ended in
                    let found = try UnionStep.snapshot(scratch)
                    #expect(found == new || (!ended && found == old), "\(step) \(moment)")
                    #expect(try Directory.entries(scratch("work/work")).isEmpty, "\(step) \(moment)")
                })
        }
        #expect(kills > 0)
    }

    private func snapshots(after step: String?) throws -> [String: String] {
        let scratch = try UnionStep.prepare()
        if let step { try #require(try UnionStep.run(step, in: scratch)) }
        return try UnionStep.snapshot(scratch)
    }
}
