import Glibc
import Images
import OCI
import Sys
import TestSupport
import Testing

/// Hostile layers by way of the whole worker: the store is as before, no file of the host is, nothing is started.
@Suite(.enabled(if: Conditions.isRoot, "owners need root")) struct HostileLayerTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let words: String
        /// Gets the canary's path.
        let build: @Sendable (inout TarForge, String) -> Void

        init(_ name: String, _ words: String, _ build: @escaping @Sendable (inout TarForge, String) -> Void) {
            testDescription = name
            self.words = words
            self.build = build
        }
    }

    static let layers: [Case] = [
        Case("a name that leaves the root", "\"../../file\" refused: the name leaves the layer") { tar, _ in
            tar.file("../../file", "x")
        },
        Case("a hard link to the host", "does not exist") { tar, canary in tar.hardLink("h", to: canary + "/setuid") },
        Case("the root as a link", "the root can only be a directory") { tar, canary in tar.symlink(".", to: canary) },
        Case("a whiteout of the parent", "a whiteout of nothing") { tar, _ in tar.file("data/.wh...") },
        Case("overlayfs's whiteout", "0:0") { tar, _ in tar.header(TarForge.Header("data/base", type: "3")) },
        Case("a device out of range", "device number 4294967295:0") { tar, _ in
            tar.header(TarForge.Header("d", type: "4").with { $0.major = 4_294_967_295 })
        },
        Case("an owner out of range", "user id 4294967295") { tar, _ in
            tar.file("f", "#!") {
                $0.uid = 4_294_967_295; $0.mode = 0o4755
            }
        },
        Case("a name too deep", "limit \"path depth\"") { tar, _ in
            tar.pax([("path", String(repeating: "d/", count: 1500) + "f")])
            tar.file("x", "x")
        },
        Case("a header of a gigabyte", "limit \"extended header size\"") { tar, _ in
            tar.header(TarForge.Header("x", type: "x").with { $0.size = 1 << 30 })
        },
    ]

    @Test("U1, U3, U4, U5, U6, U8, U11, U12, U18: a refused layer leaves the store as it was", arguments: layers)
    func refusedLayersLeaveNothing(_ item: Case) throws {
        let bench = try HostileBench()
        let tar = TarForge.make { tar in
            tar.file("before", "made before the refusal")
            item.build(&tar, bench.canary.path)
        }
        try bench.expectRefusal(try OCILayout.compress(tar, .gzip), item.words, diffID: Digest.of(tar))
    }

    @Test("U2, U3: a layer that writes through links has its files inside")
    func linksStayInside() throws {
        let bench = try HostileBench()
        let tar = TarForge.make { tar in
            tar.symlink("x", to: bench.canary.path)
            tar.file("x/file", "in")
            tar.file("x/.wh.setuid")
            tar.file("x/directory/.wh..wh..opq")
            tar.symlink("s", to: bench.canary.path + "/file")
            tar.hardLink("h", to: "s") {
                $0.mode = 0o777; $0.uid = 65534
            }
        }
        let outcome = try bench.pull(try OCILayout.compress(tar, .gzip), diffID: Digest.of(tar))
        #expect(outcome.status == 0, "\(outcome)")
        #expect(try bench.canary.changes() == [])
        let top = try #require(try bench.fixture.trees("hostile:1").last)
        #expect(top[String(bench.canary.path.dropFirst()) + "/file"]?.size == 2)
        #expect(top["h"]?.kind == .symlink)
    }

    // MARK: Damage

    @Test(
        "U13: damaged and cut layers end the pull, and nothing of them is left", .timeLimit(.minutes(Wait.minutes(15))))
    func damagedLayers() throws {
        let bench = try HostileBench()
        var generator = SystemRandomNumberGenerator()
        let bytes = (0..<3_000_000).map { _ in UInt8.random(in: 0...255, using: &generator) }
        let tar = TarForge.make { $0.member(TarForge.Header("f"), bytes) }
        let gzip = try OCILayout.compress(tar, .gzip)
        let zstd = try OCILayout.compress(tar, .zstd)
        var checksum = gzip
        checksum[gzip.count - 8] ^= 1
        var middle = gzip
        middle[gzip.count / 2] ^= 0x10
        let other = TarForge.make { $0.file("hidden", "x") }
        let twice = try gzip + OCILayout.compress(other, .gzip)
        let cases: [([UInt8], String, String)] = [
            (Array(gzip.dropLast(gzip.count / 3)), "+gzip", "cut before the end"),
            (Array(gzip.dropLast()), "+gzip", "cut before the end"), (checksum, "+gzip", "wrong check sum"),
            (middle, "+gzip", "layer"), (gzip + Array("garbage".utf8), "+gzip", "garbage after the end"),
            (Array(zstd.dropLast(5)), "+zstd", "cut before the end"),
            (Array(tar.dropLast(1_000_000)), "", "unexpected end of data"),
            (tar + Array("garbage".utf8), "", "wrong diff ID"), (twice, "+gzip", "wrong diff ID"),
        ]
        for (blob, suffix, words) in cases {
            try bench.expectRefusal(blob, words, diffID: Digest.of(tar), suffix)
        }
        // With the diff ID of both, the first of two tars is the layer.
        #expect(try bench.pull(twice, diffID: Digest.of(tar + other)).status == 0)
        let top = try #require(try bench.fixture.trees("hostile:1").last)
        #expect(top["f"] != nil && top["hidden"] == nil)
    }

    // MARK: Bombs

    /// 10 GiB of zeros in 10 MiB, on a file system that has room for 300 MiB.
    @Test("U10: a bomb stops before the disk is full, and gives the space back", .timeLimit(.minutes(Wait.minutes(15))))
    func bombsGiveTheSpaceBack() throws {
        let scratch = try Scratch()
        let point = try scratch.directory("small")
        try Tool.check("mount", ["-t", "tmpfs", "-o", "size=300m", "tmpfs", point])
        defer { _ = try? Tool.check("umount", ["-l", point]) }
        let fixture = try PullFixture(dataRoot: "\(point)/data")
        var sample = try SampleImage()
        try sample.addLayer("base", size: 1000)
        try sample.finish(as: "good:1")
        #expect(try fixture.pull(sample.source).status == 0)
        let before = try fixture.listing()
        let free = try HostileLayerTests.free(point)

        var forge = TarForge()
        forge.header(TarForge.Header("zeros").with { $0.size = 10 << 30 })
        let zeros = try OCILayout.compress([UInt8](repeating: 0, count: 16 << 20), .gzip)
        var blob = try OCILayout.compress(forge.bytes, .gzip)
        for _ in 0..<640 { blob += zeros }
        let layer = OCILayout.Layer(
            descriptor: try sample.layout.blob(blob, mediaType: MediaType.ociLayer + "+gzip"), diffID: Digest.of([]))
        try sample.layout.tag(try sample.layout.image(sample.layers + [layer]), "bomb:1")

        let worker = try fixture.start("\(sample.source):bomb:1")
        let seen = try HostileLayerTests.watch(worker, point)
        #expect(seen.peak < 200, "the worker's peak was \(seen.peak) MiB")
        #expect(seen.leastFree > 5 << 20, "\(seen.leastFree) bytes were left")
        let failure = try fixture.events().compactMap { event -> String? in
            if case .failed(let message, _) = event { message } else { nil }
        }
        #expect(failure.count == 1 && failure[0].contains("limit \"free space reserve\""), "\(failure)")
        #expect(try fixture.listing().differences(from: before) == [])
        #expect(try HostileLayerTests.free(point) + (1 << 20) > free, "the space is free again")
    }

    private static func free(_ path: String) throws -> UInt64 {
        var status = statvfs()
        try check { statvfs(path, &status) }
        return UInt64(status.f_bavail) * UInt64(status.f_frsize)
    }

    /// The largest resident size of one of the worker's processes in MiB, and the least space that was free meanwhile.
    private static func watch(_ worker: consuming ChildProcess, _ path: String) throws -> (peak: Int, leastFree: UInt64)
    {
        var peak = 0
        var least = UInt64.max
        while try worker.wait(seconds: 0.005) == nil {
            let pid = "\(worker.pid)"
            let children = text("/proc/\(pid)/task/\(pid)/children").split(separator: " ").map(String.init)
            for process in [pid] + children {
                let line = text("/proc/\(process)/status").split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
                let size = line?.split { " \t".contains($0) }.dropFirst().first.flatMap { Int($0) } ?? 0
                peak = max(peak, size >> 10)
            }
            least = min(least, try free(path))
        }
        return (peak, least)
    }

    /// Nothing of a process that has just ended.
    private static func text(_ path: String) -> String {
        String(decoding: (try? File.readAll(path, limit: 1 << 16)) ?? [], as: UTF8.self)
    }

    // MARK: Formats and programs

    static let foreign: [(name: String, bytes: [UInt8])] = [
        ("zip", Array("PK\u{3}\u{4}\u{14}\0".utf8)), ("cpio", Array("070701".utf8)),
        ("7z", [0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c, 0, 4]), ("rar", Array("Rar!\u{1a}\u{7}\u{1}\0".utf8)),
        ("ISO 9660", [UInt8](repeating: 0, count: 32768) + [1] + Array("CD001\u{1}".utf8)),
        ("mtree", Array("#mtree\n. type=dir\n".utf8)), ("lrzip", Array("LRZI\0\u{6}".utf8)),
        ("lzop", [0x89, 0x4c, 0x5a, 0x4f, 0, 0x0d]), ("grzip", Array("GRZipII\0\u{2}\u{4}:)".utf8)),
        ("xz", [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0]), ("bzip2", Array("BZh91AY&SY".utf8)),
    ]

    /// Programs with the names of all that unpacks, which leave a mark in the canary when they are started.
    private static func decoys(_ scratch: Scratch, _ canary: Canary) throws -> String {
        let names = [
            "xz", "unxz", "unpigz", "pigz", "gzip", "gunzip", "zcat", "zstd", "unzstd", "tar", "bsdtar", "bzip2",
            "lzip",
            "lzop", "lrzip", "grzip", "unzip", "cpio", "7z", "sh", "umoci",
        ]
        for name in names {
            try scratch.file("bin/\(name)", "#!/bin/dash\necho \(name) > \(canary.path)/started\n", mode: 0o755)
        }
        return scratch("bin")
    }

    /// A command line that traces every program that is started, with the decoys first in PATH.
    private static func traced(_ scratch: Scratch, _ bin: String) -> [String] {
        [
            "strace", "-f", "-qq", "-o", scratch("trace"), "-e", "trace=execve,execveat", "-E",
            "PATH=\(bin):/usr/bin:/bin",
        ]
    }

    private static func started(_ scratch: Scratch) throws -> [String] {
        String(decoding: try File.readAll(scratch("trace")), as: UTF8.self).split(separator: "\n").map(String.init)
            .filter { $0.contains("exec") }
    }

    @Test(
        "U14: other formats are refused by name, and no program is started",
        .enabled(if: Conditions.has("strace"), "needs strace"))
    func otherFormatsStartNothing() throws {
        let bench = try HostileBench()
        let scratch = try Scratch()
        let bin = try HostileLayerTests.decoys(scratch, bench.canary)
        for (name, bytes) in HostileLayerTests.foreign {
            let blob = bytes + [UInt8](repeating: 0, count: 2048)
            let prefix = HostileLayerTests.traced(scratch, bin)
            try bench.expectRefusal(blob, name, diffID: Digest.of(blob), "", prefix: prefix)
            let started = try HostileLayerTests.started(scratch)
            #expect(started.count == 1 && started[0].contains(Runimg.workerPath), "\(name): \(started)")
        }
    }

    @Test("U14: empty layers of every kind are layers")
    func emptyLayersAreTaken() throws {
        let none: [UInt8] = []
        let zeros = [UInt8](repeating: 0, count: 1024)
        let cases: [([UInt8], [UInt8], String)] = [
            (none, none, ""), (zeros, zeros, ""), (try OCILayout.compress(none, .gzip), none, "+gzip"),
            (try OCILayout.compress(zeros, .gzip), zeros, "+gzip"),
            (try OCILayout.compress(zeros, .zstd), zeros, "+zstd"),
            // The empty layer that docker's tools wrote for years.
            (HostileLayerTests.canonicalEmpty, zeros, "+gzip"),
        ]
        for (blob, tar, suffix) in cases {
            let bench = try HostileBench()
            let outcome = try bench.pull(blob, diffID: Digest.of(tar), suffix)
            #expect(outcome.status == 0, "\(outcome)")
            #expect(try #require(try bench.fixture.trees("hostile:1").last).paths == ["."])
        }
    }

    /// sha256:a3ed95caeb02ffe68cdd9fd84406680ae93d633cb16422d00e8a7c22955b46d4, gzip of 1024 zero bytes.
    private static let canonicalEmpty: [UInt8] = [
        0x1f, 0x8b, 0x08, 0x00, 0x00, 0x09, 0x6e, 0x88, 0x00, 0xff, 0x62, 0x18, 0x05, 0xa3, 0x60, 0x14, 0x8c, 0x58,
        0x00,
        0x08, 0x00, 0x00, 0xff, 0xff, 0x2e, 0xaf, 0xb5, 0xef, 0x00, 0x04, 0x00, 0x00,
    ]

    @Test(
        "U15: nothing of PATH or of the image unpacks a layer", .enabled(if: Conditions.has("strace"), "needs strace"),
        arguments: OCILayout.Compression.allCases)
    func unpackersAreNotStarted(_ compression: OCILayout.Compression) throws {
        let bench = try HostileBench()
        let scratch = try Scratch()
        let bin = try HostileLayerTests.decoys(scratch, bench.canary)
        // The same programs in the image, where a root changed to would find them.
        let tar = TarForge.make { tar in
            for name in ["xz", "unpigz", "gzip", "zstd", "tar"] {
                for place in ["bin", "usr/bin", "sbin"] {
                    tar.file("\(place)/\(name)", "#!/bin/sh\necho > \(bench.canary.path)/started\n") { $0.mode = 0o755 }
                }
            }
        }
        let suffix = compression == .none ? "" : "+\(compression.rawValue)"
        let outcome = try bench.pull(
            try OCILayout.compress(tar, compression), diffID: Digest.of(tar), suffix,
            prefix: HostileLayerTests.traced(scratch, bin))
        #expect(outcome.status == 0, "\(outcome)")
        let started = try HostileLayerTests.started(scratch)
        #expect(started.count == 1 && started[0].contains(Runimg.workerPath), "\(started)")
        #expect(try bench.canary.changes() == [])
    }
}
