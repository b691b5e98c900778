import OCI
import TestSupport
import Testing

/// A store that holds a good image of one layer, and images of that layer and another one on top.
struct HostileBench {
    let fixture: PullFixture
    let canary: Canary
    var sample: SampleImage
    let before: TreeListing

    init() throws {
        fixture = try PullFixture()
        canary = try Canary()
        sample = try SampleImage()
        try sample.addLayer("base", size: 1000)
        try sample.finish(as: "good:1")
        #expect(try fixture.pull(sample.source).status == 0)
        before = try fixture.listing()
    }

    /// Pulls the image with the blob on top.
    func pull(
        _ blob: [UInt8], diffID: Digest? = nil, _ suffix: String = "+gzip", prefix: [String] = []
    ) throws -> PullFixture.Outcome {
        let layer = OCILayout.Layer(
            descriptor: try sample.layout.blob(blob, mediaType: MediaType.ociLayer + suffix),
            diffID: diffID ?? Digest.of(Array("unknown".utf8)))
        try sample.layout.tag(try sample.layout.image(sample.layers + [layer]), "hostile:1")
        // The good image stays in the index under its name.
        return try fixture.pull("\(sample.source):hostile:1", prefix: prefix)
    }

    /// Expects that the layer is refused with these words and that nothing is left of it.
    func expectRefusal(
        _ blob: [UInt8], _ words: String, diffID: Digest? = nil, _ suffix: String = "+gzip",
        prefix: [String] = [], location: SourceLocation = #_sourceLocation
    ) throws {
        let outcome = try pull(blob, diffID: diffID, suffix, prefix: prefix)
        #expect(outcome.status == 1, "\(outcome)", sourceLocation: location)
        #expect(
            outcome.failure?.message.contains(words) == true, "\(words) in \(outcome)", sourceLocation: location)
        #expect(try fixture.listing().differences(from: before) == [], sourceLocation: location)
        #expect(try canary.changes() == [], sourceLocation: location)
    }
}
