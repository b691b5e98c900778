import Images
import OCI
import Sys
import Testing

@Suite struct RecordTests {
    private static let repositories = "image/overlay2/repositories.json"

    @Test func repositoriesHaveDockersShape() throws {
        let fixture = try StoreFixture()
        let digest = Digest.of("m".utf8)
        let id = try fixture.add(["one"], as: ["alpine", "alpine@\(digest)", "localhost:5000/a/b:1", "user/name:2"])
        let expected =
            #"{"Repositories":{"alpine":{"alpine:latest":"\#(id)","alpine@\#(digest)":"\#(id)"},"#
            + #""localhost:5000/a/b":{"localhost:5000/a/b:1":"\#(id)"},"user/name":{"user/name:2":"\#(id)"}}}"#
        #expect(try fixture.text(RecordTests.repositories) == expected)
        #expect(
            Array(try fixture.text("image/overlay2/imagedb/content/sha256/\(id.hex)").utf8)
                == StoreFixture.config(["one"]))
    }

    @Test func aTagMovesAndTellsWhatItNamed() throws {
        let fixture = try StoreFixture()
        let first = try fixture.add(["one"], as: ["app:1"])
        var image = NewImage(config: StoreFixture.config(["one"], salt: "2"))
        image.layers = try fixture.addLayers(["one"])
        let name = try Reference(parsing: "app:1")
        image.names = [name]
        #expect(try fixture.store.record(image) == [name: first])
        #expect(try fixture.store.record(image) == [name: image.id])
        #expect(try fixture.store.resolve("app:1")?.id == image.id)
        #expect(try fixture.store.resolve("\(first)")?.names == [])
    }

    @Test(arguments: [
        ("", "it is empty"), ("{\"Repositories\":", "it is no record of names"), ("{}", "it has no \"Repositories\""),
        ("{\"Repositories\":{\"a\":{\"a:1\":\"sha256:zz\"}}}", "it is no record of names"),
    ])
    func aDamagedRecordIsReportedAndKept(contents: String, reason: String) throws {
        let fixture = try StoreFixture()
        let id = try fixture.add(["one"], as: ["app"])
        try File.replace(fixture.path(RecordTests.repositories), with: Array(contents.utf8))
        let before = try fixture.listing()
        let errors = [
            try #require(throws: StoreError.self, performing: { try fixture.store.resolve("app") }),
            try #require(throws: StoreError.self, performing: { try fixture.add(["one"], as: ["other"]) }),
            try #require(throws: StoreError.self, performing: { try fixture.remove("app") }),
        ]
        for error in errors {
            #expect("\(error)".hasPrefix("\(fixture.path(RecordTests.repositories)) is damaged: \(reason)"))
            #expect("\(error)".contains("move the file away"))
        }
        // Who only reads goes on.
        #expect(try fixture.store.resolve("\(id)")?.id == id)
        #expect(try fixture.store.resolve(id.short)?.id == id)
        let listing = try fixture.store.list()
        #expect(listing.images.map(\.id) == [id])
        #expect(listing.problems.count == 1)
        #expect(try fixture.listing() == before)
    }

    @Test func aNewerRecordIsRefused() throws {
        let fixture = try StoreFixture()
        try fixture.add(["one"], as: ["app"])
        let newer = #"{"Version":2,"Repositories":{}}"#
        try File.replace(fixture.path(RecordTests.repositories), with: Array(newer.utf8))
        let error = try #require(throws: StoreError.self) { try fixture.add(["one"], as: ["other"]) }
        #expect("\(error)".contains("has format version 2, this runimg knows version 1"))
        #expect(try fixture.text(RecordTests.repositories) == newer)
    }

    @Test(arguments: [("", "it is empty"), ("{}", "its digest is not")])
    func aDamagedConfigHidesNoOtherImage(contents: String, reason: String) throws {
        let fixture = try StoreFixture()
        let damaged = try fixture.add(["one"], as: ["damaged"])
        let whole = try fixture.add(["two"], as: ["whole"])
        try File.replace(
            fixture.path("image/overlay2/imagedb/content/sha256/\(damaged.hex)"), with: Array(contents.utf8))
        let error = try #require(throws: StoreError.self) { try fixture.store.resolve("damaged") }
        #expect("\(error)".contains(reason))
        #expect(try fixture.store.resolve("whole")?.id == whole)
        let listing = try fixture.store.list()
        #expect(listing.images.map(\.id) == [whole])
        #expect(listing.problems.count == 1)
        // Its layers cannot be told any more; nothing of the other image goes with it.
        #expect(try fixture.remove("damaged", force: true) == ["Untagged: damaged:latest", "Deleted: \(damaged)"])
        #expect(try fixture.store.resolve("whole")?.id == whole)
    }

    @Test func aMissingLayerIsNamed() throws {
        let fixture = try StoreFixture()
        let id = try fixture.add(["one"], as: ["app"])
        let layer = "image/overlay2/layerdb/sha256/\(StoreFixture.diffID("one").hex)"
        try Directory.removeTree(fixture.path(layer))
        let error = try #require(throws: StoreError.self) { try fixture.store.resolve("app") }
        #expect("\(error)".contains("image \(id.short) lacks its layer"))
        #expect("\(error)".contains(fixture.path(layer)))
    }
}
