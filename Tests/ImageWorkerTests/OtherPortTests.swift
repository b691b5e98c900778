import FoundationEssentials
import Images
import OCI
import Sys
import TestSupport
import Testing

/// Servers at ports that the confined process may not connect to: the keeper does it.
@Suite(.enabled(if: Conditions.isRoot, "owners need root")) struct OtherPortTests {
    private static func blobs(_ layout: OCILayout) throws -> FaultyRegistry {
        try FaultyRegistry { [path = layout.path] request, _ in
            guard let name = request.path.split(separator: "/").last, let digest = try? Digest(parsing: String(name)),
                let bytes = try? File.readAll("\(path)/blobs/sha256/\(digest.hex)")
            else { return .error(404, "BLOB_UNKNOWN", "blob unknown") }
            return .blob(bytes, for: request)
        }
    }

    private static func registry(_ layout: OCILayout, blobsAt host: String) throws -> FaultyRegistry {
        let index = try JSONDecoder().decode(Index.self, from: Data(try File.readAll("\(layout.path)/index.json")))
        let root = try #require(index.manifests.first)
        let manifest = try File.readAll("\(layout.path)/blobs/sha256/\(root.digest.hex)")
        return try FaultyRegistry { request, _ in
            if request.path.contains("/manifests/") {
                return FaultyRegistry.Response(200, [("Content-Type", MediaType.ociManifest)], body: manifest)
            }
            if request.path.contains("/blobs/") { return .redirect("http://\(host)\(request.path)") }
            return FaultyRegistry.Response(200)
        }
    }

    private func sample() throws -> SampleImage {
        var sample = try SampleImage()
        for name in ["one", "two"] { try sample.addLayer(name, size: 300_000) }
        try sample.finish()
        return sample
    }

    @Test func aRedirectToAnotherPortIsFollowed() throws {
        let sample = try sample()
        let store = try OtherPortTests.blobs(sample.layout)
        let registry = try OtherPortTests.registry(sample.layout, blobsAt: store.host)
        let fixture = try PullFixture()
        let outcome = try fixture.pull("\(registry.host)/app")
        #expect(outcome.status == 0, "\(outcome)")
        #expect(store.requests.filter { $0.path.contains("/blobs/") }.count == 3)
        #expect(try fixture.trees("\(registry.host)/app").count == 2)
    }

    /// Nobody listens there: the connection's own error, not the sandbox's.
    @Test func aRedirectToADeadPortSaysSo() throws {
        let sample = try sample()
        let dead = try OtherPortTests.blobs(sample.layout).host
        let registry = try OtherPortTests.registry(sample.layout, blobsAt: dead)
        let fixture = try PullFixture()
        let outcome = try fixture.pull("\(registry.host)/app")
        #expect(outcome.failure?.message.contains("connect: connection refused (ECONNREFUSED)") == true, "\(outcome)")
        #expect(outcome.failure?.kind == .network)
    }
}
