import FoundationEssentials
import Images
import OCI
import Sys
import TestSupport
import Testing

/// Documents that mean two things, nothing that runs here, or the way out of the store: the worker refuses each before
/// it asks for anything that the document names.
@Suite(.enabled(if: Conditions.isRoot, "owners need root")) struct HostileDocumentTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let words: [String]
        let make: @Sendable (DocumentShelf) -> Void

        init(_ name: String, _ words: String..., make: @escaping @Sendable (DocumentShelf) -> Void) {
            testDescription = name
            self.words = words
            self.make = make
        }
    }

    private static let schema1 =
        #"{"schemaVersion":1,"name":"test/image","tag":"x","architecture":"amd64","fsLayers":[{"blobSum":"\#(DocumentShelf.layer)"}],"history":[{"v1Compatibility":"{}"}]"#

    private static let cases: [Case] = [
        Case("manifests and layers", "both an index and a manifest") { shelf in
            shelf.tag("x", shelf.manifest(more: #","manifests":[]"#))
        },
        Case("manifests and layers as an index", "both an index and a manifest") { shelf in
            let text = shelf.manifest(more: #","manifests":[]"#)
            shelf.tag("x", text.replacing(MediaType.ociManifest, with: MediaType.ociIndex), type: MediaType.ociIndex)
        },
        Case("Manifests beside layers", #"some readers take its key "Manifests" for "manifests""#) { shelf in
            shelf.tag("x", shelf.manifest(more: #","Manifests":[]"#), type: MediaType.ociManifest)
        },
        Case("a manifest sent as an index", "its media types do not agree", MediaType.ociIndex) { shelf in
            shelf.tag("x", shelf.manifest(), type: MediaType.ociIndex)
        },
        Case("a manifest of one kind sent as another", "its media types do not agree") { shelf in
            shelf.tag("x", shelf.manifest(), type: MediaType.dockerManifest)
        },
        Case("a manifest without a type sent as an index", "manifest found where index was expected") { shelf in
            let text = shelf.manifest().replacing("\"mediaType\":\"\(MediaType.ociManifest)\",", with: "")
            shelf.tag("x", text, type: MediaType.ociIndex)
        },
        Case("an index whose entry has another type than its manifest", "its media types do not agree") { shelf in
            shelf.tag("x", shelf.index(shelf.manifest(), type: MediaType.dockerManifest), type: MediaType.ociIndex)
        },
        Case("an index whose entry has another size than its manifest", "manifest refused: it has") { shelf in
            let manifest = shelf.manifest()
            let digest = shelf.blob(Array(manifest.utf8))
            let entry = DocumentShelf.descriptor(MediaType.ociManifest, "\(digest)", "\(manifest.utf8.count + 1)")
            shelf.tag("x", DocumentShelf.index(entry))
        },
        Case("an index in an index in an index", "nested deeper than 2") { shelf in
            func above(_ text: String) -> String {
                let digest = shelf.blob(Array(text.utf8))
                return DocumentShelf.index(
                    DocumentShelf.descriptor(MediaType.ociIndex, "\(digest)", "\(text.utf8.count)"))
            }
            shelf.tag("x", above(above(above(shelf.index(shelf.manifest())))))
        },
        Case("schema 1", "schema 1", MediaType.dockerSchema1) { shelf in
            shelf.tag("x", schema1 + "}", type: MediaType.dockerSchema1)
        },
        Case("signed schema 1", "schema 1", MediaType.dockerSchema1Signed) { shelf in
            shelf.tag("x", schema1 + #","signatures":[{}]}"#, type: MediaType.dockerSchema1Signed)
        },
        Case("schema 1 called schema 2", "schema 1") { shelf in
            shelf.tag("x", schema1 + "}", type: MediaType.dockerManifest)
        },
        Case("an index of schema 1", "schema 1") { shelf in
            let old = schema1 + #","signatures":[{}]}"#
            let digest = shelf.blob(Array(old.utf8), type: MediaType.dockerSchema1Signed)
            let entry = DocumentShelf.descriptor(MediaType.dockerSchema1Signed, "\(digest)", "\(old.utf8.count)")
            shelf.tag("x", DocumentShelf.index(entry))
        },
        Case("an unknown layer type", "layer 1 has unsupported media type \"application/x-rar\"") { shelf in
            shelf.tag("x", shelf.manifest(layers: DocumentShelf.layer(type: "application/x-rar")))
        },
        Case("an unknown layer type behind a good one", "layer 2 has unsupported media type") { shelf in
            shelf.tag(
                "x",
                shelf.manifest(
                    layers: DocumentShelf.layer() + "," + DocumentShelf.layer(type: MediaType.ociLayer + "+lz4")))
        },
        Case("an encrypted layer", "layer 1 is encrypted", "tar+gzip+encrypted") { shelf in
            shelf.tag("x", shelf.manifest(layers: DocumentShelf.layer(type: MediaType.ociLayer + "+gzip+encrypted")))
        },
        Case("a foreign layer", "layer 1 is a foreign layer", MediaType.dockerForeignLayer) { shelf in
            shelf.tag("x", shelf.manifest(layers: DocumentShelf.layer(type: MediaType.dockerForeignLayer)))
        },
        Case("a Helm chart", "not a runnable image", "application/vnd.cncf.helm.config.v1+json") { shelf in
            let text = shelf.manifest().replacing(MediaType.ociConfig, with: "application/vnd.cncf.helm.config.v1+json")
            shelf.tag("x", text)
        },
        Case("an attestation", "not a runnable image", "application/vnd.in-toto+json") { shelf in
            shelf.tag("x", shelf.manifest(layers: DocumentShelf.layer(type: "application/vnd.in-toto+json")))
        },
    ]

    @Test(
        "P5, P6, T4, T5, T6: documents of two meanings, of schema 1 and of other things are refused by name",
        arguments: cases) func refusesByName(thing: Case) throws
    {
        let shelf = try DocumentShelf()
        thing.make(shelf)
        let fixture = try PullFixture()
        try fixture.store.prepare()
        let before = try fixture.listing()
        let outcome = try fixture.pull("\(shelf.name):x")
        #expect(outcome.status == 1, "\(outcome)")
        #expect(outcome.failure?.kind == .invalid, "\(outcome)")
        for words in thing.words { #expect(outcome.failure?.message.contains(words) == true, "\(outcome)") }
        #expect(shelf.server.requests.allSatisfy { $0.path.contains("/manifests/") }, "\(shelf.server.requests)")
        #expect(try fixture.listing().differences(from: before) == [])
    }

    /// CVE-2020-15157: a descriptor's `urls` lead a client with credentials to a server of the attacker's.
    @Test("P1: what a descriptor's urls name is never asked") func urlsAreNeverAsked() throws {
        let elsewhere = try FaultyRegistry { _, _ in .init(200, body: DocumentShelf.tar) }
        let urls = #","urls":["\#(elsewhere.url)/x","https://169.254.169.254/x"]"#
        let shelf = try DocumentShelf()
        let fixture = try PullFixture()
        shelf.tag("layer", shelf.manifest(layers: DocumentShelf.layer(more: urls)))
        let refused = try fixture.pull("\(shelf.name):layer")
        #expect(refused.failure?.message.contains("layer 1 is a foreign layer") == true, "\(refused)")
        // Where content is had from the registry they mean nothing.
        let config = DocumentShelf.config()
        let manifest = shelf.manifest(config: config).replacing(
            "\"size\":\(config.utf8.count)}", with: "\"size\":\(config.utf8.count)\(urls)}")
        #expect(manifest.contains("urls"))
        shelf.tag("entry", shelf.index(manifest, more: urls))
        let outcome = try fixture.pull("\(shelf.name):entry")
        #expect(outcome.status == 0, "\(outcome)")
        #expect(elsewhere.requests.isEmpty, "\(elsewhere.requests)")
    }

    // MARK: Digests as paths

    enum Place: String, Sendable, CaseIterable { case layer, config, entry, diffID, header }

    private static let hex = DocumentShelf.layer.hex
    private static let spellings = [
        "sha256:../../x", "sha256:/etc/passwd", "sha256:", "sha256", "", ":\(hex)", "sha1:\(hex.prefix(40))",
        "md5:\(hex.prefix(32))", "SHA256:\(hex)", "sha256:\(hex.uppercased())", "sha256:\(hex.dropLast())",
        "sha256:\(hex)0", "sha256:\(hex.dropLast(5))/../x", "sha512:\(hex)", "../sha256:\(hex)",
        "sha256:\(hex)/../../x", "sha256:\(hex.dropLast())g",
    ]

    private static func put(_ digest: String, at place: Place, on shelf: DocumentShelf, as tag: String) {
        switch place {
        case .layer: shelf.tag(tag, shelf.manifest(layers: DocumentShelf.layer(digest: digest)))
        case .config:
            let config = DocumentShelf.descriptor(MediaType.ociConfig, digest, "2")
            shelf.tag(tag, #"{"schemaVersion":2,"config":\#(config),"layers":[\#(DocumentShelf.layer())]}"#)
        case .entry:
            shelf.tag(tag, DocumentShelf.index(DocumentShelf.descriptor(MediaType.ociManifest, digest, "2")))
        case .diffID: shelf.tag(tag, shelf.manifest(config: DocumentShelf.config(diffIDs: #"["\#(digest)"]"#)))
        case .header: shelf.tag(tag, shelf.manifest(), [("Docker-Content-Digest", digest)])
        }
    }

    /// CVE-2024-3727. Every path that the worker gives to the kernel is one of those that it needs for any pull, or lies
    /// in the store.
    @Test(
        "P7: a digest that is a path is refused, and no path is made of it", .enabled(if: Conditions.has("strace")),
        arguments: Place.allCases) func digestsAreNoPaths(place: Place) throws
    {
        let shelf = try DocumentShelf()
        let fixture = try PullFixture()
        func pull(_ tag: String) throws -> (outcome: PullFixture.Outcome, paths: Set<String>) {
            let trace = fixture.scratch("trace")
            let strace = ["strace", "-f", "--seccomp-bpf", "-qq", "-s", "4096", "-e", "trace=%file", "-o", trace]
            let outcome = try fixture.pull("\(shelf.name):\(tag)", prefix: strace)
            return (outcome, try HostileDocumentTests.paths(trace))
        }
        shelf.tag("good", shelf.manifest())
        let good = try pull("good")
        #expect(good.outcome.status == 0, "\(good.outcome)")
        #expect(good.paths.contains { $0.contains(HostileDocumentTests.hex) })
        let before = try fixture.listing()
        for (number, spelling) in HostileDocumentTests.spellings.enumerated() {
            HostileDocumentTests.put(spelling, at: place, on: shelf, as: "t\(number)")
            let (outcome, paths) = try pull("t\(number)")
            #expect(outcome.status == 1 && outcome.failure?.kind == .invalid, "\(spelling): \(outcome)")
            #expect(outcome.failure?.message.contains("invalid digest") == true, "\(spelling): \(outcome)")
            let new = paths.subtracting(good.paths).filter { !$0.hasPrefix(fixture.dataRoot) || $0.contains("/..") }
            #expect(new.isEmpty, "\(spelling): \(new)")
        }
        #expect(try fixture.listing().differences(from: before) == [])
        #expect(shelf.server.requests.allSatisfy { !$0.target.contains("..") })
    }

    /// The quoted words of a trace: all paths, and nothing else of interest.
    private static func paths(_ trace: String) throws -> Set<String> {
        var result: Set<String> = []
        for line in String(decoding: try File.readAll(trace), as: UTF8.self).split(separator: "\n") {
            let pieces = line.split(separator: "\"", omittingEmptySubsequences: false)
            for index in stride(from: 1, to: pieces.count, by: 2) { result.insert(String(pieces[index])) }
        }
        return result
    }

    // MARK: Malformed

    /// Each word of the three documents that is read, in each of the ways in which it can be wrong.
    private static let mutations: [(field: String, value: String)] = {
        let fields = [
            "manifest schemaVersion", "manifest config", "manifest config.mediaType", "manifest config.digest",
            "manifest config.size", "manifest layers", "manifest layer", "manifest layer.mediaType",
            "manifest layer.digest", "manifest layer.size", "config rootfs", "config type", "config diff_ids",
            "config diff_id", "config architecture", "config os", "index manifests", "index entry",
            "index entry.mediaType", "index entry.digest", "index entry.size",
        ]
        let values = [
            "null", "-1", "1e999", "9223372036854775808", "1.5", "[]", "{}", "true", "[null]",
            String(repeating: "[", count: 100_000), #"{"a":1,"a":2}"#,
        ]
        let huge = DocumentShelf.layer(size: "9223372036854775807")
        return fields.flatMap { field in values.map { (field, $0) } } + [("manifest layers", "[\(huge),\(huge)]")]
    }()

    private static func mutated(_ field: String, _ value: String, on shelf: DocumentShelf) -> String {
        func part(_ name: String, _ good: String) -> String { field == name ? value : good }
        func descriptor(_ name: String, _ type: String, _ digest: Digest, _ size: Int) -> String {
            let fields = [
                #""mediaType":"# + part("\(name).mediaType", "\"\(type)\""),
                #""digest":"# + part("\(name).digest", "\"\(digest)\""), #""size":"# + part("\(name).size", "\(size)"),
            ]
            return part(name, "{" + fields.joined(separator: ",") + "}")
        }
        let diffIDs = part("config diff_ids", "[" + part("config diff_id", "\"\(DocumentShelf.layer)\"") + "]")
        let rootfs = part("config rootfs", #"{"type":\#(part("config type", "\"layers\"")),"diff_ids":\#(diffIDs)}"#)
        let architecture = part("config architecture", "\"\(Platform.current.architecture)\"")
        let config = Array(
            #"{"architecture":\#(architecture),"os":\#(part("config os", "\"linux\"")),"rootfs":\#(rootfs)}"#.utf8)
        let stored = descriptor("manifest config", MediaType.ociConfig, shelf.blob(config), config.count)
        let layer = descriptor("manifest layer", MediaType.ociLayer, DocumentShelf.layer, DocumentShelf.tar.count)
        let version = part("manifest schemaVersion", "2")
        let manifest =
            #"{"schemaVersion":\#(version),"config":\#(stored),"layers":\#(part("manifest layers", "[\(layer)]"))}"#
        guard field.hasPrefix("index") else { return manifest }
        let digest = shelf.blob(Array(manifest.utf8))
        let entry = descriptor("index entry", MediaType.ociManifest, digest, manifest.utf8.count)
        return #"{"schemaVersion":2,"manifests":\#(part("index manifests", "[\(entry)]"))}"#
    }

    @Test("P9: two hundred malformed documents end in an error each, none in a signal", arguments: [0, 1])
    func malformedDocumentsAreErrors(half: Int) throws {
        let shelf = try DocumentShelf()
        let fixture = try PullFixture()
        shelf.tag("good", HostileDocumentTests.mutated("index", "", on: shelf))
        #expect(try fixture.pull("\(shelf.name):good").status == 0)
        let before = try fixture.listing()
        let all = HostileDocumentTests.mutations
        #expect(all.count > 200)
        for number in stride(from: half, to: all.count, by: 2) {
            let (field, value) = all[number]
            shelf.tag("m\(number)", HostileDocumentTests.mutated(field, value, on: shelf))
            let outcome = try fixture.pull("\(shelf.name):m\(number)") { $0.debug = false }
            #expect(outcome.status == 1, "\(field) \(value.prefix(30)): \(outcome)")
            let failure = try #require(outcome.failure, "\(outcome)")
            // An index without a manifest for this machine is a lack, all else a fault.
            #expect(failure.kind == .invalid || field.hasPrefix("index"), "\(field) \(value.prefix(30)): \(outcome)")
            #expect(failure.message.utf8.count < 1000)
        }
        #expect(try fixture.listing().differences(from: before) == [])
    }

    // MARK: Without end

    static let floods: [(String, String)] = [
        ("manifest", "the manifest has more than 4194304 bytes, the limit"),
        ("config", "the blob has more than 4194304 bytes, the limit"),
        ("config too large", "image config refused: 4194305 bytes, the limit is 4194304"),
        ("config of values", "malformed image config: more than 250000 values"),
        ("manifest of values", "malformed manifest: more than 250000 values"),
        ("manifest of keys", "malformed manifest: more than 100000 keys"),
        ("token", "has more than 1048576 bytes, the limit"),
        ("error page", "HTTP status 400: its text has more than 1048576 bytes, the limit"),
        ("tags", "the list of tags has more than 4194304 bytes, the limit"),
        ("pages of tags", "the list of tags has more than 100000, the limit"),
        ("fields", "more than 262144 bytes of headers"), ("layer", "the blob has more than the"),
    ]

    private static func flood(_ kind: String, _ shelf: DocumentShelf) {
        var endless = FaultyRegistry.Response(200, body: [UInt8](repeating: 32, count: 100_000))
        endless.isEndless = true
        let whole = 4 << 20
        switch kind {
        case "manifest": shelf.answer("x", endless)
        case "config", "config too large":
            let size = kind == "config" ? whole : whole + 1
            let digest = Digest.of("endless".utf8)
            shelf.answer("\(digest)", endless)
            let config = DocumentShelf.descriptor(MediaType.ociConfig, "\(digest)", "\(size)")
            shelf.tag("x", #"{"schemaVersion":2,"config":\#(config),"layers":[]}"#)
        case "config of values":
            let history = #","history":["# + String(repeating: "{},", count: whole / 3 - 200) + "{}]"
            shelf.tag("x", shelf.manifest(config: DocumentShelf.config(more: history)))
        case "manifest of values":
            shelf.tag("x", shelf.manifest(more: #","x":["# + String(repeating: "0,", count: whole / 2 - 2000) + "0]"))
        case "manifest of keys":
            let keys = (0..<200_000).map { "\"\($0)\":0" }.joined(separator: ",")
            shelf.tag("x", shelf.manifest(more: #","annotations":{\#(keys)}"#))
        case "token":
            let realm = "Bearer realm=\"\(shelf.server.url)/token\""
            shelf.answer("x", .init(401, [("WWW-Authenticate", realm)]))
            shelf.answer("token", endless)
        case "error page":
            endless.status = 400
            shelf.answer("x", endless)
        case "tags": shelf.answer("list", endless)
        case "pages of tags":
            // The same each time, but for who compares all of it.
            let tags = (0..<90_000).map { "\"t\($0)\"" }.joined(separator: ",")
            shelf.answer("list", .init(200, [("Link", "<x>; rel=\"next\"")], text: #"{"tags":[\#(tags)]}"#))
        case "fields":
            var response = FaultyRegistry.Response(200)
            response.hasEndlessFields = true
            shelf.answer("x", response)
        default:
            shelf.answer("\(DocumentShelf.layer)", endless)
            shelf.tag("x", shelf.manifest())
        }
    }

    @Test(
        "P8: a body without end stops at its limit, in less memory than 100 MiB",
        .enabled(if: Conditions.has("time"), "needs GNU time"), arguments: floods) func floodStops(
            _ kind: String, _ words: String
        ) throws
    {
        let shelf = try DocumentShelf()
        HostileDocumentTests.flood(kind, shelf)
        let fixture = try PullFixture()
        try fixture.store.prepare()
        let before = try fixture.listing()
        let report = fixture.scratch("time")
        let isList = kind.hasSuffix("tags")
        let outcome = try fixture.pull(
            isList ? shelf.name : "\(shelf.name):x", prefix: ["time", "-f", "%M", "-o", report]
        ) { $0.allTags = isList }
        #expect(outcome.status == 1, "\(outcome)")
        #expect(outcome.failure?.message.contains(words) == true, "\(outcome)")
        #expect(try fixture.listing().differences(from: before) == [])
        let text = String(decoding: try File.readAll(report), as: UTF8.self)
        let kilobytes = try #require(Int(text.split(separator: "\n").last ?? ""))
        // A sanitizer keeps what was freed for a while.
        #expect(kilobytes < (Conditions.isSanitized ? 600 : 100) << 10, "\(kind)")
    }
}
