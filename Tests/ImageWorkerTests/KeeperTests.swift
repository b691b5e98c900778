import Glibc
import Images
import OCI
import Sys
import TestSupport
import Testing

/// The keeper against a confined process that lies to it.
@Suite(
    .enabled(
        if: Conditions.isRoot && File.exists(Misbehaviour.program),
        "needs root and the program built beside the tests"), .serialized)
struct KeeperTests {
    @Test(arguments: [
        ("garbage", "asked for a frame of"), ("a frame without end", "asked for a frame of 2147483647 bytes"),
        ("an empty frame", "asked for a frame of 0 bytes"), ("an unknown verb", "asked for verb 200"),
        ("a frame that ends early", "asked for a frame that ends early"),
        ("a field that is longer than its frame", "asked for a field of 4294967295 bytes"),
        ("an end before anything was stored", "asked for an end before anything was stored"),
        ("questions whose answers nobody reads", "asked for answers that nobody reads"),
        ("an endpoint that is not asked", "asked for an endpoint that is none of this pull's"),
        ("supervision once more", "asked for supervision once more"),
        ("death", "the process that reads the image was ended by signal 9"),
    ])
    func whatIsNoConversationEndsIt(attack: String, message: String) throws {
        let misbehaviour = try Misbehaviour()
        let outcome = try misbehaviour.run("confined", "keeper", attack)
        #expect(outcome.pull.status == 1)
        #expect(outcome.pull.failure?.message.contains(message) == true, "\(outcome)")
        #expect(try misbehaviour.damage() == [])
    }

    @Test func liesAreRefusedOneByOne() throws {
        let misbehaviour = try Misbehaviour()
        let other = try #require(try misbehaviour.fixture.store.resolve("other:1"))
        let tree = try TreeListing(misbehaviour.layer)
        let outcome = try misbehaviour.run("confined", "keeper", "a conversation")
        let expected: [(String, String)] = [
            ("claim before an image", "a request before the image"),
            ("a config that is none", "malformed image config"),
            ("a config of 501 layers", "501 layers, the limit is 500"), ("open", "taken"),
            ("claim from above", "before the one below"), ("claim of a layer that there is not", "not to be claimed"),
            ("claim of the last number", "not to be claimed"), ("commit before the claim", "not claimed"),
            ("claim", "taken"), ("claim once more", "not to be claimed"), ("record without layers", "lacks layers"),
            ("commit of a tree that there is not", "ENOENT"), ("commit of a link to another's layer", "ENOTDIR"),
            ("commit of a file", "ENOTDIR"), ("commit of a negative size", "not claimed"), ("commit", "taken"),
            ("the same commit again", "not claimed"), ("claim above", "taken"), ("commit above", "taken"),
            ("a manifest of another digest", "a document whose digest is not"),
            ("a manifest of another config", "a manifest of another config"),
            ("an index without the manifest", "an index that lacks the manifest"),
            ("a manifest that is no JSON", "asked for"), ("another's name", "which was not asked for"),
            ("another tag", "which was not asked for"), ("another repository", "invalid reference format"),
            ("a name that leads out", "invalid reference format"),
            ("a digest that was not received", "which was not asked for"), ("record", "taken"),
            ("open of another's layers", "taken"), ("claim of another's layer", "taken"),
            ("commit over another's layer", "not claimed"),
        ]
        #expect(outcome.order == expected.map(\.0), "\(outcome)")
        for (name, answer) in expected {
            #expect(outcome.results[name]?.contains(answer) == true, "\(name): \(outcome.results[name] ?? "")")
        }
        // The image that was asked for is there; nothing else has changed, whatever was said.
        let store = misbehaviour.fixture.store
        let made = try #require(try store.resolve("registry.invalid:\(misbehaviour.registry.port)/app:1"))
        #expect(made.layers.count == 2)
        #expect(outcome.pull.image == made.id)
        #expect(outcome.pull.status == 0)
        #expect(try store.resolve("other:1") == other)
        #expect(try store.list().images.count == 2)
        #expect(try TreeListing(misbehaviour.layer) == tree)
        #expect(try misbehaviour.canary.changes() == [])
        #expect(try Directory.entries("\(misbehaviour.fixture.dataRoot)/tmp").map(\.name) == ["blobs"])
        let warnings = outcome.pull.events.compactMap { if case .warning(let text) = $0 { text } else { nil } }
        #expect(warnings == ["U+001B[2JU+001B]0;evilU+0007"])
    }
}
