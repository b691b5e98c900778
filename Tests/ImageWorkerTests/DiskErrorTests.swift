import Images
import OCI
import Sys
import TestSupport
import Testing

/// A disk that fails, and one that is read-only.
@Suite(.enabled(if: Conditions.hasBinaries, "needs the built programs")) struct DiskErrorTests {
    @Test(
        "F8: a sync that fails is a pull that fails, and is never tried again",
        .enabled(if: SyscallFaults.isPossible, "\(SyscallFaults.requirements)"), arguments: ["fsync", "syncfs"])
    func pulling(call: String) throws {
        let victim = try Victim()
        let faults = try ErrnoInjection.each(call, "EIO", samples: 6) { prefix, fault in
            let runimg = try Runimg()
            let output = try runimg.run(["pull", "-q", victim.source], under: prefix)
            try victim.expectWholeOrAbsent(runimg.imageStore, "\(fault)")
            if fault.met.isEmpty {
                #expect(output.status == 0)
            } else {
                #expect(output.status == 1 && output.stdout.isEmpty, "\(fault): \(fault.met) \(output)")
                #expect(output.stderr.contains("EIO"), "\(fault): \(output)")
                #expect(fault.met.count == 1)
            }
            try victim.expectUsable(runimg.dataRoot, "\(fault)")
        }
        #expect(faults > 1)
    }

    @Test(
        "F8: a sync that fails is a removal that fails",
        .enabled(if: SyscallFaults.isPossible, "\(SyscallFaults.requirements)"))
    func removing() throws {
        let victim = try Victim()
        let faults = try ErrnoInjection.each("fsync", "EIO", samples: 6) { prefix, fault in
            let runimg = try Runimg()
            try runimg.check("pull", "-q", victim.source)
            let output = try runimg.run(["rmi", Victim.name], under: prefix)
            try victim.expectWholeOrAbsent(runimg.imageStore, "\(fault)")
            if !fault.met.isEmpty {
                #expect(output.status == 1 && output.stderr.contains("EIO"), "\(fault): \(fault.met) \(output)")
            }
            try victim.expectUsable(runimg.dataRoot, "\(fault)")
        }
        #expect(faults > 1)
    }

    @Test(
        "F8: a read-only data root is said by every verb that writes and no hindrance to those that read",
        .enabled(if: LoopDisk.isPossible, "\(LoopDisk.requirements)"))
    func readOnly() throws {
        let victim = try Victim()
        let other = try Victim()
        let disk = try LoopDisk(megabytes: 64)
        let runimg = try Runimg()
        let script = #"""
            eval "$2 pull -q $3" > /dev/null || exit 1
            remount ro
            for verb in "pull -q $3" "pull -q $4" "rmi app:1" "run --rm app:1 true" "run app:1 true"; do
                eval "$2 $verb"
                echo "exit $?"
            done
            eval "$2 images --format '{{.Repository}}:{{.Tag}}'"
            """#
        let program = runimg.command([], dataRoot: disk.dataRoot).joined(separator: " ")
        let output = try disk.run(script, [program, victim.source, other.source])
        #expect(output.status == 0, "\(output)")
        #expect(output.lines == ["exit 1", "exit 1", "exit 1", "exit 125", "exit 125", "app:1"], "\(output)")
        let errors = output.stderr.split(separator: "\n").filter { $0.contains("EROFS") }
        #expect(errors.count == 5, "\(output)")
    }
}
