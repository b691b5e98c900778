internal import Glibc
internal import OCI
internal import Sys
internal import TestSupport
import Testing

extension EndToEnd {
    /// What was removed and takes long to delete is deleted by a process that nobody waits for.
    @Suite(
        .enabled(if: (try? FileSystemRoom("/tmp").isLow) == false, "needs a disk with room"),
        .timeLimit(.minutes(Wait.minutes(10))))
    struct Deletion {
        private static let files = "mkdir -p many/0; seq 3000 | sed 's,^,many/0/,' | xargs touch"

        /// An engine with an image of many files.
        private static func withImage() throws -> (Runimg, id: String) {
            let runimg = try Runimg()
            let layout = runimg.scratch("layout")
            try ImageForge.layout(layout, tars: [try ImageForge.tar(files)], .none)
            let id = try #require(try runimg.check("pull", "-q", "oci:\(layout):latest", timeout: 300).lines.last)
            return (runimg, id)
        }

        /// Runs `body` while a process that deletes seems to be at work and does nothing.
        private static func whileDeleterStands(_ runimg: Runimg, _ body: () throws -> Void) throws {
            let lock = try FileLock("\(runimg.dataRoot)/locks/deletion", in: File.workingDirectory)
            try body()
            _ = consume lock
        }

        private static func names(_ runimg: Runimg, _ directory: String) throws -> [String] {
            try Directory.entries("\(runimg.dataRoot)/\(directory)").map(\.name).filter { $0 != "l" }.sorted()
        }

        private static func isGone(_ runimg: Runimg) -> Bool {
            Wait.until(seconds: 20) { (try? names(runimg, "tmp")) == ["blobs"] }
        }

        @Test("rmi returns when the image is gone, before its files are; the next command has them deleted")
        func ofAnImage() throws {
            let (runimg, id) = try Self.withImage()
            try Self.whileDeleterStands(runimg) {
                try runimg.check("rmi", id)
                #expect(try Self.names(runimg, "overlay2") == [])
                let left = try Self.names(runimg, "tmp").filter { $0.hasPrefix("removed-") }
                #expect(left.count == 1)
                // Other commands neither wait for it nor take it for theirs.
                #expect(try runimg.check("images", "-q").lines == [])
                #expect(try Self.names(runimg, "tmp").filter { $0.hasPrefix("removed-") } == left)
            }
            try runimg.check("images")
            #expect(Self.isGone(runimg))
        }

        @Test("rm returns when the container is gone, before its files are")
        func ofAContainer() throws {
            let runimg = try Runimg()
            try runimg.check("pull", "-q", Leaks.image)
            let image = try #require(try runimg.check("images", "-q").lines.first)
            let script = "i=0; while [ $i -lt 2000 ]; do : > /f$i; i=$((i + 1)); done"
            let layers = try Self.names(runimg, "overlay2")
            try Self.whileDeleterStands(runimg) {
                try runimg.check("run", "--name", "box", "--network", "none", image, "sh", "-c", script)
                #expect(try runimg.check("rm", "box").lines == ["box"])
                #expect(try Self.names(runimg, "overlay2") == layers)
                #expect(try runimg.check("ps", "-aq").lines == [])
                #expect(try Self.names(runimg, "tmp").contains { $0.hasPrefix("removed-") })
                // Its name is free.
                try runimg.check("create", "--name", "box", "--network", "none", image, "true")
            }
            try runimg.check("rm", "box")
            #expect(Self.isGone(runimg))
        }

        @Test(
            "F32: a deletion that is killed at a call is ended by the next command",
            .enabled(if: SyscallFaults.isPossible, "\(SyscallFaults.requirements)"),
            arguments: ["/^unlink", "flock", "openat", "fsync"])
        func killedAtACall(call: String) throws {
            try CrashEnumerator(call, samples: 2).run(
                prepare: {
                    let (runimg, id) = try Self.withImage()
                    try Self.whileDeleterStands(runimg) { try runimg.check("rmi", id) }
                    return runimg
                },
                command: { (runimg: Runimg, prefix: [String]) in
                    try runimg.run(["delete-garbage"], under: prefix).status == 0
                },
                check: { (runimg: Runimg, moment, ended) in
                    if ended { #expect(try Self.names(runimg, "tmp") == ["blobs"], "\(moment)") }
                    try runimg.check("images")
                    #expect(Self.isGone(runimg), "\(moment)")
                })
        }

        @Test("of several one after the other, each is removed whatever became of the one before")
        func oneAfterTheOther() throws {
            let runimg = try Leaks.settled()
            let image = try #require(try runimg.check("images", "-q").lines.first)
            for name in ["one", "two"] {
                try runimg.check("run", "-d", "--network", "none", "--name", name, image, "sleep", "100")
            }
            let output = try runimg.run(["rm", "-f", "-t", "0", "one", "missing", "two"])
            #expect(output.lines == ["one", "two"], "\(output)")
            #expect(try runimg.check("ps", "-aq").lines == [])
        }

        @Test("where there is little room, whoever removes something has it deleted when the command returns")
        func whereThereIsLittleRoom() throws {
            let (runimg, _) = try Self.withImage()
            let disk = try LoopDisk(megabytes: 64)
            let layout = runimg.scratch("layout")
            let line = runimg.command([], dataRoot: disk.dataRoot).map { "'\($0)'" }.joined(separator: " ")
            let output = try disk.check(
                """
                id=$(\(line) pull -q oci:\(layout):latest | tail -n 1) || exit 1
                fill
                flock \(disk.dataRoot)/locks/deletion \(line) rmi "$id" > /dev/null || exit 2
                ls \(disk.dataRoot)/tmp
                """)
            #expect(output.lines == ["blobs"], "\(output)")
        }
    }
}
