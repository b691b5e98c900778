import Images
import OCI
import Sys
import Testing

@Suite struct TagTests {
    private func name(_ text: String) throws -> Reference { try Reference(parsing: text) }

    @Test func anImageGetsAFurtherName() throws {
        let fixture = try StoreFixture()
        let id = try fixture.add(["one"], as: ["base"])
        for source in ["base", "base:latest", "docker.io/library/base", id.short, "\(id)", id.hex] {
            #expect(try fixture.store.tag(source, as: name("host:5000/a/b:\(source.count)")).id == id)
        }
        try fixture.store.tag("base", as: name("other"))
        let names = try fixture.store.resolve("\(id)")?.names.map(\.familiar)
        #expect(
            names == [
                "base:latest", "host:5000/a/b:11", "host:5000/a/b:12", "host:5000/a/b:22", "host:5000/a/b:4",
                "host:5000/a/b:64", "host:5000/a/b:71", "other:latest",
            ])
        #expect(try Directory.entries(fixture.path("tmp")).map(\.name) == ["blobs"])
    }

    @Test func aNameMovesFromOneImageToAnother() throws {
        let fixture = try StoreFixture()
        let first = try fixture.add(["one"], as: ["a"])
        let second = try fixture.add(["two"], as: ["b", "b@\(Digest.of("manifest".utf8))"])
        try fixture.store.tag("b", as: name("a"))
        #expect(try fixture.store.resolve("a")?.id == second)
        #expect(try fixture.store.resolve("\(first)")?.names == [])
        #expect(try fixture.store.resolve("\(second)")?.digests.count == 1)
        // It has the name already: nothing is written.
        let before = try File.status(fixture.path("image/overlay2/repositories.json")).inode
        try fixture.store.tag("b", as: name("a:latest"))
        #expect(try File.status(fixture.path("image/overlay2/repositories.json")).inode == before)
    }

    @Test func whatIsNotThereGetsNoName() throws {
        let fixture = try StoreFixture()
        try fixture.add(["one"], as: ["a"])
        let before = try fixture.listing()
        for (source, said) in [("nope", "nope:latest"), ("nope:1", "nope:1"), ("0123abcd", "0123abcd:latest")] {
            let error = try #require(throws: StoreError.self) { try fixture.store.tag(source, as: name("b")) }
            #expect("\(error)" == "No such image: \(said)")
        }
        #expect(try fixture.listing() == before)
    }

    @Test func namesThatCannotBeReadAreNotWrittenOver() throws {
        let fixture = try StoreFixture()
        let id = try fixture.add(["one"], as: ["a"])
        let path = fixture.path("image/overlay2/repositories.json")
        for damage in ["", "{}", #"{"Version":2,"Repositories":{}}"#] {
            try File.replace(path, with: Array(damage.utf8))
            #expect(throws: StoreError.self) { try fixture.store.tag("\(id)", as: name("b")) }
            #expect(try fixture.text("image/overlay2/repositories.json") == damage)
        }
    }

    @Test func namesOfManyThreadsAreAllThere() async throws {
        let fixture = try StoreFixture()
        try fixture.add(["one"], as: ["base"])
        for number in 0..<8 { try fixture.store.tag("base", as: name("old:\(number)")) }
        try await withThrowingTaskGroup(of: [String].self) { group in
            for number in 0..<8 {
                group.addTask {
                    try fixture.store.tag("base", as: try Reference(parsing: "new:\(number)"))
                    return []
                }
                group.addTask { try fixture.remove("old:\(number)") }
            }
            var lines: [String] = []
            for try await more in group { lines += more }
            #expect(lines.sorted() == (0..<8).map { "Untagged: old:\($0)" })
        }
        #expect(
            fixture.store.tagNames().map(\.name) == ["base:latest"] + (0..<8).map { "new:\($0)" })
    }
}
