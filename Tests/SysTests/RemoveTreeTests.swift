internal import Glibc
internal import Sys
internal import TestSupport
import Testing

@Suite struct RemoveTreeTests {
    @Test func everyKindOfEntryGoes() throws {
        let scratch = try Scratch()
        try Tool.check(
            "sh",
            [
                "-euc",
                """
                mkdir -p tree/a/b/c tree/locked; echo x > tree/a/file; ln tree/a/file tree/hard; ln -s /etc tree/link
                ln -s no-such tree/dangling; mkfifo tree/fifo; chmod 000 tree/locked tree/a/file
                printf x > "tree/$(printf 'bad\\377name')"; mkdir "tree/$(printf 'dir\\377')"; touch "tree/$(printf 'dir\\377')/f"
                """,
            ], directory: scratch.path)
        try Directory.removeTree(scratch("tree"))
        #expect(!File.exists(scratch("tree")))
        #expect(File.exists("/etc/passwd"))
    }

    @Test func whatIsMissingIsNoErrorAndFilesGoToo() throws {
        let scratch = try Scratch()
        try Directory.removeTree(scratch("none"))
        try scratch.file("file", "x")
        try Directory.removeTree(scratch("file"))
        #expect(!File.exists(scratch("file")))
        #expect(throws: Errno.notDirectory) { try Directory.removeTree("/etc/passwd/x") }
    }

    @Test func linksAreRemovedNotFollowed() throws {
        let scratch = try Scratch()
        let canary = try Canary()
        try scratch.directory("tree/below")
        try File.symlink(canary.path, scratch("tree/link"))
        try File.symlink(canary.path + "/directory", scratch("tree/below/link"))
        try File.symlink(canary.path, scratch("top"))
        try Directory.removeTree(scratch("tree"))
        try Directory.removeTree(scratch("top"))
        #expect(try canary.changes() == [])
        #expect(try Directory.entries(scratch.path).isEmpty)
    }

    @Test func tenThousandDirectoriesDeep() throws {
        let scratch = try Scratch()
        // Two chains side by side, each far deeper than PATH_MAX, the stack or the number of descriptors allow to walk.
        for name in ["one", "two"] {
            var here = try Directory.open(try scratch.directory("tree/\(name)"))
            for level in 0..<10_000 {
                try Directory.make("d", mode: 0o755, at: here.raw)
                if level % 1000 == 0 {
                    try File.open("f", O_WRONLY | O_CREAT, mode: 0o600, at: here.raw).close()
                }
                here = try Directory.open("d", at: here.raw)
            }
        }
        try Directory.removeTree(scratch("tree"))
        #expect(!File.exists(scratch("tree")))
    }

    @Test func manyEntriesInOneDirectory() throws {
        let scratch = try Scratch()
        let directory = try Directory.open(try scratch.directory("tree"))
        for number in 0..<20_000 { try File.symlink("x", "entry-\(number)", at: directory.raw) }
        for number in 0..<2000 { try Directory.make("sub-\(number)", mode: 0o700, at: directory.raw) }
        try Directory.removeTree(scratch("tree"))
        #expect(!File.exists(scratch("tree")))
    }

    @Test(.enabled(if: Conditions.isRoot, "needs root to mount")) func aMountInsideIsNotEmptied() throws {
        let scratch = try Scratch()
        let canary = try Canary()
        try scratch.directory("tree/point")
        // In a mount namespace of its own: nothing is left here whatever happens.
        let script =
            "mount --bind \"$1\" \"$2/tree/point\" && rm -rf --one-file-system \"$2/tree/other\"; exec sleep 100"
        var holder = try ChildProcess(
            try #require(Tool.find("unshare")),
            ["-m", "--propagation", "private", "sh", "-c", script, "sh", canary.path, scratch.path],
            environment: Tool.baseEnvironment)
        // A mount in another namespace does not keep a directory from being removed (since Linux 3.18).
        Wait.sleep(0.3)
        try holder.kill()
        try Tool.check("mount", ["--bind", canary.path, scratch("tree/point")])
        #expect(throws: Errno.busy) { try Directory.removeTree(scratch("tree")) }
        try Tool.check("umount", ["-l", scratch("tree/point")])
        #expect(try canary.changes() == [])
        try Directory.removeTree(scratch("tree"))
    }

    @Test func aSwapOfDirectoryAndLinkDoesNotLeadOut() throws {
        // threats.md U17, C1: someone exchanges a directory of the tree with a link to elsewhere all the time.
        let canary = try Canary()
        let scratch = try Scratch()
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
            // Made where no link is, so that only the removal can be led astray.
            try scratch.directory("fresh/victim/below")
            try? File.rename(scratch("fresh"), to: scratch("tree"), noReplace: true)
            _ = try? Directory.removeTree(scratch("tree"))
        }
        done.update { $0 = true }
        swapper.join()
        #expect(try canary.changes() == [])
    }
}
