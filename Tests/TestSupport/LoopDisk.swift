internal import Glibc
internal import Sys

/// A small ext4 file system in a file, for tests of disks that are full, read-only or lose their power. It is mounted
/// only while a script runs, in a mount namespace of that script's own: nobody else keeps a dead file system alive.
package final class LoopDisk: Sendable {
    package let scratch: Scratch
    package var image: String { scratch("disk.img") }
    /// Where scripts find it.
    package var mountPoint: String { scratch("disk") }
    /// The data root that tests use on it.
    package var dataRoot: String { "\(mountPoint)/data" }

    package static let isPossible =
        Conditions.isRoot && Conditions.has("mkfs.ext4", "unshare", "mount", "umount", "perl")
    package static let requirements = "needs root, mkfs.ext4, unshare and perl"

    /// The scripts' own failures, so that they are not taken for a command's.
    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

    /// `inodes` is how many files it can have; the file is sparse, so megabytes cost nothing.
    package init(megabytes: Int, inodes: Int? = nil) throws {
        scratch = try Scratch()
        try scratch.directory("disk")
        let file = try File.open(scratch("disk.img"), O_WRONLY | O_CREAT | O_EXCL, mode: 0o600)
        try File.truncate(file.raw, to: Int64(megabytes) << 20)
        let count = inodes.map { ["-N", "\($0)"] } ?? []
        try Tool.check("mkfs.ext4", ["-q", "-F"] + count + [scratch("disk.img")])
    }

    /// Runs the shell script with the disk mounted; `$1` is the mount point, the arguments follow. In it `cut_power` cuts the
    /// power, `fill` takes all space that is left, `fill_inodes` all inodes, and `remount MODE` makes it ro or rw.
    /// The disk is unmounted when the script ends.
    @discardableResult
    package func run(
        _ script: String, _ arguments: [String] = [], options: String = "", timeout: Double = 120
    ) throws -> Tool.Output {
        let output = try Tool.run(
            "unshare",
            [
                "-m", "--propagation", "private", "sh", "-c", LoopDisk.prelude + script, "sh", mountPoint, image,
                options,
            ] + arguments, timeout: timeout)
        if let status = output.status, (90...99).contains(status) { throw Failure(description: "\(output)") }
        return output
    }

    /// As `run`, and throws unless the script exits with 0.
    @discardableResult
    package func check(_ script: String, _ arguments: [String] = [], options: String = "") throws -> Tool.Output {
        let output = try run(script, arguments, options: options)
        guard output.status == 0 else { throw Tool.Failure(output: output) }
        return output
    }

    /// The data root as whoever mounts the disk next finds it, copied out of a copy of the disk; nil when it is not
    /// there.
    package func recovered() throws -> String? {
        let copy = scratch("disk-\(Random.hex(bytes: 4)).img")
        let tree = scratch("data-\(Random.hex(bytes: 4))")
        // The copy is a device of its own, so that nothing that the kernel remembers of the first one helps.
        try Tool.check("cp", ["--sparse=always", image, copy])
        defer { try? File.unlink(copy) }
        let script = #"mount -o loop "$2" "$1" || exit 1; test ! -e "$1/data" || cp -a "$1/data" "$3"; umount "$1""#
        try Tool.check(
            "unshare",
            ["-m", "--propagation", "private", "sh", "-ec", script, "sh", mountPoint, copy, tree], timeout: 120)
        return File.exists(tree) ? tree : nil
    }

    // 0x8004587d is EXT4_IOC_SHUTDOWN; 2 is EXT4_GOING_FLAGS_NOLOGFLUSH: what is in memory is lost, the journal's last
    // records too (fs/ext4/ioctl.c).
    private static let prelude = #"""
        mount -o "loop${3:+,$3}" "$2" "$1" || exit 90
        disk=$1
        shift 3
        set -- "$disk" "$@"
        unmount() {
            for i in 1 2 3 4 5 6 7 8 9 10; do
                umount "$disk" 2>/dev/null && return
                # A container's monitor outlives its command, and a power cut ends it.
                for process in /proc/[0-9]*; do
                    ls -l "$process/fd" 2>/dev/null | grep -q -F -- "-> $disk/" && kill -9 "${process#/proc/}"
                done
                sleep 0.2
            done
            exit 92
        }
        trap 'code=$?; cd /; unmount; exit $code' EXIT
        cut_power() {
            perl -e 'my $flag = pack("L", 2);
                sysopen(F, $ARGV[0], 0) && ioctl(F, 0x8004587d, $flag) or die "$!"' "$disk" || exit 91
        }
        fill() {
            for size in 1M 64k 4k 512; do dd if=/dev/zero of="$disk/fill-$size" bs=$size 2>/dev/null; done
            sync -f "$disk"
            for size in 4k 512; do dd if=/dev/zero of="$disk/rest-$size" bs=$size 2>/dev/null; done
        }
        fill_inodes() {
            mkdir -p "$disk/inodes"
            i=0
            while true > "$disk/inodes/$i"; do i=$((i + 1)); done 2>/dev/null
        }
        remount() {
            for i in 1 2 3 4 5 6 7 8 9 10; do
                mount -o "remount,$1" "$disk" 2>/dev/null && return
                sleep 0.2
            done
            exit 93
        }

        """#
}
