internal import Glibc
internal import Sys
internal import TestSupport
import Testing

@Suite struct DirectoryTests {
    @Test func pathsAreMadeWithTheirModeWhateverTheUmask() throws {
        let scratch = try Scratch()
        try Directory.makePath(scratch("a/b/c"), mode: 0o711)
        for name in ["a", "a/b", "a/b/c"] { #expect(try File.status(scratch(name)).mode == 0o711) }
        try Directory.makePath(scratch("a/b"), mode: 0o700)
        #expect(try File.status(scratch("a/b")).mode == 0o711)
        try scratch.file("file", "x")
        #expect(throws: SystemFailure.self) { try Directory.makePath(scratch("file/below"), mode: 0o700) }
    }

    @Test func entriesAreAllThereOnce() throws {
        let scratch = try Scratch()
        let directory = try Directory.open(scratch.path)
        for number in 0..<3000 { try File.symlink("x", "n\(number)", at: directory.raw) }
        let names = try Directory.entries(directory.raw).map(\.name)
        #expect(names.count == 3000 && Set(names).count == 3000)
        // The caller's position does not move.
        #expect(try Directory.entries(directory.raw).count == 3000)
    }

    @Test(.enabled(if: Conditions.isRoot && Conditions.has("setfattr"), "needs root and attr"))
    func aTreeIsCopiedWhole() throws {
        let scratch = try Scratch()
        try Tool.check(
            "sh",
            [
                "-euc",
                """
                mkdir -p from/a/b; echo text > from/a/file; chmod 4751 from/a/file; chown 1000:50 from/a/file
                setfattr -n user.one -v two from/a/file; ln -s ../nowhere from/a/link; chown -h 7:8 from/a/link
                mkfifo -m 640 from/fifo; mknod from/null c 1 3; truncate -s 8M from/sparse; printf end >> from/sparse
                touch -d @1000000000.5 from/a/file from/fifo; touch -h -d @1000000001 from/a/link; chmod 1777 from/a
                touch -d @1000000002 from/a from/a/b; mkdir to
                """,
            ], directory: scratch.path)
        let from = try Directory.open(scratch("from"))
        let to = try Directory.open(scratch("to"))
        try Directory.copyTree(from: from.raw, to: to.raw)
        let expected = try TreeListing(scratch("from"))
        let found = try TreeListing(scratch("to"))
        #expect(found.differences(from: expected) == [])
        #expect(try #require(found["sparse"]).blocks < 100)
        let (source, target) = (from.raw, to.raw)
        #expect(throws: Errno.exists) { try Directory.copyTree(from: source, to: target) }
    }

    @Test func errorsAreNamed() {
        #expect(Errno(rawValue: ENOENT).description == "no such file or directory (ENOENT)")
        #expect(Errno(rawValue: 99999).name == "errno 99999")
        #expect(SystemFailure("open", "/x", .accessDenied).description == "open /x: permission denied (EACCES)")
        #expect(
            Path.split("/a/\u{301}b") == ("/a", "\u{301}b"))
        #expect(
            Path.split("/a") == ("/", "a") && Path.split("b") == (".", "b") && Path.split("/a/b/c") == ("/a/b", "c"))
    }

    @Test func aSpawnedProgramGetsThreeDescriptorsAndNoMore() throws {
        let pipe = try Pipe()
        let null = try File.open("/dev/null", O_RDWR)
        let inherited = dup(null.raw)
        defer { close(inherited) }
        let pid = try Spawn.start(
            ["/bin/sh", "-c", "ls /proc/self/fd | wc -l; echo $NAME; exit 9"],
            environment: ["NAME=value", "PATH=/usr/bin:/bin"],
            input: null.raw, output: pipe.writer.raw, error: null.raw)
        #expect(try Spawn.wait(pid) == .code(9))
        let writer = pipe.writer.raw
        _ = writer
        var bytes = [UInt8](repeating: 0, count: 256)
        let reader = pipe.reader.raw
        let count = read(reader, &bytes, bytes.count)
        // 0 to 2 and the one that ls reads the directory by.
        #expect(String(decoding: bytes.prefix(max(0, count)), as: UTF8.self) == "4\nvalue\n")
    }

    @Test func aProcessDescriptorTellsTheEnd() throws {
        let null = try File.open("/dev/null", O_RDWR)
        let pid = try Spawn.start(
            ["/bin/sleep", "100"], environment: [], input: null.raw, output: null.raw, error: null.raw)
        let process = try Pidfd.open(pid)
        try Pidfd.send(SIGTERM, to: process.raw)
        #expect(try Pidfd.wait(process.raw) == .signal(SIGTERM))
        let raw = process.raw
        #expect(throws: Errno.noProcess) { try Pidfd.send(SIGTERM, to: raw) }
    }
}
