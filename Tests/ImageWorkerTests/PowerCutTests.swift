import Glibc
import Images
import OCI
import Sys
import TestSupport
import Testing

/// A data root on an ext4 file system in a file, whose power is cut by EXT4_IOC_SHUTDOWN: what was not synced is gone,
/// the journal's last records too. Each step has a mount namespace of its own, so that nobody else keeps the file
/// system alive.
@Suite(
    .enabled(
        if: Conditions.isRoot && Conditions.has("mkfs.ext4", "unshare", "mount", "umount", "perl"),
        "needs root, mkfs.ext4, unshare and perl"), .serialized)
struct PowerCutTests {
    private struct Unrecovered: Error, CustomStringConvertible {
        let description: String
    }

    private final class Disk {
        let scratch: Scratch
        var image: String { scratch("disk.img") }
        var mountPoint: String { scratch("disk") }

        init(megabytes: Int, inodes: Int? = nil) throws {
            scratch = try Scratch()
            try scratch.directory("disk")
            let file = try File.open(scratch("disk.img"), O_WRONLY | O_CREAT | O_EXCL, mode: 0o600)
            try File.truncate(file.raw, to: Int64(megabytes) << 20)
            let count = inodes.map { ["-N", "\($0)"] } ?? []
            try Tool.check("mkfs.ext4", ["-q", "-F"] + count + [scratch("disk.img")])
        }

