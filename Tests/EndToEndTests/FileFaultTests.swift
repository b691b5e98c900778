internal import Glibc
internal import Sys
internal import TestSupport
import Testing

extension EndToEnd {
    /// `commit`, `cp` and `export` on a disk that is full or loses its power.
    @Suite(.enabled(if: LoopDisk.isPossible, "\(LoopDisk.requirements)"))
    struct FileFaults {
        /// An image, and a stopped container `box` with a file of five megabytes, on the disk.
        private static func setUp(_ runimg: Runimg, _ disk: LoopDisk) -> String {
            let program = runimg.command([], dataRoot: disk.dataRoot).joined(separator: " ")
            return """
                \(program) pull -q \(Leaks.image) > /dev/null || exit 1
                \(program) run --name box $(\(program) images -q) \
                    sh -c 'seq 700000 > /file; md5sum /file' > "$disk/sum" || exit 1
                """
        }

        @Test("F7: commit, cp and export on a full disk say so, list nothing half-made and lose nothing")
        func copiesOnAFullDisk() throws {
            let runimg = try Runimg()
            let disk = try LoopDisk(megabytes: 64)
            let program = runimg.command([], dataRoot: disk.dataRoot).joined(separator: " ")
            let script =
                Self.setUp(runimg, disk)
                    + #"""

                    fill
                    for verb in "commit box half:1" "cp box:/file $1/out" "export -o $1/out.tar box"; do
                        $2 $verb > /dev/null; echo "$?"
                    done
                    ls "$1/out.tar" 2> /dev/null
                    $2 images -q | wc -l
                    # Reading needs no room.
                    $2 export box | tar -xOf - file | md5sum | cut -c1-32
                    $2 cp box:/file - | tar -xOf - | md5sum | cut -c1-32
                    rm -f "$1"/fill* "$1"/rest* "$1"/out*
                    $2 images -q | wc -l; ls "$1/data/tmp"
                    $2 commit box whole:1 > /dev/null && $2 run --rm whole:1 md5sum /file | cut -c1-32
                    cut -c1-32 "$1/sum"
                    """#
            let output = try disk.run(script, [program])
            #expect(output.status == 0, "\(output)")
            #expect(output.stderr.split(separator: "\n").count { $0.contains("ENOSPC") } >= 3, "\(output)")
            let sum = try #require(output.lines.last)
            #expect(output.lines == ["1", "1", "1", "1", sum, sum, "1", "blobs", sum, sum], "\(output)")
        }

        @Test("F2: power lost at any moment of a commit: the image is whole or absent, the container as it was")
        func powerLostInACommit() throws {
            for round in 0..<SyscallFaults.rounds(3, soak: 30) {
                let runimg = try Runimg()
                let cut = try PowerCut(megabytes: 128)
                let delay = round == 0 ? 2 : Double.random(in: 0...0.5)
                let outcome = try cut.during(
                    runimg.command(["commit", "box", "made:1"], dataRoot: cut.disk.dataRoot), seconds: delay, commit: 1,
                    setUp: Self.setUp(runimg, cut.disk))
                let moment = "cut after \(delay) s: \(outcome)"
                let root = try #require(outcome.dataRoot, "\(moment)")
                func run(_ arguments: String...) throws -> Tool.Output {
                    try Tool.run(Runimg.path, Array(runimg.command(arguments, dataRoot: root).dropFirst()))
                }
                let images = try run("images", "-q")
                #expect(
                    images.status == 0 && images.stderr.isEmpty && [1, 2].contains(images.lines.count),
                    "\(moment) \(images)")
                #expect(outcome.status != 0 || images.lines.count == 2, "\(moment) \(images)")
                let sum = try run("run", "--rm", "--volumes-from", "box", images.lines[0], "true")
                #expect(sum.status == 0, "\(moment) \(sum)")
                let file = try run("cp", "box:/file", "-").stdoutBytes
                let wanted = try Tool.check("sh", ["-c", "seq 700000 | md5sum"]).stdout
                #expect(try Tool.check("sh", ["-c", "tar -xOf - | md5sum"], input: file).stdout == wanted, "\(moment)")
                if try run("image", "exists", "made:1").status == 0 {
                    #expect(
                        try run("run", "--rm", "made:1", "sh", "-c", "md5sum < /file").stdout == wanted, "\(moment)")
                }
                #expect(try run("commit", "box", "again:1").status == 0, "\(moment)")
                #expect(try Directory.entries("\(root)/tmp").map(\.name) == ["blobs"], "\(moment)")
            }
        }
    }
}
