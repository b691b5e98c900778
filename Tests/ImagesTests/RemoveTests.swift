import Images
import OCI
import Sys
import Testing

@Suite struct RemoveTests {
    private static let digest = Digest.of("manifest".utf8)

    private func message(_ body: () throws -> Void) throws -> String {
        "\(try #require(throws: StoreError.self, performing: body))"
    }

    @Test func removesAllThatAnImageHad() throws {
        let fixture = try StoreFixture()
        try fixture.store.prepare()
        let empty = try fixture.listing()
        let id = try fixture.add(
            ["one", "two"], as: ["alpine", "alpine@\(RemoveTests.digest)"], manifest: "manifest")
        let chain = Digest.chain(of: ["one", "two"].map(StoreFixture.diffID))
        #expect(
            try fixture.remove("alpine") == [
                "Untagged: alpine:latest", "Untagged: alpine@\(RemoveTests.digest)", "Deleted: \(id)",
                "Deleted: \(chain[1])", "Deleted: \(chain[0])",
            ])
        let names = #"{"Repositories":{}}"#
        let left = try fixture.listing().filter { !$0.hasPrefix("image/overlay2/repositories.json ") }
        #expect(left == empty)
        #expect(try fixture.text("image/overlay2/repositories.json") == names)
    }

    @Test func keepsLayersThatAnotherImageNeeds() throws {
        let fixture = try StoreFixture()
        let base = try fixture.add(["one"], as: ["base"])
        let top = try fixture.add(["one", "two"], as: ["top"])
        let chain = Digest.chain(of: ["one", "two"].map(StoreFixture.diffID))
        #expect(try fixture.remove("top") == ["Untagged: top:latest", "Deleted: \(top)", "Deleted: \(chain[1])"])
        #expect(try fixture.store.resolve("base")?.layers.count == 1)
        #expect(try fixture.remove("\(base)") == ["Untagged: base:latest", "Deleted: \(base)", "Deleted: \(chain[0])"])
    }

    @Test func oneTagOfSeveralIsOnlyUntagged() throws {
        let fixture = try StoreFixture()
        let id = try fixture.add(["one"], as: ["app:1", "app:2", "app@\(RemoveTests.digest)"])
        #expect(try fixture.remove("app:1") == ["Untagged: app:1"])
        #expect(try fixture.store.resolve("app@\(RemoveTests.digest)")?.id == id)
        #expect(
            try fixture.remove(id.short).dropLast(2) == ["Untagged: app:2", "Untagged: app@\(RemoveTests.digest)"])
    }

    @Test func anIDOfSeveralRepositoriesMustBeForced() throws {
        let fixture = try StoreFixture()
        let id = try fixture.add(["one"], as: ["a", "b"])
        #expect(
            try message { _ = try fixture.remove("\(id)") }
                == "conflict: unable to delete \(id.short) (must be forced) - "
                + "image is referenced in multiple repositories")
        #expect(
            try fixture.remove("\(id)", force: true).dropLast()
                == ["Untagged: a:latest", "Untagged: b:latest", "Deleted: \(id)"])
    }

    @Test func anImageInUseStays() throws {
        let fixture = try StoreFixture()
        let id = try fixture.add(["one"], as: ["app"])
        let container = String(repeating: "c", count: 64)
        var uses = ImageUses()
        uses.containers[id] = [ImageUser(containerID: container, isRunning: false)]
        uses.topLayers = [StoreFixture.diffID("one")]
        let before = try fixture.listing()
        #expect(
            try message { _ = try fixture.remove("app", uses: uses) }
                == "conflict: unable to remove repository reference \"app\" (must force) - container cccccccccccc is "
                + "using its referenced image \(id.short)")
        #expect(
            try message { _ = try fixture.remove(id.hex, uses: uses) }
                == "conflict: unable to delete \(id.short) (must be forced) - image is being used by stopped container "
                + "cccccccccccc")
        #expect(try fixture.listing() == before)
        // By force the image goes, but not the layers that the container stands on.
        #expect(try fixture.remove("app", force: true, uses: uses) == ["Untagged: app:latest", "Deleted: \(id)"])
        #expect(try fixture.store.hold(StoreFixture.diffID("one")) != nil)

        uses.containers[id] = [ImageUser(containerID: container, isRunning: true)]
        try fixture.add(["one"], as: ["app"])
        #expect(
            try message { _ = try fixture.remove(id.hex, force: true, uses: uses) }
                == "conflict: unable to delete \(id.short) (cannot be forced) - image is being used by running container "
                + "cccccccccccc")
        #expect(try fixture.remove("app", force: true, uses: uses) == ["Untagged: app:latest"])
        #expect(try fixture.store.resolve(id.hex)?.names == [])
    }

    @Test(arguments: [
        ("missing", "No such image: missing:latest"), ("missing:1", "No such image: missing:1"),
        ("0123abcd", "No such image: 0123abcd:latest"),
    ])
    func whatIsNotThereIsSaid(name: String, expected: String) throws {
        let fixture = try StoreFixture()
        #expect(try message { _ = try fixture.remove(name) } == expected)
    }

    @Test func aLayerOfARunningPullStays() throws {
        let fixture = try StoreFixture()
        let id = try fixture.add(["one"], as: ["app"])
        let held = try fixture.addLayers(["one"])
        #expect(try fixture.remove("app") == ["Untagged: app:latest", "Deleted: \(id)"])
        #expect(try File.readAll("\(held[0].directory.diff)/file") == Array("one".utf8))
        _ = consume held
        try fixture.store.removeUnused([StoreFixture.diffID("one")])
        #expect(try fixture.store.hold(StoreFixture.diffID("one")) == nil)
    }

    private func prune(
        _ fixture: StoreFixture, _ id: Digest, tagged: Bool, uses: ImageUses = ImageUses()
    ) throws -> [String] {
        var lines: [String] = []
        try fixture.store.prune(id, tagged: tagged, uses: { uses }, report: { lines.append("\($0)") })
        return lines
    }

    @Test func onlyWhatNothingNeedsIsPruned() throws {
        let fixture = try StoreFixture()
        let named = try fixture.add(["one"], as: ["a", "b"])
        let dangling = try fixture.add(["one", "two"], as: ["c@\(RemoveTests.digest)"])
        let before = try fixture.listing()
        #expect(try prune(fixture, named, tagged: false) == [])
        #expect(try prune(fixture, Digest.of("nothing".utf8), tagged: true) == [])
        var uses = ImageUses()
        uses.containers[named] = [ImageUser(containerID: String(repeating: "c", count: 64), isRunning: false)]
        uses.containers[dangling] = uses.containers[named]
        for id in [named, dangling] { #expect(try prune(fixture, id, tagged: true, uses: uses) == []) }
        #expect(try fixture.listing() == before)
        let chain = Digest.chain(of: ["one", "two"].map(StoreFixture.diffID))
        #expect(
            try prune(fixture, dangling, tagged: false)
                == ["Untagged: c@\(RemoveTests.digest)", "Deleted: \(dangling)", "Deleted: \(chain[1])"])
        #expect(
            try prune(fixture, named, tagged: true)
                == ["Untagged: a:latest", "Untagged: b:latest", "Deleted: \(named)", "Deleted: \(chain[0])"])
        #expect(try fixture.store.list().images.isEmpty)
    }

    /// What a removal leaves that was killed behind the image's own record.
    @Test func layersWithoutAnImageGo() throws {
        let fixture = try StoreFixture()
        try fixture.add(["one"], as: ["base"])
        let before = try fixture.listing()
        let id = try fixture.add(["one", "two", "three"], as: [])
        try File.unlink(fixture.path("image/overlay2/imagedb/content/sha256/\(id.hex)"))
        var uses = ImageUses()
        uses.topLayers = [try #require(Digest.chain(of: ["one", "two"].map(StoreFixture.diffID)).last)]
        try fixture.store.removeOrphans { uses }
        let kept = try fixture.listing()
        #expect(kept != before)
        #expect(try fixture.store.hold(Digest.chain(of: ["one", "two"].map(StoreFixture.diffID))[1]) != nil)
        try fixture.store.removeOrphans { ImageUses() }
        #expect(try fixture.listing() == before)
    }

    @Test func goesOnAfterAnError() throws {
        let fixture = try StoreFixture()
        try fixture.add(["one"], as: ["a"])
        try fixture.add(["two"], as: ["b"])
        var lines: [String] = []
        fixture.store.remove(["a", "missing", "b"]) { result in
            switch result {
            case .success(let line): lines.append("\(line)")
            case .failure(let error): lines.append("\(error)")
            }
        }
        #expect(
            lines.filter { !$0.hasPrefix("Deleted") }
                == ["Untagged: a:latest", "No such image: missing:latest", "Untagged: b:latest"])
        #expect(try fixture.store.list().images.isEmpty)
    }
}
