import CLinux
import Glibc
import Images
import OCI
import Sys
import Testing

@Suite struct CleanTests {
    /// What is left of a process that was killed in the middle of `steps` of a commit, in the order of the code.
    @Test(arguments: ["staged", "moved", "linked"])
    func aCommitCutShortLeavesNothing(moment: String) throws {
        let fixture = try StoreFixture()
        try fixture.add(["one"], as: ["app"])
        let before = try fixture.listing()
        let cacheID = Random.hex(bytes: 32)
        let staging = fixture.path("tmp/layer-dead")
        for directory in ["", "/layer", "/layer/diff", "/db"] { try Directory.make(staging + directory, mode: 0o700) }
        try File.replace("\(staging)/layer/diff/file", with: Array("x".utf8))
        let short = String(repeating: "A", count: 26)
        try File.replace("\(staging)/layer/link", with: Array(short.utf8))
        try File.replace("\(staging)/db/cache-id", with: Array(cacheID.utf8))
        if moment != "staged" { try File.rename("\(staging)/layer", to: fixture.path("overlay2/\(cacheID)")) }
        if moment == "linked" { try File.symlink("../\(cacheID)/diff", fixture.path("overlay2/l/\(short)")) }
        try fixture.store.clean()
        #expect(try fixture.listing() == before)
    }

    @Test func staleRecordsAndOldBlobsGoAndFreshBlobsStay() throws {
        let fixture = try StoreFixture()
        try fixture.add(["one"], as: ["app"])
        let before = try fixture.listing()
        try File.replace(fixture.path("tmp/record-dead"), with: [1])
        try File.replace(fixture.path("tmp/blobs/old.part"), with: [1])
        var times = [timespec(tv_sec: 1, tv_nsec: 0), timespec(tv_sec: 1, tv_nsec: 0)]
        try check { utimensat(AT_FDCWD, fixture.path("tmp/blobs/old.part"), &times, 0) }
        try File.replace(fixture.path("tmp/blobs/new.part"), with: [1])
        try fixture.store.clean()
        #expect(File.exists(fixture.path("tmp/blobs/new.part")))
        try File.unlink(fixture.path("tmp/blobs/new.part"))
        #expect(try fixture.listing() == before)
    }

    @Test func stagingInUseStays() throws {
        let fixture = try StoreFixture()
        try fixture.store.prepare()
        guard case .absent(let claim) = try fixture.store.claim(StoreFixture.diffID("one")) else {
            Issue.record("the layer is not there yet")
            return
        }
        var staged: StagedLayer? = try fixture.store.stage(claim, diffID: StoreFixture.diffID("one"))
        let count = try Directory.entries(fixture.path("tmp")).count
        try fixture.store.clean()
        #expect(try Directory.entries(fixture.path("tmp")).count == count)
        #expect(staged != nil)
        staged = nil
        #expect(try Directory.entries(fixture.path("tmp")).map(\.name) == ["blobs"])
    }

    @Test func aLayerIsMadeByOneAtATime() throws {
        let fixture = try StoreFixture()
        try fixture.store.prepare()
        let chainID = StoreFixture.diffID("one")
        var first: LayerState? = try fixture.store.claim(chainID)
        #expect(first != nil)
        #expect(try fixture.store.claim(chainID, wait: false) == nil)
        first = nil
        guard case .absent = try fixture.store.claim(chainID, wait: false) else {
            Issue.record("the claim was not given back")
            return
        }
        let names = try Directory.entries(fixture.path("locks")).map(\.name)
        #expect(names.filter { $0.hasPrefix("stage-") } == [])
    }

    @Test func modesAreDockers() throws {
        let fixture = try StoreFixture()
        try fixture.add(["one", "two"], as: ["app"])
        let image = try #require(try fixture.store.resolve("app"))
        func mode(_ relative: String) throws -> String {
            String(try File.status(fixture.path(relative)).mode, radix: 8)
        }
        #expect(try mode("") == "710")
        for directory in [
            "image", "image/overlay2/imagedb", "image/overlay2/layerdb/sha256", "tmp", "tmp/blobs", "locks",
        ] {
            #expect(try mode(directory) == "700", "\(directory)")
        }
        for directory in ["overlay2", "overlay2/l", "overlay2/\(image.layers[1].cacheID)"] {
            #expect(try mode(directory) == "710", "\(directory)")
        }
        #expect(try mode("overlay2/\(image.layers[1].cacheID)/diff") == "755")
        #expect(try mode("overlay2/\(image.layers[1].cacheID)/work") == "700")
        #expect(try mode("image/overlay2/repositories.json") == "600")
    }
}
