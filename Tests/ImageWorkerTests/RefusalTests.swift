import FoundationEssentials
import Glibc
import Images
import OCI
import Sys
import TestSupport
import Testing

/// Whatever is wrong with an image: one clear message, and a store that looks as before.
@Suite(.enabled(if: Conditions.isRoot, "owners need root")) struct RefusalTests {
    /// Pulls `source` into a store that holds another image, and expects it to be refused.
    private func expectRefusal(
        _ source: String, _ texts: String..., kind: WorkerEvent.FailureKind = .invalid, in fixture: PullFixture,
        sourceLocation: SourceLocation = #_sourceLocation, _ configure: (inout WorkerRequest) -> Void = { _ in }
    ) throws {
        let before = try fixture.listing()
        let outcome = try fixture.pull(source, configure)
        #expect(outcome.status == 1, "\(outcome)", sourceLocation: sourceLocation)
        for text in texts {
            #expect(
                outcome.failure?.message.contains(text) == true, "\(text) in \(outcome)", sourceLocation: sourceLocation
            )
        }
        #expect(outcome.failure?.kind == kind, "\(outcome)", sourceLocation: sourceLocation)
        #expect(try fixture.listing().differences(from: before) == [], sourceLocation: sourceLocation)
    }

    private func fixtureWithAnImage() throws -> PullFixture {
        let fixture = try PullFixture()
        var other = try SampleImage()
        try other.addLayer("other", size: 100)
        try other.finish(as: "other:1")
        #expect(try fixture.pull(other.source).status == 0)
        return fixture
    }

    private func sample(layers: Int = 2) throws -> SampleImage {
        var sample = try SampleImage()
        for number in 0..<layers { try sample.addLayer("layer\(number)", size: 100_000) }
        return sample
    }

    @Test(
        "F12, T1, T3: a registry that serves wrong bytes",
        .enabled(if: Conditions.hasRegistry, "needs docker-registry and skopeo"))
    func aRegistryThatServesWrongBytes() throws {
        let sample = try sample()
        let manifest = try sample.finish()
        let registry = try RealRegistry()
        try registry.push("\(sample.source):latest", as: "app:latest")
        let fixture = try fixtureWithAnImage()
        let name = "\(registry.host)/app"
        let blob = sample.layers[1].descriptor
        let whole = try File.readAll(registry.blobFile(blob.digest))

        var flipped = whole
        flipped[whole.count / 2] ^= 1
        try File.replace(registry.blobFile(blob.digest), with: flipped, mode: 0o644)
        try expectRefusal(
            name, "layer \(blob.digest.short) refused: its digest is sha256:", "not \(blob.digest)", in: fixture)

        try File.replace(registry.blobFile(blob.digest), with: whole + [0], mode: 0o644)
        try expectRefusal(name, "the blob has more than the \(blob.size) bytes", in: fixture)

        try File.replace(registry.blobFile(blob.digest), with: whole, mode: 0o644)
        let config = try JSONDecoder().decode(
            Manifest.self, from: Data(try File.readAll(registry.blobFile(manifest.digest)))
        ).config
        var bytes = try File.readAll(registry.blobFile(config.digest))
        bytes[bytes.count - 2] ^= 1
        try File.replace(registry.blobFile(config.digest), with: bytes, mode: 0o644)
        try expectRefusal(name, "the blob's digest is sha256:", in: fixture)
        try expectRefusal("\(registry.host)/missing", "manifest unknown", kind: .notFound, in: fixture)
    }

    @Test(
        "T2: a config that lies about its layers",
        .enabled(if: Conditions.hasRegistry, "needs docker-registry and skopeo"))
    func aConfigThatLies() throws {
        let sample = try sample()
        let wrong = Digest.of("wrong".utf8)
        try sample.finish(as: "diffid") { $0.rootfs.diffIDs[1] = wrong }
        try sample.finish(as: "more") { $0.rootfs.diffIDs.append(wrong) }
        try sample.finish(as: "fewer") { $0.rootfs.diffIDs.removeLast() }
        let registry = try RealRegistry()
        for tag in ["diffid", "more", "fewer"] { try registry.push("\(sample.source):\(tag)", as: "app:\(tag)") }
        let fixture = try fixtureWithAnImage()
        let name = "\(registry.host)/app"
        try expectRefusal("\(name):diffid", "wrong diff ID of layer: expected \(wrong)", in: fixture)
        try expectRefusal("\(name):more", "its manifest has 2 layers, its config 3 diff_ids", in: fixture)
        try expectRefusal("\(name):fewer", "its manifest has 2 layers, its config 1 diff_ids", in: fixture)
    }

    /// CVE-2014-8178: an image that claims another's layer by its diff ID.
    @Test("P11: a diff ID that belongs to other bytes") func aDiffIDThatBelongsToOtherBytes() throws {
        var good = try sample(layers: 1)
        let original = good.layers[0]
        try good.finish(as: "good:1")
        try good.addLayer("evil", size: 1000)
        try good.finish(as: "evil:1", layers: [good.layers[1]]) { $0.rootfs.diffIDs = [original.diffID] }
        let fixture = try fixtureWithAnImage()
        try expectRefusal("\(good.source):evil:1", "wrong diff ID", in: fixture)
        #expect(try fixture.pull("\(good.source):good:1").status == 0)
        let tree = try fixture.trees("good:1")
        // Now the layer is there, verified: its bytes are used, those of the claim are never read.
        #expect(try fixture.pull("\(good.source):evil:1").status == 0)
        #expect(try fixture.trees("evil:1") == tree)
    }

    @Test("T3: a platform that is not the index's") func aPlatformThatIsNotTheIndexs() throws {
        let sample = try sample(layers: 1)
        let arm = Platform(os: "linux", architecture: "arm64", variant: "v8")
        var entry = try sample.layout.image(sample.layers, platform: arm)
        entry.platform = Platform(os: "linux", architecture: "amd64")
        try sample.layout.tag(try sample.layout.index([entry]), "lies:1")
        try sample.finish(as: "arm:1", platform: arm)
        let fixture = try fixtureWithAnImage()
        try expectRefusal(
            "\(sample.source):lies:1", "its config is for linux/arm64/v8, the index says linux/amd64", in: fixture
        ) { $0.platform = Platform(os: "linux", architecture: "amd64") }
        try expectRefusal("\(sample.source):arm:1", "has no image for linux/s390x", in: fixture) {
            $0.platform = Platform(os: "linux", architecture: "s390x")
        }
    }

    @Test("P7, T1: layouts that lead elsewhere") func layoutsThatLeadElsewhere() throws {
        let sample = try sample(layers: 1)
        let manifest = try sample.finish(as: "app:1")
        let fixture = try fixtureWithAnImage()
        let blob = "\(sample.layout.path)/blobs/sha256/\(sample.layers[0].descriptor.digest.hex)"
        try File.rename(blob, to: sample.scratch("elsewhere"))
        try expectRefusal(sample.source, "it lacks the blob \(sample.layers[0].descriptor.digest)", in: fixture)
        try File.symlink(sample.scratch("elsewhere"), blob)
        try expectRefusal(sample.source, "cannot be read: too many levels of symbolic links (ELOOP)", in: fixture)
        try File.unlink(blob)
        try Tool.check("mkfifo", [blob])
        try expectRefusal(sample.source, "cannot be read: invalid argument (EINVAL)", in: fixture)
        try File.unlink(blob)
        var bytes = try File.readAll(sample.scratch("elsewhere"))
        bytes[50] ^= 1
        try File.replace(blob, with: bytes)
        try expectRefusal(
            sample.source, "layer \(sample.layers[0].descriptor.digest.short) refused: its digest is", in: fixture)

        let document = "\(sample.layout.path)/blobs/sha256/\(manifest.digest.hex)"
        try File.replace(document, with: try File.readAll(document) + [32])
        try expectRefusal(sample.source, "manifest refused: it has", in: fixture)
        try expectRefusal("oci:\(sample.scratch("nothing"))", "no such file or directory", kind: .store, in: fixture)
        try expectRefusal("\(sample.source):other", "no image is named other; it has app:1", in: fixture)
    }

    @Test("T5: indexes that nest") func indexesThatNestOrGoInCircles() throws {
        let sample = try sample(layers: 1)
        let image = try sample.layout.image(sample.layers)
        let deep = try sample.layout.index([try sample.layout.index([try sample.layout.index([image])])])
        try sample.layout.tag(deep, "deep:1")
        let fixture = try fixtureWithAnImage()
        try expectRefusal("\(sample.source):deep:1", "nested deeper than 2", in: fixture)
    }

    @Test(arguments: [
        ("{", "the request is no JSON"), ("", "the request is no JSON"),
        (#"{"verb":"pull","source":"A b","dataRoot":"/nowhere"}"#, "the request is no JSON"),
    ])
    func requestsThatAreNone(request: String, text: String) throws {
        let output = try Tool.run(Runimg.workerPath, input: Array("\(request)\n".utf8))
        #expect(output.status == 1)
        let outcome = try PullFixture.outcome(output.stdoutBytes, status: output.status, "\(output)")
        #expect(outcome.failure?.message.contains(text) == true)
        #expect(outcome.failure?.kind == .usage)
    }

    @Test func aNameThatIsNone() throws {
        let fixture = try PullFixture()
        let outcome = try fixture.pull("Alpine")
        #expect(outcome.failure?.kind == .usage)
        #expect(outcome.failure?.message == "invalid reference format: repository name (Alpine) must be lowercase")
        #expect(!File.exists(fixture.dataRoot))
    }
}
