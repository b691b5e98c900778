internal import Glibc
internal import OCI
internal import Sys
internal import TestSupport
import Testing

extension EndToEnd {
    /// A container whose disk loses power, is full or fails: the next command works, and what was said holds.
    @Suite(
        .enabled(
            if: LoopDisk.isPossible && SyscallFaults.isPossible,
            "\(LoopDisk.requirements), and strace"))
    struct RunFaults {
        static let image = "oci:\(Fixtures.layout("busybox")):latest"

        /// Pulls the fixture image into a disk's data root; its ID is in the file `id` of the disk.
        private static func setUp(_ runimg: Runimg, _ disk: LoopDisk) -> String {
            let program = runimg.command([], dataRoot: disk.dataRoot).joined(separator: " ")
            return """
                \(program) pull -q \(image) > /dev/null || exit 1
                \(program) images -q > "$disk/id" || exit 1
                """
        }

        /// The records of all containers.
        private func records(_ dataRoot: String) throws -> [String] {
            guard let entries = try? Directory.entries("\(dataRoot)/containers") else { return [] }
            return try entries.map(\.name).filter { $0.count == 64 }.map { id in
                String(decoding: try File.readAll("\(dataRoot)/containers/\(id)/config.json"), as: UTF8.self)
            }
        }

        /// What a boot does to a data root: nothing below /run tells of its containers any more.
        private func boot(_ dataRoot: String) throws {
            // Of another data root, which is not there any more: a command of any store may be the one that clears it away,
            // and half-way through that it would be neither there nor gone for ours.
            let other = try Runimg()
            let ids = ((try? Directory.entries("\(dataRoot)/containers")) ?? []).map(\.name).filter { $0.count == 64 }
            let isCleared = Wait.until(seconds: 20) {
                _ = try? other("ps")
                return !ids.contains { File.exists("\(other.runDirectory)/\($0)") }
            }
            #expect(isCleared)
            let mark = "\(dataRoot)/containers/boot-id"
            if File.exists(mark) { try File.replace(mark, with: Array("an earlier one\n".utf8)) }
        }

        /// After one command only the records of containers that were to stay are there, all of them ended.
        private func expectSettled(_ dataRoot: String, kept: ClosedRange<Int>, _ moment: String) throws {
            let runimg = try Runimg()
            func run(_ arguments: [String]) throws -> Tool.Output {
                try Tool.run(Runimg.path, Array(runimg.command(arguments, dataRoot: dataRoot).dropFirst()))
            }
            let listed = try run(["images", "-q"])
            #expect(listed.status == 0, "\(moment): \(listed)")
            let records = try records(dataRoot)
            #expect(kept.contains(records.count), "\(moment): \(records)")
            #expect(records.allSatisfy { $0.contains(#""status":"exited""#) }, "\(moment): \(records)")
            let names = (try? Directory.entries("\(dataRoot)/containers/names").map(\.name)) ?? []
            #expect(names.count == records.count, "\(moment): \(names)")
            let layers = try Directory.entries("\(dataRoot)/image/overlay2/layerdb/sha256").count
            #expect(try Directory.entries("\(dataRoot)/overlay2").count == layers + 1 + records.count, "\(moment)")
            let image = try #require(listed.lines.first)
            let again = try run(["run", "--rm", "--name", "another", image, "true"])
            #expect(again.status == 0, "\(moment): \(again)")
        }

        @Test("F1: the end of a container that run told survives a power cut") func afterTheEnd() throws {
            let runimg = try Runimg()
            let cut = try PowerCut(megabytes: 128)
            let setUp = Self.setUp(runimg, cut.disk)
            let script = (runimg.command(["run", "--name", "kept"], dataRoot: cut.disk.dataRoot)).joined(separator: " ")
            let outcome = try cut.after(
                ["sh", "-c", "\(script) $(cat \(cut.disk.mountPoint)/id) sh -c 'exit 7'"], setUp: setUp)
            #expect(outcome.status == 7, "\(outcome)")
            let root = try #require(outcome.dataRoot)
            try boot(root)
            let records = try records(root)
            #expect(records.count == 1)
            #expect(records.allSatisfy { $0.contains(#""exitCode":7"#) && $0.contains(#""status":"exited""#) })
            #expect(try File.readLink("\(root)/containers/names/kept").count == 64)
            try expectSettled(root, kept: 1...1, "after the end")
        }

        @Test("F2: power lost at any moment of a run is cleaned up by the next command", arguments: [true, false])
        func atAnyMoment(remove: Bool) throws {
            let runimg = try Runimg()
            for round in 0..<SyscallFaults.rounds(4, soak: 40) {
                let cut = try PowerCut(megabytes: 128)
                let flags = (remove ? ["--rm"] : []) + ["--name", "lost", "-v", "named:/data", "-v", "/anonymous"]
                let line = runimg.command(["run"] + flags, dataRoot: cut.disk.dataRoot).joined(separator: " ")
                // The last ones stand when the journal is written, and the records are not.
                let delay = round == 0 ? 2.5 : Double.random(in: 0...0.4)
                let outcome = try cut.during(
                    ["sh", "-c", "exec \(line) $(cat \(cut.disk.mountPoint)/id) sleep 60"], seconds: delay,
                    commit: 1, setUp: Self.setUp(runimg, cut.disk))
                let moment = "cut after \(delay) s: \(outcome)"
                let root = try #require(outcome.dataRoot, "\(moment)")
                try boot(root)
                // A container that stays may be lost or ended; one that was to go is gone.
                try expectSettled(root, kept: 0...(remove ? 0 : 1), moment)
            }
        }

