import Images
import OCI
import Sys
import TestSupport
import Testing

@Suite(.enabled(if: Conditions.isRoot && Conditions.hasRegistry, "needs root, docker-registry and skopeo"))
struct PullTests {
    @Test func pullsInDockersOrderAndIsUpToDateTheSecondTime() throws {
        var sample = try SampleImage()
        try sample.addLayer("one", size: 200_000)
        try sample.addLayer("two", size: 100_000, .zstd)
        try sample.addLayer("three", size: 50_000, .none)
        let manifest = try sample.finish()
        let registry = try RealRegistry()
        try registry.push("\(sample.source):latest", as: "library/sample:latest")
        let fixture = try PullFixture()
        let name = "\(registry.host)/library/sample"

        let first = try fixture.pull(name)
        #expect(first.status == 0, "\(first)")
        let lines = first.lines
        let ids = sample.layers.map(\.descriptor.digest.short)
        #expect(lines.first == "latest: Pulling from library/sample")
        #expect(
            lines[1...3] == [
                "\(ids[0]): Pulling fs layer", "\(ids[1]): Pulling fs layer", "\(ids[2]): Pulling fs layer",
            ])
        for id in ids {
            let own = lines.filter { $0.hasPrefix(id) }
            #expect(
                own
                    == ["Pulling fs layer", "Verifying Checksum", "Download complete", "Pull complete"].map {
                        "\(id): \($0)"
                    })
        }
        #expect(lines.filter { $0.hasSuffix("Pull complete") } == ids.map { "\($0): Pull complete" })
        #expect(lines.suffix(2) == ["Digest: \(manifest.digest)", "Status: Downloaded newer image for \(name):latest"])
        #expect(first.name == "\(name):latest")

        let image = try #require(try fixture.store.resolve(name))
        #expect(image.id == first.image)
        #expect(image.digests.map(\.familiar) == ["\(name)@\(manifest.digest)"])
        #expect(image.manifestDigest == manifest.digest)
        #expect(Digest.of(try #require(try fixture.store.manifest(manifest.digest))) == manifest.digest)
        #expect(image.layers.count == 3)
        #expect(try fixture.trees(name)[0]["data/one"]?.size == 200_000)
        #expect(try Directory.entries("\(fixture.dataRoot)/tmp/blobs").isEmpty)

        let before = try fixture.listing()
        let second = try fixture.pull(name)
        #expect(
            second.lines == [
                "latest: Pulling from library/sample", "Digest: \(manifest.digest)",
                "Status: Image is up to date for \(name):latest",
            ])
        #expect(try fixture.listing().differences(from: before) == [])
        #expect(try registry.blobFetches().values.allSatisfy { $0 == 1 || $0 == 2 })
        #expect(sample.layers.allSatisfy { (try? registry.blobFetches()[$0.descriptor.digest.hex]) == 1 })
    }

    @Test func skipsLayersThatAreThere() throws {
        var sample = try SampleImage()
        try sample.addLayer("base", size: 1000)
        try sample.finish(as: "base")
        try sample.addLayer("top", size: 1000)
        try sample.finish(as: "top")
        let registry = try RealRegistry()
        for tag in ["base", "top"] { try registry.push("\(sample.source):\(tag)", as: "app:\(tag)") }
        let fixture = try PullFixture()
        try fixture.pull("\(registry.host)/app:base")
        let outcome = try fixture.pull("\(registry.host)/app:top")
        let ids = sample.layers.map(\.descriptor.digest.short)
        #expect(outcome.lines[1...2] == ["\(ids[0]): Already exists", "\(ids[1]): Pulling fs layer"])
        #expect(try registry.blobFetches()[sample.layers[0].descriptor.digest.hex] == 1)

        let all = try fixture.pull("\(registry.host)/app") { $0.allTags = true }
        #expect(all.lines.last == "Status: Image is up to date for \(registry.host)/app")
        #expect(Set(all.lines.filter { $0.hasSuffix("Pulling from app") }).count == 2)
    }

    @Test func byDigestAMirrorAndAPlatform() throws {
        let sample = try SampleImage()
        var entries: [Descriptor] = []
        for platform in [
            Platform(os: "linux", architecture: "amd64"), Platform(os: "linux", architecture: "arm64", variant: "v8"),
        ] {
            let tar = try SampleImage.tar(platform.architecture, size: 1000, in: sample.scratch)
            entries.append(try sample.layout.image([try sample.layout.layer(tar: tar)], platform: platform))
        }
        let index = try sample.layout.index(entries)
        try sample.layout.tag(index, "latest")
        let registry = try RealRegistry()
        try registry.push("\(sample.source):latest", as: "library/multi:latest")
        let fixture = try PullFixture()

        let byDigest = try fixture.pull("multi@\(index.digest)") { $0.registryRules = .hubMirrors([registry.url]) }
        #expect(byDigest.lines.first == "\(index.digest): Pulling from library/multi")
        #expect(
            byDigest.lines.suffix(2) == [
                "Digest: \(index.digest)", "Status: Downloaded newer image for multi@\(index.digest)",
            ])
        #expect(byDigest.name == "docker.io/library/multi@\(index.digest)")
        #expect(try fixture.store.resolve("multi") == nil)

        let arm = try fixture.pull("multi") {
            $0.registryRules = .hubMirrors([registry.url])
            $0.platform = Platform(os: "linux", architecture: "arm64")
        }
        #expect(arm.status == 0, "\(arm)")
        let image = try #require(try fixture.store.resolve("multi"))
        #expect(image.config.architecture == "arm64")
        // The manifest and the index that it was chosen from are both kept.
        #expect(try fixture.store.manifest(index.digest) != nil)
        #expect(try fixture.store.manifest(entries[1].digest) != nil)

        let none = try fixture.pull("multi") {
            $0.registryRules = .hubMirrors([registry.url])
            $0.platform = Platform(os: "linux", architecture: "s390x")
        }
        #expect(none.status == 1)
        #expect(none.failure?.kind == .notFound)
        #expect(none.failure?.message.contains("no matching manifest for linux/s390x") == true, "\(none)")
    }

    @Test("T2: layers that are the same or empty") func layersThatAreTheSameOrEmpty() throws {
        var sample = try SampleImage()
        try sample.addLayer("one", size: 1000)
        let empty = try sample.layout.layer(tar: [UInt8](repeating: 0, count: 1024))
        let one = sample.layers[0]
        try sample.finish(layers: [one, empty, empty, one])
        try sample.finish(as: "none", layers: [])
        let registry = try RealRegistry()
        try registry.push("\(sample.source):latest", as: "dup:latest")
        try registry.push("\(sample.source):none", as: "dup:none")
        let fixture = try PullFixture()
        let outcome = try fixture.pull("\(registry.host)/dup")
        #expect(outcome.status == 0, "\(outcome)")
        let trees = try fixture.trees("\(registry.host)/dup")
        #expect(trees.count == 4)
        #expect(trees[0].differences(from: trees[3]) == [])
        #expect(trees[1].paths == ["."])
        #expect(try registry.blobFetches()[one.descriptor.digest.hex] == 1)
        #expect(try registry.blobFetches()[empty.descriptor.digest.hex] == 1)
        #expect(try Directory.entries("\(fixture.dataRoot)/tmp/blobs").isEmpty)

        #expect(try fixture.pull("\(registry.host)/dup:none").status == 0)
        #expect(try fixture.store.resolve("\(registry.host)/dup:none")?.layers.count == 0)
    }

    @Test(arguments: ["000", "077"]) func modesHoldUnderAnyUmask(umask: String) throws {
        var sample = try SampleImage()
        try sample.addLayer("one", size: 1000)
        try sample.finish()
        let fixture = try PullFixture()
        let outcome = try fixture.pull(sample.source, prefix: ["sh", "-c", "umask \(umask); exec \"$0\""])
        #expect(outcome.status == 0, "\(outcome)")
        func mode(_ path: String) throws -> UInt32 { try File.status("\(fixture.dataRoot)/\(path)").mode }
        #expect(try mode("") == 0o710)
        #expect(try mode("overlay2") == 0o710)
        for path in ["image", "image/overlay2", "image/overlay2/imagedb/content/sha256", "tmp", "tmp/blobs", "locks"] {
            #expect(try mode(path) == 0o700, "\(path)")
        }
        let image = try #require(try fixture.store.list().images.first)
        #expect(try File.status(image.layers[0].diff).mode == 0o755)
        #expect(try File.status("\(image.layers[0].diff)/small/one-1").mode == 0o640)
        #expect(try mode("image/overlay2/imagedb/content/sha256/\(image.id.hex)") == 0o600)
    }
}
