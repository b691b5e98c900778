import FoundationEssentials
import Glibc
import Images
import OCI
import Synchronization
import Sys
import TestSupport
import Testing

/// Connections that break, and servers that change their mind, while a layer is extracted behind the download.
@Suite(.enabled(if: Conditions.isRoot, "owners need root")) struct FaultyServerTests {
    /// Serves a sample's layout; `override` may answer first, given the blob or manifest that is asked for.
    static func serve(
        _ sample: SampleImage,
        _ override: @escaping @Sendable (FaultyRegistry.Request, Int, [UInt8]) -> FaultyRegistry.Response? = {
            _, _, _ in nil
        }
    ) throws -> FaultyRegistry {
        let path = sample.layout.path
        let index = try JSONDecoder().decode(Index.self, from: Data(try File.readAll("\(path)/index.json")))
        let root = try #require(index.manifests.first)
        return try FaultyRegistry { request, count in
            guard let name = request.path.split(separator: "/").last, request.path != "/v2/" else {
                return FaultyRegistry.Response(200)
            }
            let digest = (try? Digest(parsing: String(name))) ?? root.digest
            guard let bytes = try? File.readAll("\(path)/blobs/sha256/\(digest.hex)") else {
                return .error(404, "BLOB_UNKNOWN", "blob unknown")
            }
            if let response = override(request, count, bytes) { return response }
            if request.path.contains("/manifests/") {
                return FaultyRegistry.Response(200, [("Content-Type", MediaType.ociManifest)], body: bytes)
            }
            return .blob(bytes, for: request)
        }
    }

    private func sample() throws -> SampleImage {
        var sample = try SampleImage()
        try sample.addLayer("one", size: 400_000)
        try sample.addLayer("two", size: 400_000)
        try sample.finish()
        return sample
    }

    static func expectWhole(_ fixture: PullFixture, _ outcome: PullFixture.Outcome, _ sample: SampleImage) throws {
        #expect(outcome.status == 0, "\(outcome)")
        let peaceful = try PullFixture()
        let id = try #require(try peaceful.pull(sample.source).image)
        #expect(try fixture.trees("\(id)") == peaceful.trees("\(id)"))
        #expect(try Directory.entries("\(fixture.dataRoot)/tmp/blobs").isEmpty)
    }

    @Test func aCutConnectionGoesOnByRange() throws {
        let sample = try sample()
        let blob = "/v2/app/blobs/\(sample.layers[0].descriptor.digest)"
        let server = try FaultyServerTests.serve(sample) { request, count, bytes in
            guard request.path == blob, count == 0 else { return nil }
            var response = FaultyRegistry.Response(200, body: bytes)
            response.cutAfter = 150_000
            return response
        }
        let fixture = try PullFixture()
        let outcome = try fixture.pull("\(server.host)/app")
        try FaultyServerTests.expectWhole(fixture, outcome, sample)
        #expect(server.requests(to: blob).map(\.rangeStart) == [nil, 150_000])
        #expect(outcome.lines.contains("\(sample.layers[0].descriptor.digest.short): Retrying"))
    }

    /// The file is emptied under the extraction that reads it, which begins again.
    @Test func aServerThatIgnoresRangesMakesItBeginAgain() throws {
        let sample = try sample()
        let blob = "/v2/app/blobs/\(sample.layers[0].descriptor.digest)"
        let server = try FaultyServerTests.serve(sample) { request, count, bytes in
            guard request.path == blob else { return nil }
            var response = FaultyRegistry.Response(200, body: bytes)
            if count == 0 { response.cutAfter = 300_000 }
            return response
        }
        let fixture = try PullFixture()
        try FaultyServerTests.expectWhole(fixture, try fixture.pull("\(server.host)/app"), sample)
    }

    enum Step: String, Sendable, CaseIterable { case manifest, config, layer }

    @Test("F11: a fault at any step of a pull is tried again", arguments: Step.allCases, ["503", "silence", "cut"])
    func aFaultAtAnyStep(step: Step, fault: String) throws {
        let sample = try sample()
        let layer = sample.layers[1].descriptor.digest
        let server = try FaultyServerTests.serve(sample) { request, count, bytes in
            let asked: Step =
                request.path.contains("/manifests/") ? .manifest : bytes.first == UInt8(ascii: "{") ? .config : .layer
            guard asked == step, count == 0, step != .layer || request.path.hasSuffix("\(layer)") else { return nil }
            var response = FaultyRegistry.Response(fault == "503" ? 503 : 200, body: bytes)
            response.isSilent = fault == "silence"
            if fault == "cut" { response.cutAfter = bytes.count / 2 }
            return response
        }
        let fixture = try PullFixture()
        try FaultyServerTests.expectWhole(fixture, try fixture.pull("\(server.host)/app"), sample)
    }

    @Test("F11: a fault of the token's server is tried again", arguments: ["503", "silence", "cut"])
    func aFaultOfATokensServer(fault: String) throws {
        let sample = try sample()
        let server = try FaultyServerTests.serve(sample) { request, count, _ in
            let token = Array(#"{"token":"abc"}"#.utf8)
            if request.path == "/token" {
                var response = FaultyRegistry.Response(fault == "503" && count == 0 ? 503 : 200, body: token)
                response.isSilent = fault == "silence" && count == 0
                if fault == "cut", count == 0 { response.cutAfter = 5 }
                return response
            }
            if request.header("Authorization") == "Bearer abc" { return nil }
            let realm = "http://\(request.header("Host") ?? "")/token"
            return .init(401, [("WWW-Authenticate", #"Bearer realm="\#(realm)",service="test""#)])
        }
        let fixture = try PullFixture()
        try FaultyServerTests.expectWhole(fixture, try fixture.pull("\(server.host)/app"), sample)
        #expect(server.requests(to: "/token").count >= 2)
    }

    @Test("F12: wrong bytes of an earlier pull that look like a layer")
    func wrongBytesThatLookLikeALayerOfAnEarlierPull() throws {
        let sample = try sample()
        let digest = sample.layers[0].descriptor.digest
        let other = try File.readAll("\(sample.layout.path)/blobs/sha256/\(sample.layers[1].descriptor.digest.hex)")
        let server = try FaultyServerTests.serve(sample)
        let fixture = try PullFixture()
        try fixture.store.prepare()
        // A whole, good layer, but another one, cut to where the download is to go on.
        try File.replace("\(fixture.dataRoot)/tmp/blobs/sha256-\(digest.hex).part", with: Array(other.prefix(100_000)))
        try FaultyServerTests.expectWhole(fixture, try fixture.pull("\(server.host)/app"), sample)
        #expect(server.requests(to: "/v2/app/blobs/\(digest)").map(\.rangeStart) == [100_000, nil])
    }

    @Test("F13: an interruption ends a slow download at once") func anInterruptionEndsASlowDownloadAtOnce() throws {
        let sample = try sample()
        let server = try FaultyServerTests.serve(sample) { request, _, bytes in
            guard request.path.contains("/blobs/"), bytes.count > 100_000 else { return nil }
            var response = FaultyRegistry.Response(200, body: bytes)
            response.bytesPerSecond = 20_000
            return response
        }
        let fixture = try PullFixture()
        var child = try fixture.start("\(server.host)/app")
        let part = "\(fixture.dataRoot)/tmp/blobs/sha256-\(sample.layers[0].descriptor.digest.hex).part"
        #expect(Wait.until(seconds: 20) { ((try? File.status(part).size) ?? 0) > 0 })
        let start = Wait.now
        try child.signal(SIGINT)
        #expect(try child.wait(seconds: 10) == .exited(1))
        #expect(Wait.now - start < 1.5)
        #expect(try File.status(part).size > 0)
        #expect(try Directory.entries("\(fixture.dataRoot)/tmp").map(\.name) == ["blobs"])
    }

    /// A lie about the size, both ways, with a digest that fits what is sent.
    @Test("F12: a descriptor with a wrong size", arguments: [-1, 1]) func aDescriptorWithAWrongSize(difference: Int64)
        throws
    {
        let sample = try sample()
        let layers = sample.layers.enumerated().map { index, layer in
            var layer = layer
            if index == 1 { layer.descriptor.size += difference }
            return layer
        }
        try sample.finish(layers: layers)
        let server = try FaultyServerTests.serve(sample)
        let fixture = try PullFixture()
        try fixture.store.prepare()
        let before = try fixture.listing()
        if difference < 0 {
            let outcome = try fixture.pull("\(server.host)/app")
            #expect(outcome.failure?.kind == .invalid, "\(outcome)")
            #expect(outcome.failure?.message.contains("the blob has more than the") == true, "\(outcome)")
            #expect(try fixture.listing().differences(from: before) == [])
        } else {
            for (source, words) in [(sample.source, "refused: it has"), ("\(server.host)/app", "the blob ended after")]
            {
                let outcome = try fixture.pull(source)
                #expect(outcome.failure?.kind == .invalid, "\(outcome)")
                #expect(outcome.failure?.message.contains(words) == true, "\(outcome)")
                #expect(try fixture.listing().differences(from: before) == [])
            }
        }
    }
}