        /// Runs `script` with the file system mounted; `$1` is the mount point, `cut` cuts the power.
        @discardableResult
        func run(_ script: String, _ arguments: [String] = []) throws -> Tool.Output {
            // 0x8004587d is EXT4_IOC_SHUTDOWN; 2 is EXT4_GOING_FLAGS_NOLOGFLUSH.
            let prelude = #"""
                disk=$2; shift 2
                mount -o loop "$disk" "$1" || exit 90
                cut() { perl -e 'my $flag = pack("L", 2); sysopen(F, $ARGV[0], 0) && ioctl(F, 0x8004587d, $flag) or die "$!"' "$1" || exit 91; }
                unmount() { for i in 1 2 3 4 5 6 7 8 9 10; do umount "$1" && return; sleep 0.2; done; exit 92; }

                """#
            return try Tool.run(
                "unshare",
                ["-m", "--propagation", "private", "sh", "-c", prelude + script, "sh", "-", image, mountPoint]
                    + arguments,
                timeout: 120)
        }

        /// The data root as it is after the power came back, copied out of the disk.
        func recovered() throws -> String {
            let copy = scratch("copy-\(Random.hex(bytes: 4))")
            let output = try run(#"cp -a "$1/data" "$2" && unmount "$1""#, [copy])
            guard output.status == 0 else { throw Unrecovered(description: "\(output)") }
            return copy
        }
    }

    private func sample() throws -> SampleImage {
        var sample = try SampleImage()
        for name in ["one", "two", "three"] { try sample.addLayer(name, size: 3 << 20) }
        try sample.finish(as: "app:1")
        return sample
    }

    private func request(_ disk: Disk, _ sample: SampleImage) throws -> String {
        let fixture = try PullFixture()
        let bytes = try fixture.request(sample.source) { $0.dataRoot = "\(disk.mountPoint)/data" }
        return try disk.scratch.file("request", bytes)
    }

    @Test func afterExitZeroEveryFileIsWhole() throws {
        let sample = try sample()
        let peaceful = try PullFixture()
        #expect(try peaceful.pull(sample.source).status == 0)
        let disk = try Disk(megabytes: 512)
        let script = #"""
            "$2" < "$3" > "$4" || exit 1
            cut "$1"
            unmount "$1"
            """#
        let output = try disk.run(script, [Runimg.workerPath, try request(disk, sample), disk.scratch("events")])
        #expect(output.status == 0, "\(output)")
        let store = ImageStore(dataRoot: try disk.recovered())
        let image = try #require(try store.resolve("app:1"))
        #expect(try image.layers.map { try TreeListing($0.diff) } == peaceful.trees("app:1"))
        #expect(try store.list().problems.isEmpty)
        let manifest = try #require(image.manifestDigest)
        #expect(Digest.of(try #require(try store.manifest(manifest))) == manifest)
    }

    @Test func atAnyMomentTheImageIsWholeOrAbsent() throws {
        let sample = try sample()
        let peaceful = try PullFixture()
        #expect(try peaceful.pull(sample.source).status == 0)
        let trees = try peaceful.trees("app:1")
        let script = #"""
            "$2" < "$3" > "$4" 2>&1 &
            sleep "$5"
            cut "$1"
            kill -9 $! 2>/dev/null
            wait
            unmount "$1"
            """#
        var outcomes: Set<Bool> = []
        for _ in 0..<6 {
            let disk = try Disk(megabytes: 512)
            let delay = String(Double.random(in: 0.02...0.6))
            let output = try disk.run(
                script, [Runimg.workerPath, try request(disk, sample), disk.scratch("events"), delay])
            #expect(output.status == 0, "\(output)")
            guard let root = try? disk.recovered() else { continue }
            let store = ImageStore(dataRoot: root)
            let listing = try store.list()
            #expect(listing.problems.isEmpty, "after \(delay) s: \(listing.problems)")
            if let image = try store.resolve("app:1") {
                #expect(try image.layers.map { try TreeListing($0.diff) } == trees, "after \(delay) s")
            }
            outcomes.insert(listing.images.isEmpty)
            // Whatever is left, the next pull makes it whole: layers that are there are taken as they are.
            let fixture = try PullFixture()
            let again = try fixture.pull(sample.source) { $0.dataRoot = root }
            #expect(again.status == 0, "\(again)")
            let image = try #require(try store.resolve("app:1"))
            #expect(try image.layers.map { try TreeListing($0.diff) } == trees, "after \(delay) s")
            #expect(try Directory.entries("\(root)/tmp").map(\.name) == ["blobs"])
        }
    }

    @Test(.enabled(if: Conditions.hasBinaries, "needs the built programs")) func removingWorksOnAFullDisk() throws {
        let sample = try sample()
        let disk = try Disk(megabytes: 64)
        let script = #"""
            "$2" < "$3" > "$4" || exit 1
            dd if=/dev/zero of="$1/fill" bs=64k 2>/dev/null
            dd if=/dev/zero of="$1/fill2" bs=512 2>/dev/null
            "$5" --data-root "$1/data" rmi app:1 || exit 2
            ls "$1/data/overlay2" "$1/data/tmp" "$1/data/image/overlay2/imagedb/content/sha256"
            unmount "$1"
            """#
        let output = try disk.run(
            script, [Runimg.workerPath, try request(disk, sample), disk.scratch("events"), Runimg.path])
        #expect(output.status == 0, "\(output)")
        #expect(output.lines.first == "Untagged: app:1")
        #expect(output.lines.filter { $0.hasPrefix("Deleted: ") }.count == 4)
        #expect(output.stdout.contains("overlay2:\nl\n"))
    }

    /// Blocks and inodes: a clear message, and the space is free again.
    @Test(arguments: [(Int?.none, 24), (Int?.some(300), 200)])
    func aFullDiskIsSaidAndLeftAsItWas(inodes: Int?, megabytes: Int) throws {
        var sample = try SampleImage()
        try sample.addLayer("small", size: 100_000)
        try sample.addLayer("big", size: inodes == nil ? 20 << 20 : 1000, files: 600, .none)
        try sample.finish(as: "app:1")
        let disk = try Disk(megabytes: megabytes, inodes: inodes)
        let script = #"""
            "$2" < "$3" > "$4"
            echo "$?" >> "$4"
            ls "$1/data/tmp" "$1/data/tmp/blobs" "$1/data/overlay2" "$1/data/image/overlay2/layerdb/sha256" > "$5"
            unmount "$1"
            """#
        let output = try disk.run(
            script, [Runimg.workerPath, try request(disk, sample), disk.scratch("events"), disk.scratch("listing")])
        #expect(output.status == 0, "\(output)")
        let events = String(decoding: try File.readAll(disk.scratch("events")), as: UTF8.self)
        #expect(events.hasSuffix("\n1\n"), "\(events)")
        #expect(events.contains(#""kind":"store""#), "\(events)")
        let words = ["ENOSPC", "free space reserve", "free inode reserve"]
        #expect(words.contains { events.contains($0) }, "\(events)")
        let left = String(decoding: try File.readAll(disk.scratch("listing")), as: UTF8.self)
        #expect(!left.contains("layer-") && !left.contains(".part"), "\(left)")
        #expect(left.contains("overlay2:\nl\n") && left.contains("layerdb/sha256:\n\n"), "\(left)")
    }
}
