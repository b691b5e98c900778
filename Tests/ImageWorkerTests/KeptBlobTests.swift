import FoundationEssentials
import Images
import OCI
import Sys
import TestSupport
import Testing

/// What a layer was made of stays with its record, and goes with it.
@Suite(.enabled(if: Conditions.isRoot && Conditions.hasRegistry, "needs root, docker-registry and skopeo"))
struct KeptBlobTests {
    private func sample(_ compressions: [OCILayout.Compression] = [.gzip, .zstd, .none]) throws -> SampleImage {
        var sample = try SampleImage()
        for (index, compression) in compressions.enumerated() {
            try sample.addLayer("layer\(index)", size: 60_000, compression)
        }
        try sample.finish()
        return sample
    }

    /// The kept bytes are those that the manifest names.
    private func check(_ store: ImageStore, _ name: String, are layers: [Descriptor], links: Int = 1) throws {
        let image = try #require(try store.resolve(name))
        let blobs = try image.layers.map { try #require(try store.blob(of: $0.chainID)) }
        #expect(blobs.map(\.descriptor.digest) == layers.map(\.digest))
        for (blob, layer) in zip(blobs, layers) {
            let bytes = try File.readAll(blob.path)
            #expect(Digest.of(bytes) == layer.digest)
            #expect(Int64(bytes.count) == blob.descriptor.size)
            #expect(blob.descriptor.mediaType == layer.mediaType)
            #expect(try File.status(blob.path).links == UInt64(links))
            #expect(try File.status(blob.path).mode == 0o600)
        }
        let outgoing = try store.outgoing(image)
        #expect(outgoing.manifestDescriptor.digest == image.manifestDigest)
        #expect(outgoing.layers.map(\.descriptor) == layers)
        #expect(try Directory.entries(store.layout.blobs).isEmpty)
    }

    @Test func ofAPullAreTheBlobsOfTheRegistry() throws {
        let sample = try sample()
        let registry = try RealRegistry()
        try registry.push("\(sample.source):latest", as: "library/sample:latest")
        let fixture = try PullFixture()
        let name = "\(registry.host)/library/sample"
        try #require(try fixture.pull(name).status == 0)
        try check(fixture.store, name, are: sample.layers.map(\.descriptor))

        try fixture.store.remove(name, force: true, uses: { () throws(StoreError) in ImageUses() }) { _ in }
        #expect(try fixture.listing().paths.filter { $0.contains("blob") && !$0.hasPrefix("tmp/blobs") }.isEmpty)
    }

    @Test func ofALayoutAreItsBlobs() throws {
        let sample = try sample()
        let fixture = try PullFixture()
        let image = try #require(try fixture.pull(sample.source).image)
        try check(fixture.store, "\(image)", are: sample.layers.map(\.descriptor))
    }

    /// A layer that stands twice in an image, which one download serves.
    @Test func ofTheSameLayerTwiceAreBothThere() throws {
        var sample = try SampleImage()
        try sample.addLayer("one", size: 60_000)
        let twice = sample.layers + sample.layers
        try sample.finish(layers: twice)
        let registry = try RealRegistry()
        try registry.push("\(sample.source):latest", as: "library/twice:latest")
        let fixture = try PullFixture()
        let name = "\(registry.host)/library/twice"
        try #require(try fixture.pull(name).status == 0)
        try check(fixture.store, name, are: twice.map(\.descriptor), links: 2)
    }

    /// In an archive of docker's they are plain tars, and are kept as gzip, whose contents are what the config names.
    @Test func ofADockerArchiveAreCompressed() throws {
        let sample = try sample([.gzip, .none])
        let fixture = try PullFixture()
        let archive = fixture.scratch("docker.tar")
        try Tool.check(
            "skopeo", ["--insecure-policy", "copy", "--quiet", "\(sample.source):latest", "docker-archive:\(archive)"])
        let id = try #require(try fixture.pull("docker-archive:\(archive)").image)
        let image = try #require(try fixture.store.resolve("\(id)"))
        let outgoing = try fixture.store.outgoing(image)
        for (layer, diffID) in zip(outgoing.layers, image.config.rootfs.diffIDs) {
            #expect(layer.descriptor.mediaType == MediaType.ociLayer + "+gzip")
            let bytes = try File.readAll(layer.path)
            #expect(Digest.of(bytes) == layer.descriptor.digest)
            let plain = try Tool.check("gzip", ["-dc"], input: bytes).stdoutBytes
            #expect(Digest.of(plain) == diffID)
        }
        // Once more the same: the digest is known before anything is pushed.
        #expect(try fixture.store.outgoing(image).manifest == outgoing.manifest)
    }
}
