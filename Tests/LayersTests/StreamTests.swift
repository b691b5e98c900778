import Glibc
import Layers
import OCI
import Sys
import TestSupport
import Testing

/// A whole layer, from compressed bytes to a verified tree.
@Suite(.enabled(if: Conditions.isRoot, "owners need root")) struct StreamTests {
    static let tar = TarForge.make { tar in
        for index in 0..<40 {
            tar.member(TarForge.Header("f\(index)"), (0..<9000).map { UInt8(truncatingIfNeeded: $0 &* index) })
        }
    }

    static func compress(_ bytes: [UInt8], _ tool: String) throws -> [UInt8] {
        switch tool {
        case "plain": bytes
        default: try Tool.check(tool, ["-c"], input: bytes).stdoutBytes
        }
    }

    @discardableResult
    static func apply(
        _ bytes: [UInt8], _ bench: Workbench, diffID: Digest = Digest.of(tar), declared: Compression? = nil
    ) throws(LayerError) -> LayerResult {
        do {
            let target = try Directory.open(bench.root)
            var source = MemorySource(bytes)
            return try applyLayer(
                &source, expectedDiffID: diffID, declared: declared, into: target.raw, format: .overlay,
                compressedSize: Int64(bytes.count), lowers: Workbench.noLowers)
        } catch let error as LayerError {
            throw error
        } catch {
            throw .source("\(error)")
        }
    }

    static func failure(_ bytes: [UInt8], diffID: Digest = Digest.of(tar)) throws -> String {
        let bench = try Workbench()
        do throws(LayerError) {
            try apply(bytes, bench, diffID: diffID)
        } catch {
            return "\(error)"
        }
        return "accepted"
    }

    @Test(arguments: ["plain", "gzip", "zstd"])
    func appliesEveryCompression(_ tool: String) throws {
        let bytes = try StreamTests.compress(StreamTests.tar, tool)
        let bench = try Workbench()
        let result = try StreamTests.apply(bytes, bench)
        #expect(result.diffID == Digest.of(StreamTests.tar) && result.entries == 40 && result.size == 360_000)
        #expect(result.compressedDigest == Digest.of(bytes) && result.compressedSize == Int64(bytes.count))
        #expect(result.compression == (tool == "plain" ? .plain : tool == "gzip" ? .gzip : .zstd))
        let plain = try Workbench()
        try plain.extract(StreamTests.tar)
        #expect(try bench.listing().differences(from: plain.listing()) == [])
    }

    @Test(arguments: ["gzip", "zstd"])
    func appliesManyMembers(_ tool: String) throws {
        // An empty member first and last, and one a piece of 1000 bytes, as pigz and eStargz write.
        let empty = try StreamTests.compress([], tool)
        var bytes = empty
        for start in stride(from: 0, to: StreamTests.tar.count, by: 100_000) {
            let end = min(start + 100_000, StreamTests.tar.count)
            bytes += try StreamTests.compress(Array(StreamTests.tar[start..<end]), tool)
        }
        if tool == "zstd" { bytes += [0x5a, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3] }
        bytes += empty
        #expect(try StreamTests.apply(bytes, try Workbench()).entries == 40)
    }

    @Test(arguments: ["gzip", "zstd"])
    func readsInSmallPieces(_ tool: String) throws {
        let bytes = try StreamTests.compress(StreamTests.tar, tool)
        for piece in [1, 7, 511] {
            var inflater = Inflater(Pieces(bytes, piece))
            var result: [UInt8] = []
            var buffer = [UInt8](repeating: 0, count: 1000 + piece)
            while true {
                let count = try buffer.withUnsafeMutableBytes { try inflater.read(into: $0) }
                if count == 0 { break }
                result += buffer[..<count]
            }
            #expect(result == StreamTests.tar)
        }
    }

    // MARK: Damage

    @Test("U13: cut streams are refused", arguments: ["gzip", "zstd", "plain"])
    func refusesCutStreams(_ tool: String) throws {
        let bytes = try StreamTests.compress(StreamTests.tar, tool)
        var counts = Set([1, 2, 5, 9, 10, 11, 17, 18, 19])
        counts.formUnion(stride(from: 100, to: bytes.count, by: bytes.count / 16))
        counts.formUnion((bytes.count - 10)..<bytes.count)
        for count in counts.sorted() {
            let message = try StreamTests.failure(Array(bytes[..<count]))
            #expect(message != "accepted", "cut at \(count)")
        }
        #expect(try StreamTests.failure(Array(bytes[..<(bytes.count / 2)])).contains(tool == "plain" ? "end" : "cut"))
    }

    @Test("U13: changed bytes are refused", arguments: ["gzip", "zstd"])
    func refusesFlippedBytes(_ tool: String) throws {
        let bytes = try StreamTests.compress(StreamTests.tar, tool)
        for index in Array(stride(from: 20, to: bytes.count, by: bytes.count / 20)) + [
            bytes.count - 5, bytes.count - 1,
        ] {
            var damaged = bytes
            damaged[index] ^= 0x10
            #expect(try StreamTests.failure(damaged) != "accepted", "at \(index)")
        }
    }

    @Test("U13: check sums in the last block, cuts and garbage are named") func namesTheDamage() throws {
        let gzip = try StreamTests.compress(StreamTests.tar, "gzip")
        var wrong = gzip
        wrong[gzip.count - 8] ^= 1
        #expect(try StreamTests.failure(wrong) == "damaged gzip stream in layer: wrong check sum")
        wrong = gzip
        wrong[gzip.count - 1] ^= 1
        #expect(try StreamTests.failure(wrong) == "damaged gzip stream in layer: wrong check sum")
        #expect(try StreamTests.failure(gzip + [0, 0]) == "damaged gzip stream in layer: garbage after the end")
        #expect(try StreamTests.failure(gzip + Array("x".utf8)).contains("garbage after the end"))
        let zstd = try StreamTests.compress(StreamTests.tar, "zstd")
        #expect(try StreamTests.failure(zstd + Array("garbage".utf8)).contains("damaged zstd stream"))
        #expect(try StreamTests.failure(Array(zstd.dropLast())).contains("cut before the end"))
        let bench = try Workbench()
        #expect(throws: LayerError.mislabelled(declared: .zstd, found: .gzip)) {
            try StreamTests.apply(gzip, bench, declared: .zstd)
        }
    }

    @Test("U13: a layer of another diff ID is refused") func refusesTheWrongDiffID() throws {
        let other = Digest.of(Array("other".utf8))
        let message = try StreamTests.failure(try StreamTests.compress(StreamTests.tar, "gzip"), diffID: other)
        #expect(message == "wrong diff ID of layer: expected \(other), got \(Digest.of(StreamTests.tar))")
    }

    /// The diff ID covers what comes after the end marker: a little, which lies in the same buffer, and a lot.
    @Test("U13: the diff ID covers what follows the end of the tar", arguments: [1, 512, 300_000, 9_000_000])
    func hashesBehindTheEndMarker(_ count: Int) throws {
        let tar = StreamTests.tar + [UInt8](repeating: 7, count: count)
        for tool in ["plain", "gzip"] {
            let bytes = try StreamTests.compress(tar, tool)
            let result = try StreamTests.apply(bytes, try Workbench(), diffID: Digest.of(tar))
            #expect(result.entries == 40 && result.diffID == Digest.of(tar))
            #expect(result.compressedDigest == Digest.of(bytes) && result.compressedSize == Int64(bytes.count))
            #expect(try StreamTests.failure(bytes).contains("wrong diff ID"))
        }
    }

    /// Damage that only shows when the stream is read to its end, which no member needs.
    @Test("U13: damage behind the end of the tar is found", arguments: ["gzip", "zstd"])
    func findsDamageBehindTheEndMarker(_ tool: String) throws {
        var generator = SystemRandomNumberGenerator()
        let tail = (0..<400_000).map { _ in UInt8.random(in: 0...255, using: &generator) }
        let tar = StreamTests.tar + tail
        let bytes = try StreamTests.compress(tar, tool)
        var flipped = bytes
        flipped[bytes.count - 6] ^= 1
        for damaged in [Array(bytes.dropLast()), Array(bytes.dropLast(90_000)), flipped, bytes + [1, 2, 3, 4, 5]] {
            let message = try StreamTests.failure(damaged, diffID: Digest.of(tar))
            #expect(message.contains("damaged \(tool) stream"), "\(message)")
        }
        // Without the second thread, which reads on by itself.
        let bench = try Workbench()
        let target = try Directory.open(bench.root)
        var source = Inflater(MemorySource(Array(bytes.dropLast())))
        var extractor = try LayerExtractor(
            into: target.raw, format: .overlay, compressedSize: Int64(bytes.count), lowers: Workbench.noLowers)
        #expect(throws: LayerError.self) { try extractor.extract(&source) }
    }

    @Test("U13: two tars one after the other are one layer, whose diff ID covers both")
    func appliesTheFirstOfTwoTars() throws {
        let second = TarForge.make { $0.file("hidden", "x") }
        let bytes = try StreamTests.compress(StreamTests.tar, "gzip") + StreamTests.compress(second, "gzip")
        let bench = try Workbench()
        #expect(try StreamTests.apply(bytes, bench, diffID: Digest.of(StreamTests.tar + second)).entries == 40)
        #expect(try bench.listing()["hidden"] == nil)
        #expect(try StreamTests.failure(bytes).contains("wrong diff ID"))
    }

    @Test("U14: empty layers are layers") func acceptsEmptyLayers() throws {
        for tar in [[], [UInt8](repeating: 0, count: 1024)] as [[UInt8]] {
            for tool in ["plain", "gzip", "zstd"] {
                let bytes = try StreamTests.compress(tar, tool)
                #expect(try StreamTests.apply(bytes, try Workbench(), diffID: Digest.of(tar)).entries == 0)
            }
        }
    }

    /// A source that fails, and an extraction that fails while the source would go on for ever.
    @Test("U13: neither thread waits for one that has failed", .timeLimit(.minutes(Wait.minutes(15))))
    func endsBothThreadsOnErrors()
        throws
    {
        let bench = try Workbench()
        let target = try Directory.open(bench.root)
        var broken = Endless(start: TarForge().bytes, failAfter: 3 << 20)
        #expect(throws: LayerError.source("connection lost")) {
            try applyLayer(
                &broken, expectedDiffID: Digest.of([]), into: target.raw, format: .overlay, compressedSize: 1,
                lowers: Workbench.noLowers)
        }
        var forge = TarForge()
        forge.file("../x")
        var endless = Endless(start: forge.bytes, failAfter: .max)
        #expect(throws: LayerError.refused(entry: "../x", reason: "the name leaves the layer")) {
            try applyLayer(
                &endless, expectedDiffID: Digest.of([]), into: target.raw, format: .overlay, compressedSize: 1,
                lowers: Workbench.noLowers)
        }
    }

    // MARK: Sources

    /// Gives a few bytes at a time.
    struct Pieces: ByteSource {
        let bytes: [UInt8]
        let piece: Int
        var position = 0

        init(_ bytes: [UInt8], _ piece: Int) {
            self.bytes = bytes
            self.piece = piece
        }

        mutating func read(into buffer: UnsafeMutableRawBufferPointer) throws(LayerError) -> Int {
            let count = min(piece, buffer.count, bytes.count - position)
            buffer.copyBytes(from: bytes[position..<position + count])
            position += count
            return count
        }
    }

    /// Some bytes, then zeros without end.
    struct Endless: ByteSource {
        var start: [UInt8]
        let failAfter: Int
        var count = 0

        init(start: [UInt8], failAfter: Int) {
            self.start = start
            self.failAfter = failAfter
        }

        mutating func read(into buffer: UnsafeMutableRawBufferPointer) throws(LayerError) -> Int {
            if count >= failAfter { throw .source("connection lost") }
            if !start.isEmpty {
                let taken = min(start.count, buffer.count)
                buffer.copyBytes(from: start[..<taken])
                start.removeFirst(taken)
                return taken
            }
            buffer.initializeMemory(as: UInt8.self, repeating: 0)
            count += buffer.count
            return buffer.count
        }
    }
}
