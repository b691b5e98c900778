import Images
import OCI
import Sys
import Testing

@Suite struct ResolveTests {
    @Test func anEmptyStoreHasNothingAndMakesNothing() throws {
        let fixture = try StoreFixture()
        #expect(try fixture.store.resolve("alpine") == nil)
        #expect(try fixture.store.resolve("sha256:" + String(repeating: "a", count: 64)) == nil)
        #expect(try fixture.store.list().images.isEmpty)
        try fixture.store.clean()
        #expect(!File.exists(fixture.store.layout.root))
    }

    @Test func findsByNameIDAndPrefix() throws {
        let fixture = try StoreFixture()
        let manifest = Digest.of("manifest".utf8)
        let id = try fixture.add(
            ["one", "two"], as: ["alpine:3.20", "alpine@\(manifest)"], manifest: "manifest")
        let spellings = [
            "alpine:3.20", "docker.io/library/alpine:3.20", "library/alpine:3.20", "alpine@\(manifest)",
            "alpine:other@\(manifest)", "\(id)", id.hex, String(id.hex.prefix(12)), "sha256:\(id.hex.prefix(7))",
        ]
        for spelling in spellings {
            let image = try #require(try fixture.store.resolve(spelling), "\(spelling)")
            #expect(image.id == id)
            #expect(image.names.map(\.familiar) == ["alpine:3.20"])
            #expect(image.digests.map(\.familiar) == ["alpine@\(manifest)"])
            #expect(image.manifestDigest == manifest)
            #expect(image.config.config?.cmd == ["sh"])
            #expect(image.size == 6)
        }
        #expect(try fixture.store.resolve("alpine") == nil)
        #expect(try fixture.store.resolve("alpine:3.21") == nil)
        #expect(try fixture.store.resolve("localhost/alpine:3.20") == nil)
        #expect(try fixture.store.manifest(manifest) == Array("manifest".utf8))
    }

    @Test func aNameWinsOverDigits() throws {
        let fixture = try StoreFixture()
        let first = try fixture.add(["one"], as: ["first"])
        let second = try fixture.add(["two"], as: [String(first.hex.prefix(5))])
        #expect(try fixture.store.resolve(String(first.hex.prefix(5)))?.id == second)
        #expect(try fixture.store.resolve(String(first.hex.prefix(6)))?.id == first)
    }

    @Test func anAmbiguousPrefixIsAnError() throws {
        let fixture = try StoreFixture()
        var firstDigits: Set<Character> = []
        var shared: Character?
        for number in 0..<17 where shared == nil {
            let id = try fixture.add(["one"], as: [], salt: "\(number)")
            let digit = try #require(id.hex.first)
            if !firstDigits.insert(digit).inserted { shared = digit }
        }
        let prefix = String(try #require(shared))
        let error = try #require(throws: StoreError.self) { try fixture.store.resolve(prefix) }
        #expect("\(error)" == "image ID prefix \(prefix) is ambiguous; give more digits of it")
    }

    @Test func layersComeBottomFirstWithDockersFiles() throws {
        let fixture = try StoreFixture()
        try fixture.add(["one", "two", "three"], as: ["layered"])
        let image = try #require(try fixture.store.resolve("layered"))
        #expect(image.layers.map(\.chainID) == Digest.chain(of: image.config.rootfs.diffIDs))
        let contents = try image.layers.map { String(decoding: try File.readAll("\($0.diff)/file"), as: UTF8.self) }
        #expect(contents == ["one", "two", "three"])
        for (index, layer) in image.layers.enumerated() {
            let record = "image/overlay2/layerdb/sha256/\(layer.chainID.hex)"
            #expect(try fixture.text("\(record)/diff") == image.config.rootfs.diffIDs[index].description)
            #expect(try fixture.text("\(record)/cache-id") == layer.cacheID)
            #expect(try fixture.text("\(record)/size") == "\(layer.size)")
            #expect(try File.readLink(fixture.path("overlay2/\(layer.link)")) == "../\(layer.cacheID)/diff")
            #expect(layer.link.utf8.count == 28)
            #expect("l/" + (try fixture.text("overlay2/\(layer.cacheID)/link")) == layer.link)
            if index > 0 {
                #expect(try fixture.text("\(record)/parent") == image.layers[index - 1].chainID.description)
                let below = image.layers[..<index].reversed().map(\.link).joined(separator: ":")
                #expect(try fixture.text("overlay2/\(layer.cacheID)/lower") == below)
            } else {
                #expect(!File.exists(fixture.path("\(record)/parent")))
                #expect(!File.exists(fixture.path("overlay2/\(layer.cacheID)/lower")))
            }
        }
    }

    @Test func listsNewestFirst() throws {
        let fixture = try StoreFixture()
        let old = try fixture.add(["one"], as: ["old"], created: "2020-01-01T00:00:00Z")
        let new = try fixture.add(["one"], as: ["new", "new:2"], created: "2024-06-01T00:00:00.5Z")
        let untagged = try fixture.add(["two"], as: [], created: "2022-01-01T00:00:00Z")
        let listing = try fixture.store.list()
        #expect(listing.images.map(\.id) == [new, untagged, old])
        #expect(listing.images[0].names.map(\.familiar) == ["new:2", "new:latest"])
        #expect(listing.images[1].names.isEmpty)
        #expect(listing.problems.isEmpty)
    }
}
