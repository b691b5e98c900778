import Images
import OCI
import Sys
import TestSupport
import Testing

/// No space, no inodes, no quota: said clearly, and the store is as before.
@Suite(.enabled(if: Conditions.hasBinaries, "needs the built programs")) struct FullDiskTests {
    private static let remedy = "free space on the file system of the data root"

    @Test(
        "F7: a pull or load on a full disk says so and leaves the store as it was",
        .enabled(if: LoopDisk.isPossible, "\(LoopDisk.requirements)"), arguments: Victim.Form.possible,
        ["blocks", "inodes"])
    func pulling(_ form: Victim.Form, _ what: String) throws {
        let small = try Victim(size: 100_000)
        let big = try Victim(form, size: what == "blocks" ? 12 << 20 : 1000, files: 400)
        let disk = try LoopDisk(megabytes: what == "blocks" ? 24 : 200, inodes: what == "blocks" ? nil : 300)
        let runimg = try Runimg()
        let script = #"""
            eval "$2 $3" > "$1/log" || exit 1
            find "$1/data" ! -path "*/locks*" -printf "%P %m %s\n" | sort > "$5.before"
            df --output=iused,used "$1" > "$5.free"
            eval "$2 $4"
            code=$?
            sync -f "$1"
            find "$1/data" ! -path "*/locks*" -printf "%P %m %s\n" | sort > "$5.after"
            df --output=iused,used "$1" > "$5.free-again"
            eval "$2 $3" > "$1/log" || exit 2
            exit $code
            """#
        let program = runimg.command(["pull", "-q"], dataRoot: disk.dataRoot).joined(separator: " ")
        let output = try disk.run(script, [program, small.source, big.source, disk.scratch("listing")])
        #expect(output.status == 1, "\(output)")
        #expect(output.stdout.isEmpty)
        #expect(output.stderr.contains("ENOSPC") || output.stderr.contains("reserve"), "\(output)")
        func text(_ name: String) throws -> [Substring] {
            String(decoding: try File.readAll(disk.scratch("listing.\(name)")), as: UTF8.self).split(separator: "\n")
        }
        #expect(try text("before") == text("after"))
        // A directory that had many entries keeps its blocks; a worker that is just ending may still have its own.
        let used = try [text("free"), text("free-again")].map { lines in
            lines.last?.split(separator: " ").compactMap { Int($0) } ?? []
        }
        #expect(used[0].count == 2 && used[1][0] <= used[0][0] + 2 && used[1][1] <= used[0][1] + 64, "\(used)")
    }

    @Test(
        "F7: rmi works on a disk without a free block or inode",
        .enabled(if: LoopDisk.isPossible, "\(LoopDisk.requirements)"), arguments: ["fill", "fill_inodes"])
    func removing(fill: String) throws {
        let victim = try Victim(layers: 3, size: 1 << 20)
        let disk = try LoopDisk(megabytes: 32, inodes: 400)
        let runimg = try Runimg()
        let script = #"""
            eval "$2 pull -q $3" > /dev/null || exit 1
            \#(fill)
            eval "$2 rmi app:1" || exit 2
            rm -rf "$1"/fill* "$1"/rest* "$1"/inodes
            """#
        let program = runimg.command([], dataRoot: disk.dataRoot).joined(separator: " ")
        let output = try disk.run(script, [program, victim.source])
        #expect(output.status == 0, "\(output)")
        #expect(output.lines.first == "Untagged: app:1")
        #expect(output.lines.filter { $0.hasPrefix("Deleted: ") }.count == 4)
        let root = try #require(try disk.recovered())
        try victim.expectTidy(root, layers: 0, fill)
        try victim.expectUsable(root, fill)
    }

    @Test(
        "F7: no space and no quota at any call of a pull: said, and as before",
        .enabled(if: SyscallFaults.isPossible, "\(SyscallFaults.requirements)"),
        arguments: ["write", "/^mkdir", "/^rename", "/^symlink", "fsync", "syncfs", "openat", "ftruncate"],
        ["ENOSPC", "EDQUOT"])
    func atAnyCall(_ call: String, _ error: String) throws {
        let victim = try Victim(Victim.Form.possible.randomElement() ?? .layout)
        for lasting in [false, true] {
            try ErrnoInjection.each(call, error, lasting: lasting, samples: 1) { prefix, fault in
                let runimg = try Runimg()
                try ImageStore(dataRoot: runimg.dataRoot, marks: .trusted).prepare()
                let before = try TreeListing(runimg.dataRoot, .contents).without("locks")
                let output = try runimg.run(["pull", "-q", victim.source], under: prefix)
                let isThere = try victim.expectWholeOrAbsent(runimg.imageStore, "\(fault)")
                // A name whose directory could not be synced is there; half of an image never is.
                #expect(isThere || output.status != 0, "\(fault): \(output)")
                let met = fault.met
                let ours = met.filter { $0.contains(runimg.dataRoot) }
                if !ours.isEmpty {
                    // What cannot be opened may be what is removed in the end, which the next command does then.
                    #expect(output.status == 1 || call == "openat" && isThere, "\(fault): \(met) \(output)")
                    // Where nothing can be made or renamed any more, a later command tidies up.
                    let canTidy = !lasting || ["write", "/^symlink"].contains(call)
                    if !isThere, canTidy {
                        let after = try TreeListing(runimg.dataRoot, .contents).without("locks")
                        #expect(after.differences(from: before) == [], "\(fault): \(met) \(output)")
                    }
                }
                if output.status != 0 {
                    // Elsewhere it has other names: a pipe that is full, a library that is missing.
                    let isNamed = output.stderr.contains(error) || ours.count < met.count
                    // Nothing can be said where the words themselves meet it.
                    let isMute = met.contains { $0.contains(" write(2<") }
                    #expect(isMute || isNamed && !output.stderr.isEmpty, "\(fault): \(met) \(output)")
                }
                try victim.expectUsable(runimg.dataRoot, "\(fault)")
            }
        }
    }

    @Test(
        "F7: no space and no quota at any call of rmi: whole or gone, and said",
        .enabled(if: SyscallFaults.isPossible, "\(SyscallFaults.requirements)"),
        arguments: ["write", "/^mkdir", "/^rename", "fsync", "openat"])
    func removingAtAnyCall(_ call: String) throws {
        let victim = try Victim()
        for (error, lasting) in [("ENOSPC", false), ("EDQUOT", false), ("ENOSPC", true), ("EDQUOT", true)] {
            try ErrnoInjection.each(call, error, lasting: lasting, samples: 2) { prefix, fault in
                let runimg = try Runimg()
                try runimg.check("pull", "-q", victim.source)
                let output = try runimg.run(["rmi", Victim.name], under: prefix)
                let isThere = try victim.expectWholeOrAbsent(runimg.imageStore, "\(fault)")
                #expect(!isThere || output.status != 0, "\(fault): \(output)")
                if fault.met.contains(where: { $0.contains(runimg.dataRoot) }), output.status != 0 {
                    #expect(output.status == 1, "\(fault): \(output)")
                    let isOurs = fault.met.allSatisfy { $0.contains(runimg.dataRoot) }
                    #expect(!isOurs || output.stderr.contains(error), "\(fault): \(fault.met) \(output)")
                }
                try victim.expectUsable(runimg.dataRoot, "\(fault)")
            }
        }
    }
}
