import Glibc
import Sys
import TestSupport
import Testing
import Union

/// A program of the package that makes one change and ends.
private enum UnionStep {
    static let program = "\(PackageTree.root)/.build/debug/UnionStep"
}

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
                prepare: { try Self.prepare() },
                command: { scratch, prefix in try Self.run(step, in: scratch, under: prefix) },
                check: { scratch, moment, ended in
                    let found = try Self.snapshot(scratch)
                    #expect(found == new || (!ended && found == old), "\(step) \(moment)")
                    #expect(try Directory.entries(scratch("work/work")).isEmpty, "\(step) \(moment)")
                })
        }
        #expect(kills > 0)
    }

    private func snapshots(after step: String?) throws -> [String: String] {
        let scratch = try Self.prepare()
        if let step { try #require(try Self.run(step, in: scratch, under: [])) }
        return try Self.snapshot(scratch)
    }

    private static func run(_ step: String, in scratch: Scratch, under prefix: [String]) throws -> Bool {
        let line = prefix + [UnionStep.program, scratch.path, "trusted", step]
        let output = try Tool.run(line[0], Array(line.dropFirst()), timeout: 60)
        if output.status == 1 { throw Tool.Failure(output: output) }
        return output.status == 0
    }

    /// What another process finds, without the times of directories: a copy-up below one sets them back in a step of
    /// its own. The kernel must find the same.
    private static func snapshot(_ scratch: Scratch) throws -> [String: String] {
        let stage = Stage(marks: .trusted, lowers: [scratch("low")], base: scratch.path)
        let union = try Snapshot(try stage.union(upper: "up", work: "work"))
        if KernelOverlay.isPossible {
            let kernel = try Snapshot(try stage.kernel(upper: "up", work: "work2"))
            #expect(union.differences(from: kernel, "union", "kernel") == "")
        }
        return union.lines.mapValues { line in
            let words = line.split(separator: " ")
            return words.first == "directory" ? "\(words.prefix(3)) \(words.dropFirst(4))" : line
        }
    }

    /// A lower directory, and an upper one in which something was changed and removed.
    private static func prepare() throws -> Scratch {
        let scratch = try Scratch()
        for name in ["low", "up", "work", "work2"] { try scratch.directory(name) }
        let steps: [LayerStep] = [
            .file("d/e/f", mode: 0o640, owner: 1000, size: 5000, hole: 1 << 20),
            .attribute("d/e/f", Attribute(name: "user.one", value: [1])),
            .attribute("d/e", Attribute(name: "user.one", value: [1])), .symlink("link", target: "d"),
            .file("gone", mode: 0o644, owner: 0, size: 10, hole: 0),
            .directory("goneToo", mode: 0o755, isOpaque: false),
            .file("goneToo/below", mode: 0o644, owner: 0, size: 10, hole: 0),
            .file("changed", mode: 0o644, owner: 0, size: 10, hole: 0),
            .file("emptied/x", mode: 0o644, owner: 0, size: 10, hole: 0),
        ]
        let low = try Directory.open(scratch("low"))
        try LayerStep.build(steps, in: low.raw, .trusted)
        let stage = Stage(marks: .trusted, lowers: [scratch("low")], base: scratch.path)
        let union = try stage.union(upper: "up", work: "work")
        for operation: Operation in [
            .unlink(Place("gone")), .unlink(Place("goneToo/below")), .rmdir(Place("goneToo")),
            .unlink(Place("emptied/x")), .chmod(Place("changed"), 0o600), .mkdir(Place("own"), 0o700),
            .write(Place("own/file"), flags: O_WRONLY | O_CREAT, mode: 0o644, offset: 0, count: 4),
        ] { #expect(union.apply(operation) == "done", "\(operation)") }
        return scratch
    }
}
