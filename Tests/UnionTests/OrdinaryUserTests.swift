import Sys
import TestSupport
import Testing

/// A union without privilege, in the format of `userxattr`.
@Suite(
    .enabled(
        if: KernelOverlay.isPossible && Conditions.has("setpriv", "chown") && File.exists(UnionStep.program),
        "\(KernelOverlay.requirements), setpriv, and the debug build's UnionStep"))
struct OrdinaryUserTests {
    /// nobody's; what only its owner may do is done to files of the caller's.
    private static let user = "65534"
    private static let asUser = ["setpriv", "--reuid", user, "--regid", user, "--clear-groups"]

    @Test(
        "an ordinary user's changes are those of root, in directories that may not be written to as well",
        arguments: ["chmod", "chmodDirectory", "create", "mkdir", "unlink", "rmdir", "replace", "link"])
    func changesOfAUser(step: String) throws {
        let (mine, roots) = (try OrdinaryUserTests.prepare(), try OrdinaryUserTests.prepare())
        let program = mine("UnionStep")
        try Tool.check("cp", [UnionStep.program, program])
        try #require(
            try UnionStep.run(step, in: mine, under: OrdinaryUserTests.asUser, program: program, marks: .user))
        try #require(try UnionStep.run(step, in: roots, marks: .user))
        // What was made new belongs to its maker.
        try OrdinaryUserTests.give(roots)
        let found = try UnionStep.snapshot(mine, .user)
        let expected = try UnionStep.snapshot(roots, .user)
        for path in Set(found.keys).union(expected.keys).sorted() {
            #expect(found[path] == expected[path], "\(step): \(path)")
        }
        #expect(try Directory.entries(mine("work/work")).isEmpty)
    }

    private static func prepare() throws -> Scratch {
        let scratch = try UnionStep.prepare(.user)
        try give(scratch)
        return scratch
    }

    private static func give(_ scratch: Scratch) throws {
        try Tool.check("chown", ["-h", "-R", "\(user):\(user)", scratch.path])
    }
}
