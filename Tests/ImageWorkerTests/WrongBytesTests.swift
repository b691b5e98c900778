import Glibc
import Images
import OCI
import Sys
import TestSupport
import Testing

/// Layers whose bytes are not those that their descriptors promise, and servers that keep the worker waiting.
@Suite(.enabled(if: Conditions.isRoot, "owners need root")) struct WrongBytesTests {
    enum Fault: String, Sendable, CaseIterable {
        case flippedBit, short, long, lowContentLength, contentEncoding
    }

    private static func response(_ fault: Fault, _ bytes: [UInt8], _ request: FaultyRegistry.Request) throws
        -> FaultyRegistry.Response
    {
        switch fault {
        case .flippedBit:
            var flipped = bytes
            flipped[bytes.count / 2] ^= 1
            return .blob(flipped, for: request)
        case .short: return .blob(Array(bytes.dropLast()), for: request)
        case .long: return .blob(bytes + [0], for: request)
        case .lowContentLength:
            // The bytes behind it are none of the answer's.
            var response = FaultyRegistry.Response(200, body: bytes)
            response.length = bytes.count / 2
            return response
        case .contentEncoding:
            return .init(200, [("Content-Encoding", "gzip")], body: try OCILayout.compress(bytes, .gzip))
        }
    }

    private static func server(_ fault: Fault, _ sample: SampleImage) throws -> FaultyRegistry {
        let blob = sample.layers[0].descriptor.digest
        return try FaultyServerTests.serve(sample) { request, _, bytes in
            request.path.hasSuffix("/blobs/\(blob)") ? try? response(fault, bytes, request) : nil
        }
    }

    private func sample() throws -> SampleImage {
        var sample = try SampleImage()
        // Not packed, so that gzip makes it shorter.
        try sample.addLayer("one", size: 100_000, .none)
        try sample.addLayer("two", size: 1000)
        try sample.finish()
        return sample
    }

    @Test("F12, T1: wrong bytes are refused, and nothing stays of them", arguments: Fault.allCases)
    func wrongBytesAreRefused(fault: Fault) throws {
        let sample = try sample()
        let server = try WrongBytesTests.server(fault, sample)
        let fixture = try PullFixture()
        try fixture.store.prepare()
        let before = try fixture.listing()
        let outcome = try fixture.pull("\(server.host)/app")
        #expect(outcome.status == 1, "\(outcome)")
        #expect(outcome.failure?.kind == .invalid, "\(outcome)")
        let words =
            switch fault {
            case .flippedBit: "refused: its digest is sha256:"
            case .long: "the blob has more than the \(sample.layers[0].descriptor.size) bytes"
            case .short, .lowContentLength, .contentEncoding: ", and again when it was asked anew"
            }
        #expect(outcome.failure?.message.contains(words) == true, "\(outcome)")
        #expect(try fixture.listing().differences(from: before) == [])
    }

    @Test("F12: wrong bytes are fetched from the next place that may have them", arguments: Fault.allCases)
    func theNextPlaceIsAsked(fault: Fault) throws {
        let sample = try sample()
        let bad = [try WrongBytesTests.server(fault, sample), try WrongBytesTests.server(fault, sample)]
        let good = try FaultyServerTests.serve(sample)
        let fixture = try PullFixture()
        let outcome = try fixture.pull("app") { $0.registryRules = .hubMirrors(bad.map(\.url) + [good.url]) }
        try FaultyServerTests.expectWhole(fixture, outcome, sample)
        let blob = "/v2/library/app/blobs/\(sample.layers[0].descriptor.digest)"
        // Asked anew, not continued: what the others had given is gone. Half of the blob alone may be gone on with.
        if fault != .lowContentLength { #expect(good.requests(to: blob).map(\.rangeStart) == [nil]) }
        #expect(bad.allSatisfy { !$0.requests(to: blob).isEmpty })
    }

    /// A layer that claims another's digest, and comes when that one is there: only its own bytes would do.
    @Test("P11: another image's layer is not changed by a claim, from whatever registry")
    func aClaimFromAnotherRegistry() throws {
        let good = try DocumentShelf()
        good.tag("x", good.manifest())
        let evil = try DocumentShelf()
        let bytes = TarForge.make { $0.file("hello", "owned\n") }
        let blob = evil.blob(bytes)
        // The diff ID is the good layer's, the blob's digest is right for the other bytes.
        evil.tag("x", evil.manifest(layers: DocumentShelf.layer(digest: "\(blob)", size: "\(bytes.count)")))
        // The digest is the good layer's as well.
        evil.tag("y", evil.manifest(config: DocumentShelf.config(more: #","author":"y""#)))
        evil.answer("\(DocumentShelf.layer)", .init(200, body: bytes))

        let fixture = try PullFixture()
        try fixture.store.prepare()
        let empty = try fixture.listing()
        for tag in ["x", "y"] {
            let outcome = try fixture.pull("\(evil.name):\(tag)")
            #expect(outcome.failure?.kind == .invalid, "\(outcome)")
            #expect(try fixture.listing().differences(from: empty) == [])
        }
        #expect(try fixture.pull("\(good.name):x").status == 0)
        let tree = try fixture.trees("\(good.name):x")
        for tag in ["x", "y"] {
            // What is there is what its config describes; the bytes that would not be are not asked for.
            #expect(try fixture.pull("\(evil.name):\(tag)").status == 0)
            #expect(try fixture.trees("\(evil.name):\(tag)") == tree)
        }
        #expect(try fixture.trees("\(good.name):x") == tree)
        let image = try #require(try fixture.store.resolve("\(good.name):x"))
        #expect(try File.readAll("\(image.layers[0].diff)/hello") == Array("hello\n".utf8))
        #expect(evil.server.requests.count { $0.path.hasSuffix("\(blob)") } == 1)
        // On top of another layer it is another chain, made and checked anew.
        let diffIDs = #"["\#(DocumentShelf.layer)","\#(DocumentShelf.layer)"]"#
        let two = DocumentShelf.layer() + "," + DocumentShelf.layer(digest: "\(blob)", size: "\(bytes.count)")
        evil.tag("z", evil.manifest(layers: two, config: DocumentShelf.config(diffIDs: diffIDs)))
        let above = try fixture.pull("\(evil.name):z")
        #expect(above.failure?.message.contains("wrong diff ID") == true, "\(above)")
        #expect(try fixture.trees("\(good.name):x") == tree)
    }

    /// zstd:chunked and eStargz add a table of contents, which says where in the blob a file is. Here it lies.
    @Test("T13: a table of contents that lies changes nothing", .enabled(if: Conditions.has("zstd"), "needs zstd"))
    func aLyingTableOfContents() throws {
        let lie = Array(#"{"version":1,"entries":[{"type":"reg","name":"hello","size":6,"digest":"sha256:00"}]}"#.utf8)
        let shelf = try DocumentShelf()
        let fixture = try PullFixture()
        // A skippable frame (RFC 8878, 3.1.2) behind the data, and annotations that point to it.
        let data = try OCILayout.compress(DocumentShelf.tar, .zstd)
        let length = withUnsafeBytes(of: UInt32(lie.count).littleEndian) { Array($0) }
        let chunked = data + [0x50, 0x2a, 0x4d, 0x18] + length + lie
        let position = "\(data.count + 8):\(lie.count):\(lie.count):1"
        let key = "io.github.containers.zstd-chunked.manifest-position"
        let layer = DocumentShelf.layer(
            type: MediaType.ociLayer + "+zstd", digest: "\(shelf.blob(chunked))", size: "\(chunked.count)",
            more: #","annotations":{"\#(key)":"\#(position)"}"#)
        shelf.tag("zstd", shelf.manifest(layers: layer))
        #expect(try fixture.pull("\(shelf.name):zstd").status == 0)
        #expect(try fixture.trees("\(shelf.name):zstd")[0].paths == [".", "hello"])

        let tar = TarForge.make {
            $0.file("hello", "hello\n")
            $0.file("stargz.index.json", #"{"version":1,"entries":[{"type":"reg","name":"evil","size":1}]}"#)
        }
        let packed = try OCILayout.compress(tar, .gzip)
        let stargz = DocumentShelf.layer(
            type: MediaType.ociLayer + "+gzip", digest: "\(shelf.blob(packed))", size: "\(packed.count)",
            more: #","annotations":{"containerd.io/snapshot/stargz/toc.digest":"sha256:00"}"#)
        let config = DocumentShelf.config(diffIDs: #"["\#(Digest.of(tar))"]"#)
        shelf.tag("stargz", shelf.manifest(layers: stargz, config: config))
        #expect(try fixture.pull("\(shelf.name):stargz").status == 0)
        #expect(try fixture.trees("\(shelf.name):stargz")[0].paths == [".", "hello", "stargz.index.json"])
    }

    // MARK: Waiting

    @Test("F13: Ctrl-C ends a pull from a server that keeps it waiting", arguments: ["silent", "dripping", "stalled"])
    func interruptionEndsTheWait(kind: String) throws {
        let shelf = try DocumentShelf()
        var slow = FaultyRegistry.Response(200, body: DocumentShelf.tar)
        switch kind {
        case "silent": slow.delay = 120
        case "dripping": slow.headBytesPerSecond = 0.1
        default: slow.bytesPerSecond = 1
        }
        shelf.answer("x", slow)
        let fixture = try PullFixture()
        try fixture.store.prepare()
        let before = try fixture.listing()
        var child = try fixture.start("\(shelf.name):x")
        #expect(Wait.until(seconds: 20) { !shelf.server.requests.isEmpty })
        try child.signal(SIGINT)
        // Far less than any of the servers would take.
        #expect(try child.wait(seconds: 20) == .exited(1))
        guard case .failed(_, let kind)? = try fixture.events().last else { throw StoreError.noSuchImage("events") }
        #expect(kind == .interrupted)
        #expect(try fixture.listing().differences(from: before) == [])
    }
}
