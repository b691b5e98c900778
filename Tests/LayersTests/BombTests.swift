import Glibc
import Layers
import OCI
import Sys
import TestSupport
import Testing

/// Memory is bounded whatever a layer claims. Each runs in a process of its own, whose peak is looked at.
@Suite(.enabled(if: Conditions.isRoot, "owners need root")) struct BombTests {
    /// The process's peak in MiB. Not getrusage(2), whose figure starts with that of the process it was forked from.
    static func peak() throws -> Int {
        let text = String(decoding: try File.readAll("/proc/self/status", limit: 1 << 16), as: UTF8.self)
        let line = try #require(text.split(separator: "\n").first { $0.hasPrefix("VmHWM:") })
        return try #require(line.split { " \t".contains($0) }.dropFirst().first.flatMap { Int($0) }) >> 10
    }

    /// What the test process itself needs, then the bound that the design names.
    static func expectBounded(_ run: () throws -> String?, _ words: String) throws {
        let message = try run() ?? "accepted"
        try #require(message.contains(words), "\(message)")
        let peak = try peak()
        // A sanitizer keeps a shadow of all memory, and what was freed for a while.
        try #require(peak < (Conditions.isSanitized ? 4000 : 200), "peak \(peak) MiB")
    }

    static func apply<S: ByteSource>(_ source: S, size: Int64, _ limits: ExtractionLimits = ExtractionLimits()) throws
        -> String?
    {
        let scratch = try Scratch()
        let target = try Directory.open(scratch.path)
        var source = source
        do throws(LayerError) {
            _ = try applyLayer(
                &source, expectedDiffID: Digest.of([]), into: target.raw, format: .overlay, limits: limits,
                compressedSize: size, lowers: Workbench.noLowers)
        } catch {
            return "\(error)"
        }
        return nil
    }

    /// 10 GiB of zeros in 10 MiB.
    @Test("U10: gzip of zeros stops at the ratio") func gzipOfZeros() async {
        await #expect(processExitsWith: .success) {
            var forge = TarForge()
            forge.header(TarForge.Header("zeros").with { $0.size = 10 << 30 })
            let head = try StreamTests.compress(forge.bytes, "gzip")
            let zeros = try StreamTests.compress([UInt8](repeating: 0, count: 16 << 20), "gzip")
            var limits = ExtractionLimits()
            limits.ratioFloor = 64 << 20
            limits.ratio = 10
            try BombTests.expectBounded(
                { try BombTests.apply(Repeated(head, zeros, 640), size: 10 << 20, limits) }, "\"expansion ratio\"")
        }
    }

    /// The same with the limits that pulls have: 10 MiB that are 10 GiB, where nothing is written.
    @Test("U10: 10 GiB of zeros in 10 MiB stop at the ratio that pulls have") func tenGigabytes() async {
        await #expect(processExitsWith: .success) {
            let start = try StreamTests.compress(TarForge.make { $0.file("f", "x") }, "gzip")
            let zeros = try StreamTests.compress([UInt8](repeating: 0, count: 16 << 20), "gzip")
            let count = 640
            try BombTests.expectBounded(
                { try BombTests.apply(Repeated(start, zeros, count), size: Int64(start.count + count * zeros.count)) },
                "\"expansion ratio\" (250)")
        }
    }

    @Test("U10: a million gzip members") func manyMembers() async {
        await #expect(processExitsWith: .success) {
            let empty = try StreamTests.compress([], "gzip")
            let start = try StreamTests.compress(TarForge.make { $0.file("f", "x") }, "gzip")
            try BombTests.expectBounded(
                { try BombTests.apply(Repeated(start, empty, 1_000_000), size: 20 << 20) }, "wrong diff ID")
        }
    }

    /// Skippable frames without end, and a frame that claims a window of 2 GiB.
    @Test("U10: zstd windows and skippable frames") func zstdFrames() async {
        await #expect(processExitsWith: .success) {
            let start = try StreamTests.compress(TarForge.make { $0.file("f", "x") }, "zstd")
            let skippable: [UInt8] = [0x50, 0x2a, 0x4d, 0x18, 0, 0, 1, 0] + [UInt8](repeating: 9, count: 65536)
            try BombTests.expectBounded(
                { try BombTests.apply(Repeated(start, skippable, 1000), size: 64 << 20) }, "wrong diff ID")
            // Magic, a descriptor without single segment, exponent 21 (2^31 bytes), a raw block.
            let window: [UInt8] = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 21 << 3, 0x01, 0, 0]
            try BombTests.expectBounded({ try BombTests.apply(MemorySource(window), size: 9) }, "damaged zstd stream")
        }
    }

    @Test("U11: claims of gigabytes") func claimsOfGigabytes() async {
        await #expect(processExitsWith: .success) {
            let map = "GNU.sparse.map"
            let cases: [([UInt8], String)] = [
                (BombTests.claim("x", 1 << 30), "extended header size"),
                (BombTests.claim("g", 1 << 30), "extended header size"),
                (BombTests.claim("L", 1 << 30), "extended header size"),
                (BombTests.claim("K", 8 << 30), "extended header size"),
                (BombTests.sparse("1073741823\n"), "invalid sparse map"),
                (
                    TarForge.make { tar in
                        tar.pax([(map, "0,1"), ("GNU.sparse.numblocks", "1073741824"), ("GNU.sparse.size", "1")])
                        tar.file("f", "x")
                    }, "invalid sparse map"
                ),
                (
                    TarForge.make { tar in
                        for _ in 0..<15 { tar.pax([("SCHILY.xattr.user.a", [UInt8](repeating: 65, count: 900_000))]) }
                        tar.file("f")
                    }, "extended attribute size"
                ),
            ]
            for (tar, words) in cases {
                try BombTests.expectBounded({ try BombTests.apply(MemorySource(tar), size: 1000) }, words)
            }
        }
    }

    /// The bytes are really there, as many as are claimed.
    @Test("U11: gigabytes of headers that keep their promise") func headersOfGigabytes() async {
        await #expect(processExitsWith: .success) {
            var records = TarForge()
            records.header(TarForge.Header("x", type: "x").with { $0.size = 1 << 30 })
            records.raw(Array("1073741824 comment=".utf8))
            // 100 MiB in one attribute.
            var attribute = TarForge()
            attribute.header(TarForge.Header("x", type: "x").with { $0.size = 100 << 20 })
            attribute.raw(Array("104857600 SCHILY.xattr.user.a=".utf8))
            var gnu = TarForge()
            gnu.header(
                TarForge.Header("s", type: "S").with { header in
                    header.format = .gnu
                    header.patches = [(482, [1]), (483, TarForge.number(1, 12))]
                })
            var map = TarForge()
            map.pax([("GNU.sparse.major", "1"), ("GNU.sparse.minor", "0"), ("GNU.sparse.realsize", "1")])
            map.header(TarForge.Header("s").with { $0.size = 1 << 30 })
            map.raw(Array("500000\n".utf8))
            let text = [UInt8](repeating: 0x41, count: 1 << 20)
            // Blocks of a map that goes on and on; lines of one.
            let block = [UInt8](repeating: 0x30, count: 504) + [1, 0, 0, 0, 0, 0, 0, 0]
            let blocks = (0..<2048).flatMap { _ in
                block.enumerated().map { $0.offset < 504 && $0.offset % 12 == 11 ? 0 : $0.element }
            }
            let lines = [UInt8]((0..<(1 << 19)).flatMap { _ in [0x30, 0x0a] as [UInt8] })
            let cases: [([UInt8], [UInt8], String)] = [
                (records.bytes, text, "extended header size"), (attribute.bytes, text, "extended header size"),
                (gnu.bytes, blocks, "sparse map size"), (map.bytes, lines, "sparse map"),
            ]
            for (start, piece, words) in cases {
                try BombTests.expectBounded({ try BombTests.apply(Repeated(start, piece, 1024), size: 1 << 30) }, words)
            }
        }
    }

    /// Attributes without number: what one header has room for, again and again.
    @Test("U11: thousands of attributes in one header") func manyAttributes() async {
        await #expect(processExitsWith: .success) {
            var piece = TarForge()
            piece.pax((0..<30_000).map { ("SCHILY.xattr.trusted.\($0)", "") })
            piece.file("f")
            try BombTests.expectBounded(
                { try BombTests.apply(Repeated([], piece.bytes, 3), size: 32 << 20) }, "wrong diff ID")
        }
    }

    private static func claim(_ type: Character, _ size: Int64) -> [UInt8] {
        TarForge.make { $0.header(TarForge.Header("x", type: type).with { $0.size = size }) }
    }

    private static func sparse(_ map: String) -> [UInt8] {
        TarForge.make { tar in
            tar.pax([("GNU.sparse.major", "1"), ("GNU.sparse.minor", "0"), ("GNU.sparse.realsize", "1")])
            tar.file("f", map + String(repeating: "1\n", count: 1000))
        }
    }

    /// A beginning and then the same piece again and again.
    struct Repeated: ByteSource {
        private var current: [UInt8]
        private let piece: [UInt8]
        private var left: Int
        private var position = 0

        init(_ start: [UInt8], _ piece: [UInt8], _ count: Int) {
            current = start
            self.piece = piece
            left = count
        }

        mutating func read(into buffer: UnsafeMutableRawBufferPointer) throws(LayerError) -> Int {
            var filled = 0
            while filled < buffer.count {
                if position == current.count {
                    if left == 0 { break }
                    left -= 1
                    current = piece
                    position = 0
                    continue
                }
                let count = min(buffer.count - filled, current.count - position)
                UnsafeMutableRawBufferPointer(rebasing: buffer[filled...])
                    .copyBytes(from: current[position..<position + count])
                filled += count
                position += count
            }
            return filled
        }
    }
}
