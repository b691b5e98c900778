import Glibc
import Sys
import TestSupport
import Testing
import Union

/// The program of the package that makes one change to a union and ends, and directories for it.
enum UnionStep {
    static let program = "\(PackageTree.root)/.build/debug/UnionStep"

    /// Whether it came to an end; a change that was refused is a failure of the test.
    static func run(
        _ step: String, in scratch: Scratch, under prefix: [String] = [], program: String = program,
        marks: OverlayMarks = .trusted
    ) throws -> Bool {
        let line = prefix + [program, scratch.path, marks == .user ? "user" : "trusted", step]
        let output = try Tool.run(line[0], Array(line.dropFirst()), timeout: 60)
        if output.status == 1 { throw Tool.Failure(output: output) }
        return output.status == 0
    }

    /// A lower directory, and an upper one in which something was changed and removed.
    static func prepare(_ marks: OverlayMarks = .trusted) throws -> Scratch {
        let scratch = try Scratch()
        for name in ["low", "up", "work", "work2"] { try scratch.directory(name) }
        let steps: [LayerStep] = [
            .directory("d/e", mode: 0o555, isOpaque: false),
            .file("d/e/f", mode: 0o440, owner: 1000, size: 5000, hole: 1 << 20),
            .attribute("d/e/f", Attribute(name: "user.one", value: [1])),
            .attribute("d/e", Attribute(name: "user.one", value: [1])), .symlink("link", target: "d"),
            .file("gone", mode: 0o644, owner: 0, size: 10, hole: 0),
            .directory("goneToo", mode: 0o755, isOpaque: false),
            .file("goneToo/below", mode: 0o644, owner: 0, size: 10, hole: 0),
            .file("changed", mode: 0o644, owner: 0, size: 10, hole: 0),
            .directory("emptied", mode: 0o555, isOpaque: false),
            .file("emptied/x", mode: 0o644, owner: 0, size: 10, hole: 0),
        ]
        let low = try Directory.open(scratch("low"))
        try LayerStep.build(steps, in: low.raw, marks)
        let union = try stage(scratch, marks).union(upper: "up", work: "work")
        for operation: Operation in [
            .unlink(Place("gone")), .unlink(Place("goneToo/below")), .rmdir(Place("goneToo")),
            .unlink(Place("emptied/x")), .chmod(Place("changed"), 0o600), .mkdir(Place("own"), 0o700),
            .write(Place("own/file"), flags: O_WRONLY | O_CREAT, mode: 0o644, offset: 0, count: 4),
        ] { #expect(union.apply(operation) == "done", "\(operation)") }
        return scratch
    }

    private static func stage(_ scratch: Scratch, _ marks: OverlayMarks) -> Stage {
        Stage(marks: marks, lowers: [scratch("low")], base: scratch.path)
    }

    /// What another process finds, without the times of directories: a copy-up below one sets them back in a step of
    /// its own. The kernel must find the same.
    static func snapshot(_ scratch: Scratch, _ marks: OverlayMarks = .trusted) throws -> [String: String] {
        let union = try Snapshot(try stage(scratch, marks).union(upper: "up", work: "work"))
        if KernelOverlay.isPossible {
            let kernel = try Snapshot(try stage(scratch, marks).kernel(upper: "up", work: "work2"))
            #expect(union.differences(from: kernel, "union", "kernel") == "")
        }
        return union.lines.mapValues { line in
            let words = line.split(separator: " ")
            return words.first == "directory" ? "\(words.prefix(3)) \(words.dropFirst(4))" : line
        }
    }
}
