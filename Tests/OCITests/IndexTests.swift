import OCI
import Testing

@Suite struct IndexTests {
    static func entry(_ platform: String?, seed: String, type: String = MediaType.ociManifest) -> Descriptor {
        var entry = Descriptor(mediaType: type, digest: Digest.of(seed.utf8), size: 1)
        if let platform {
            let parts = platform.split(separator: "/").map(String.init)
            entry.platform = Platform(os: parts[0], architecture: parts[1], variant: parts.count > 2 ? parts[2] : nil)
        }
        return entry
    }

    static func index(_ platforms: [String?]) -> Index {
        Index(
            mediaType: MediaType.ociIndex,
            manifests: platforms.enumerated().map { entry($0.element, seed: "\($0.offset)") })
    }

    static let choices: [([String?], String, Int)] = [
        (["linux/arm64", "linux/amd64"], "linux/amd64", 1),
        (["linux/amd64", "linux/arm64/v8"], "linux/arm64", 1),
        (["linux/arm/v5", "linux/arm/v7", "linux/arm/v6"], "linux/arm/v7", 1),
        (["linux/arm/v5", "linux/arm/v6"], "linux/arm/v7", 1),
        (["linux/arm/v7", "linux/arm/v5"], "linux/arm/v6", 1),
        (["linux/amd64/v3", "linux/amd64"], "linux/amd64", 1),
        (["linux/amd64", "linux/amd64"], "linux/amd64", 0),
        (["unknown/unknown", "linux/amd64"], "linux/amd64", 1),
        ([nil, "linux/amd64"], "linux/amd64", 1),
        (["linux/arm64", nil], "linux/amd64", 1),
    ]

    @Test(arguments: choices.indices) func chooses(_ row: Int) throws {
        let (platforms, wanted, expected) = IndexTests.choices[row]
        let index = IndexTests.index(platforms)
        #expect(try index.choose(for: Platform(parsing: wanted)) == index.manifests[expected])
    }

    @Test func saysWhatThereIs() throws {
        let index = IndexTests.index(["linux/amd64", "windows/amd64", "linux/arm/v7", "unknown/unknown"])
        let error = try #require(throws: ManifestError.self) {
            try index.choose(for: Platform(parsing: "linux/arm/v6"))
        }
        #expect(
            "\(error)" == "no matching manifest for linux/arm/v6 in the manifest list entries; it has linux/amd64, "
                + "windows/amd64, linux/arm/v7")
    }

    @Test("T6: an index leads past attestations and artifacts") func passesOverWhatIsNoImage() throws {
        var attestation = IndexTests.entry("linux/amd64", seed: "a")
        attestation.annotations = ["vnd.docker.reference.type": "attestation-manifest"]
        let chart = IndexTests.entry("linux/amd64", seed: "b", type: "application/vnd.cncf.helm")
        var artifact = IndexTests.entry("linux/amd64", seed: "c")
        artifact.artifactType = "application/x"
        let image = IndexTests.entry("linux/amd64", seed: "d")
        let index = Index(mediaType: nil, manifests: [attestation, chart, artifact, image])
        #expect(try index.choose(for: Platform(parsing: "linux/amd64")) == image)
    }

    @Test("T5: an index has limits") func hasLimits() throws {
        func text(_ entries: [String]) -> [UInt8] {
            Array(#"{"schemaVersion":2,"manifests":[\#(entries.joined(separator: ","))]}"#.utf8)
        }
        let good = #"{"mediaType":"\#(MediaType.ociManifest)","digest":"\#(Digest.of("".utf8))","size":1}"#
        #expect(try Index.decode(text(Array(repeating: good, count: 1000))).manifests.count == 1000)
        #expect(throws: ManifestError.tooManyEntries(count: 1001, limit: 1000)) {
            try Index.decode(text(Array(repeating: good, count: 1001)))
        }
        #expect(throws: ManifestError.negativeSize(field: "manifests[1].size", size: -1)) {
            try Index.decode(text([good, good.replacing("\"size\":1", with: "\"size\":-1")]))
        }
        #expect(throws: ManifestError.wanted(.index, found: .manifest)) {
            try Index.decode(Array(DocumentTests.manifest([DocumentTests.plain]).utf8))
        }
    }
}

@Suite struct ImageConfigTests {
    static func decode(_ text: String) throws(ManifestError) -> ImageConfig {
        try ImageConfig.decode(Array(text.utf8))
    }

    @Test(arguments: [
        #"{"architecture":"amd64","os":"linux","rootfs":{"type":"layers"}}"#,
        #"{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":null},"config":null}"#,
        #"{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]},"unknown":{"a":[1,{}]}}"#,
        #"{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]},"config":{"Cmd":null,"Env":["A=b"],"Volumes":{"/x":{}}},"history":[{"empty_layer":true}]}"#,
    ]) func reads(_ text: String) throws {
        let config = try ImageConfigTests.decode(text)
        #expect(config.rootfs.diffIDs.isEmpty)
        try config.check(layersOf: Manifest(mediaType: nil, config: IndexTests.entry(nil, seed: ""), layers: []))
    }

    static let refused: [(String, String)] = [
        (#"{"architecture":"amd64","os":"linux"}"#, "rootfs: is missing"),
        (#"{"architecture":"amd64","os":"linux","rootfs":{"type":"base"}}"#, "rootfs.type is \"base\""),
        (#"{"os":"linux","rootfs":{"type":"layers"}}"#, "architecture: is missing"),
        (#"{"architecture":"a","os":"linux","rootfs":{"type":"layers","diff_ids":["sha256:../x"]}}"#, "invalid digest"),
        (
            #"{"architecture":"a","os":"linux","rootfs":{"type":"layers"},"config":{"Cmd":"x"}}"#,
            "config.Cmd: has the wrong type"
        ),
        ("null", "malformed image config"), ("", "malformed image config"),
        (
            #"{"architecture":"a","os":"linux","rootfs":{"type":"layers"},"history":["#
                + String(repeating: "{},", count: 250_000) + "{}]}", "more than 250000 values"
        ),
    ]

    @Test("P7, P9: configs that are refused, and why", arguments: refused) func refuses(
        _ text: String, _ message: String
    ) throws {
        let error = try #require(throws: ManifestError.self) { try ImageConfigTests.decode(text) }
        #expect("\(error)".contains(message), "\(error)")
    }

    @Test("T2, T3: a config that does not belong to its manifest or index is refused") func countsLayers() throws {
        let config = ImageConfig(os: "linux", architecture: "amd64", diffIDs: [Digest.of("a".utf8)])
        let layer = Descriptor(mediaType: MediaType.ociLayer, digest: Digest.of("a".utf8), size: 1)
        let manifest = Manifest(mediaType: nil, config: layer, layers: [layer, layer])
        let error = try #require(throws: ManifestError.self) { try config.check(layersOf: manifest) }
        #expect("\(error)" == "image refused: its manifest has 2 layers, its config 1 diff_ids")
        #expect(throws: ManifestError.self) { try config.check(platform: Platform(parsing: "linux/arm64")) }
        try config.check(platform: Platform(parsing: "linux/amd64"))
        let evil = ImageConfig(os: "\u{1b}[2J", architecture: "amd64", diffIDs: [])
        let words = try #require(throws: ManifestError.self) {
            try evil.check(platform: Platform(parsing: "linux/amd64"))
        }
        #expect("\(words)".contains("its config is for U+001B[2J/amd64"), "\(words)")
    }
}
