import CMonitor
import Glibc
import Sys
import TestSupport
import Testing

/// What a monitor does with the files that a container has left.
@Suite struct RemovalTests {
    private let scratch: Scratch

    init() throws { scratch = try Scratch() }

    /// As a monitor is told: by a descriptor and a path.
    private func remove(_ name: String = "tree") throws -> Bool {
        let directory = try Directory.open(scratch(name))
        return cmon_remove(directory.raw, scratch(name))
    }

    @Test func everyKindOfEntryGoesAndNoLinkIsFollowed() throws {
        let canary = try Canary()
        try Tool.check(
            "sh",
            [
                "-euc",
                """
                mkdir -p tree/a/b/c tree/locked; echo x > tree/a/file; ln tree/a/file tree/hard; ln -s "$1" tree/link
                ln -s "$1/directory" tree/a/b/link; ln -s no-such tree/dangling; mkfifo tree/fifo
                chmod 000 tree/locked tree/a/file; printf x > "tree/$(printf 'bad\\377name')"; touch tree/-rf
                mkdir "tree/$(printf 'dir\\377')"; touch "tree/$(printf 'dir\\377')/f"
                """, "sh", canary.path,
            ], directory: scratch.path)
        let isGone = try remove()
        #expect(isGone && !File.exists(scratch("tree")))
        #expect(try canary.changes() == [])
    }

    @Test func manyEntriesInOneDirectory() throws {
        let directory = try Directory.open(try scratch.directory("tree/many"))
        let padding = String(repeating: "x", count: 200)
        for number in 0..<10_000 { try File.symlink("x", "\(padding)\(number)", at: directory.raw) }
        for number in 0..<500 { try Directory.make("sub-\(number)", mode: 0o700, at: directory.raw) }
        let isGone = try remove()
        #expect(isGone && !File.exists(scratch("tree")))
    }

    @Test(.enabled(if: Conditions.isRoot, "needs root to mount")) func noMountIsEntered() throws {
        let canary = try Canary()
        // Bind mounts, which have the same device.
        try scratch.directory("tree/point/below")
        try scratch.file("tree/file", "x")
        try scratch.file("tree/other/file", "x")
        try Tool.check("mount", ["--bind", canary.path, scratch("tree/point/below")])
        try Tool.check("mount", ["--bind", "\(canary.path)/file", scratch("tree/file")])
        let isGone = try remove()
        try Tool.check("umount", ["-l", scratch("tree/point/below")])
        try Tool.check("umount", ["-l", scratch("tree/file")])
        #expect(!isGone)
        #expect(try canary.changes() == [])
        #expect(try Directory.entries(scratch("tree")).map(\.name).sorted() == ["file", "point"])
        let isGoneThen = try remove()
        #expect(isGoneThen && !File.exists(scratch("tree")))
    }

    @Test(.enabled(if: Conditions.isRoot && Conditions.has("chattr"), "needs root and chattr"))
    func whatCannotBeDeletedStaysAlone() throws {
        try scratch.file("tree/a/kept", "x")
        for number in 0..<300 { try scratch.file("tree/a/file\(number)", "x") }
        try scratch.file("tree/b/file", "x")
        guard try Tool.run("chattr", ["+i", scratch("tree/a/kept")]).status == 0 else { return }
        let isGone = try remove()
        let left = try TreeListing(scratch("tree"), .contents).entries.keys.sorted()
        try Tool.check("chattr", ["-i", scratch("tree/a/kept")])
        #expect(!isGone)
        #expect(left.filter { $0 != "" && $0 != "." } == ["a", "a/kept"])
    }

    /// Each takes a descriptor and room on the stack.
    @Test func whatLiesVeryDeepStaysForTheNextCommand() throws {
        var here = try Directory.open(try scratch.directory("tree"))
        for _ in 0..<1000 {
            try Directory.make("d", mode: 0o755, at: here.raw)
            here = try Directory.open("d", at: here.raw)
        }
        let isGone = try remove()
        #expect(!isGone)
        try Directory.removeTree(scratch("tree"))
        let nested = (0..<60).map { _ in "d" }.joined(separator: "/")
        try scratch.directory("tree/\(nested)")
        let isGoneThen = try remove()
        #expect(isGoneThen && !File.exists(scratch("tree")))
    }

    @Test func aSwapOfDirectoryAndLinkDoesNotLeadOut() throws {
        let canary = try Canary()
        let done = Monitor(false)
        let path = scratch.path
        try File.symlink(canary.path, scratch("link"))
        let swapper = try JoinableThread {
            while !done.read(\.self) {
                try? File.rename("\(path)/tree/victim", to: "\(path)/aside")
                try? File.rename("\(path)/link", to: "\(path)/tree/victim", noReplace: true)
                try? File.rename("\(path)/tree/victim", to: "\(path)/link", noReplace: true)
                try? File.rename("\(path)/aside", to: "\(path)/tree/victim", noReplace: true)
            }
        }
        for _ in 0..<300 {
            try scratch.directory("fresh/victim/below")
            try? File.rename(scratch("fresh"), to: scratch("tree"), noReplace: true)
            if File.exists(scratch("tree")) { _ = try? remove() }
        }
        done.update { $0 = true }
        swapper.join()
        #expect(try canary.changes() == [])
    }
}