        @Test("F7: a container that fills the disk keeps its exit code, its files and its record")
        func aContainerFillsTheDisk() throws {
            let runimg = try Runimg()
            let disk = try LoopDisk(megabytes: 64)
            let program = runimg.command([], dataRoot: disk.dataRoot).joined(separator: " ")
            let output = try disk.run(
                Self.setUp(runimg, disk)
                    + #"""

                    # The rest of the disk is taken by the host, so that nothing at all is left.
                    eval "$2 run $(cat "$1/id") sh -c 'dd if=/dev/zero of=/fill bs=64k; sync -f /fill; dd if=/dev/zero of=/rest bs=512; exit 9'"
                    echo "exit $?"
                    eval "$2 images -q" | wc -l
                    eval "$2 run --rm $(cat "$1/id") true"
                    echo "exit $?"
                    du -m "$1"/data/overlay2/*/diff/fill | cut -f1
                    """#, [program])
            #expect(output.status == 0, "\(output)")
            #expect(output.lines.prefix(3) == ["exit 9", "1", "exit 125"], "\(output)")
            #expect(Int(output.lines.last ?? "").map { $0 > 20 } == true, "\(output)")
            #expect(output.stderr.contains("ENOSPC"), "\(output)")
            let root = try #require(try disk.recovered())
            let records = try records(root)
            #expect(records.count == 1)
            #expect(records.allSatisfy { $0.contains(#""exitCode":9"#) && $0.contains(#""status":"exited""#) })
        }

        @Test(
            "F7: run on a disk without a free block or inode says so and leaves nothing",
            arguments: ["fill", "fill_inodes"])
        func onAFullDisk(fill: String) throws {
            let runimg = try Runimg()
            let disk = try LoopDisk(megabytes: 64, inodes: 600)
            let program = runimg.command([], dataRoot: disk.dataRoot).joined(separator: " ")
            let script =
                Self.setUp(runimg, disk)
                    + #"""

                    eval "$2 run --rm $(cat "$1/id") true" || exit 3
                    while ls "$1/data/tmp" | grep -q removed-; do sleep 0.05; done
                    \#(fill)
                    find "$1/data" ! -name events.log -printf "%P %m %s\n" | sort > "$3.before"
                    for flags in --rm "" "-v named:/data" "-v /anonymous"; do
                        eval "$2 run $flags $(cat "$1/id") true"
                        echo "exit $?"
                    done
                    find "$1/data" ! -name events.log -printf "%P %m %s\n" | sort > "$3.after"
                    rm -rf "$1"/fill* "$1"/rest* "$1"/inodes
                    eval "$2 run --rm $(cat "$1/id") true"
                    """#
            let output = try disk.run(script, [program, disk.scratch("listing")])
            #expect(output.status == 0, "\(output)")
            #expect(output.lines == ["exit 125", "exit 125", "exit 125", "exit 125"], "\(output)")
            #expect(output.stderr.split(separator: "\n").count { $0.contains("ENOSPC") } == 4, "\(output)")
            let changes = try Tool.run("diff", [disk.scratch("listing.before"), disk.scratch("listing.after")])
            #expect(changes.status == 0, "\(changes)")
        }

        @Test(
            "F7, F8: an error at any call of a run that touches the store: said, and nothing left",
            arguments: ["/^mkdir", "/^symlink", "write", "openat", "/^rename", "fsync"], ["ENOSPC", "EDQUOT", "EIO"])
        func atAnyCall(_ call: String, _ error: String) throws {
            let runimg = try EndToEnd.Leaks.settled()
            let id = try #require(try runimg.check("images", "-q").lines.first)
            try runimg.check("run", "--rm", "-v", "/anonymous", id, "true")
            let before = try LeakSnapshot(dataRoot: runimg.dataRoot)
            try ErrnoInjection.each(call, error, samples: 3) { prefix, fault in
                let output = try runimg.run(["run", "--rm", "-v", "/anonymous", id, "true"], under: prefix)
                // A record that could not be read is tried again.
                let changes = fault.met.filter { line in
                    // Nor does what is only told, of events and output, fail anything.
                    (call != "openat" || line.contains("O_CREAT")) && !line.contains("events.log")
                        && !line.contains("-json.log")
                        // What can't be moved out of the way is deleted where it is.
                        && !line.contains("/tmp/removed-") && !line.contains("/containers/names/")
                }
                if changes.contains(where: { $0.contains(runimg.dataRoot) }) {
                    #expect(output.status == 125, "\(fault): \(fault.met) \(output)")
                    #expect(output.stderr.contains(error), "\(fault): \(fault.met) \(output)")
                }
                try runimg.check("images")
                try EndToEnd.expectClean(before, "\(fault)")
            }
        }

        @Test("F8: a container's end that could not be synced is not reported as its exit code")
        func anEndThatIsNotOnDisk() throws {
            let runimg = try EndToEnd.Leaks.settled()
            let id = try #require(try runimg.check("images", "-q").lines.first)
            var wasMet = false
            try ErrnoInjection.each("fsync", "EIO") { prefix, fault in
                let output = try runimg.run(["run", id, "sh", "-c", "echo ran; exit 3"], under: prefix)
                // Or the next one would record this one's end while it runs.
                try runimg.check("images")
                guard !fault.met.isEmpty else { return #expect(output.status == 3) }
                wasMet = true
                #expect(output.stdout == "ran\n")
                #expect(output.status == 125 && output.stderr.contains("EIO"), "\(fault): \(fault.met) \(output)")
            }
            #expect(wasMet)
            // What the containers wrote is kept, and their records say that they ended.
            let records = try records(runimg.dataRoot)
            #expect(records.count > 1 && records.allSatisfy { $0.contains(#""status":"exited""#) }, "\(records)")
        }
    }
}
