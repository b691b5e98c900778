import OCI
import Testing

@Suite struct DocumentTests {
    static let hex = String(repeating: "a", count: 64)
    static let config =
        #""config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:\#(hex)","size":2}"#

    static func layer(_ type: String, size: String = "7", digest: String = "sha256:\(hex)", more: String = "") -> String
    {
        #"{"mediaType":"\#(type)","digest":"\#(digest)","size":\#(size)\#(more)}"#
    }

    static let plain = layer("application/vnd.oci.image.layer.v1.tar+gzip")

    static func manifest(
        _ layers: [String], config: String = config, type: String? = MediaType.ociManifest, more: String = ""
    ) -> String {
        let media = type.map { #""mediaType":"\#($0)","# } ?? ""
        return #"{"schemaVersion":2,\#(media)\#(config),"layers":[\#(layers.joined(separator: ","))]\#(more)}"#
    }

    static func decode(
        _ text: String, contentType: String? = nil, descriptor: Descriptor? = nil
    ) throws(ManifestError) -> Manifest {
        try Manifest.decode(Array(text.utf8), contentType: contentType, descriptor: descriptor)
    }

    @Test(arguments: [
        "application/vnd.oci.image.layer.v1.tar", "application/vnd.oci.image.layer.v1.tar+gzip",
        "application/vnd.oci.image.layer.v1.tar+zstd", "application/vnd.docker.image.rootfs.diff.tar",
        "application/vnd.docker.image.rootfs.diff.tar.gzip", "application/vnd.docker.image.rootfs.diff.tar.zstd",
    ]) func acceptsLayerTypes(_ type: String) throws {
        let manifest = try DocumentTests.decode(DocumentTests.manifest([DocumentTests.layer(type)]))
        #expect(manifest.layers.count == 1)
        #expect(manifest.totalSize == 7)
    }

    @Test(arguments: [
        nil, "application/json", "text/plain; charset=utf-8", "application/octet-stream",
        MediaType.ociManifest, MediaType.ociManifest + "; charset=utf-8", MediaType.ociManifest.uppercased(),
    ]) func acceptsContentTypes(_ type: String?) throws {
        _ = try DocumentTests.decode(DocumentTests.manifest([DocumentTests.plain]), contentType: type)
    }

    @Test func acceptsADocumentWithoutTypeByItsFields() throws {
        let text = DocumentTests.manifest([DocumentTests.plain], type: nil)
        _ = try DocumentTests.decode(text)
        _ = try DocumentTests.decode(text, contentType: MediaType.ociManifest)
        #expect(
            try DocumentKind.classify(
                Array(#"{"schemaVersion":2,"manifests":[]}"#.utf8), contentType: nil, descriptor: nil) == .index)
    }

    @Test("P5, T6: size, digest and type of the descriptor are checked") func checksTheDescriptor() throws {
        let text = DocumentTests.manifest([DocumentTests.plain])
        var descriptor = Descriptor(
            mediaType: MediaType.ociManifest, digest: Digest.of(text.utf8), size: Int64(text.utf8.count))
        _ = try DocumentTests.decode(text, contentType: MediaType.ociManifest, descriptor: descriptor)
        descriptor.size += 1
        #expect(throws: ManifestError.length(.manifest, expected: descriptor.size, actual: descriptor.size - 1)) {
            try DocumentTests.decode(text, descriptor: descriptor)
        }
        descriptor.size -= 1
        descriptor.mediaType = MediaType.dockerManifest
        #expect(throws: ManifestError.mediaTypes(said: [MediaType.dockerManifest, MediaType.ociManifest])) {
            try DocumentTests.decode(text, descriptor: descriptor)
        }
        descriptor = Descriptor(
            mediaType: MediaType.ociManifest, digest: Digest.of("x".utf8), size: Int64(text.utf8.count))
        #expect(throws: ManifestError.self) { try DocumentTests.decode(text, descriptor: descriptor) }
    }

    static let refused: [(String, String?, String)] = [
        // One digest that can be read as two things (CVE-2021-41190).
        (manifest([plain], more: #","manifests":[]"#), nil, "both an index and a manifest"),
        (#"{"schemaVersion":2,"manifests":[],\#(config)}"#, nil, "both an index and a manifest"),
        // To readers that do not tell case apart, as Go's; the long s and the Kelvin sign fold as well.
        (manifest([plain], more: #","Manifests":[]"#), nil, #"take its key "Manifests" for "manifests""#),
        (manifest([plain], more: #","layer\u017f":[]"#), nil, #"for "layers""#),
        (#"{"schemaVersion":2,"manifests":[],"LAYERS":[]}"#, nil, #"take its key "LAYERS" for "layers""#),
        (manifest([plain], more: #","MEDIATYPE":"x""#), nil, #"for "mediaType""#),
        (manifest([plain]), MediaType.dockerManifest, "do not agree"),
        (manifest([plain]), MediaType.ociIndex, "do not agree"),
        (manifest([plain], type: nil), MediaType.ociIndex, "manifest found where index was expected"),
        (manifest([plain], type: MediaType.ociIndex), nil, "manifest found where index was expected"),
        (#"{"schemaVersion":2,"manifests":[]}"#, MediaType.ociManifest, "index found where manifest was expected"),
        (#"{"schemaVersion":2,"manifests":[]}"#, nil, "index found where manifest was expected"),
        // Types that are none of ours.
        (manifest([plain], type: "application/x-unknown"), nil, "unsupported media type \"application/x-unknown\""),
        (manifest([plain]), "text/html", "do not agree"),
        (#"{"schemaVersion":2}"#, nil, "unsupported media type"),
        (#"{"schemaVersion":2,"a":{}}"#, "text/html", "unsupported media type \"text/html\""),
        (
            #"{"schemaVersion":1,"name":"x","fsLayers":[],"history":[],"signatures":[{}]}"#, nil,
            "schema 1 (\"application/vnd.docker.distribution.manifest.v1+prettyjws\")"
        ),
        (#"{"schemaVersion":1,"name":"x","fsLayers":[]}"#, MediaType.dockerSchema1, "schema 1"),
        (manifest([plain], type: nil), MediaType.dockerSchema1Signed, "schema 1"),
        (manifest([plain]).replacing("\"schemaVersion\":2", with: "\"schemaVersion\":3"), nil, "schema version 3"),
        (manifest([plain]).replacing("\"schemaVersion\":2,", with: ""), nil, "schemaVersion: is missing"),
        // No images.
        (
            manifest([plain], config: config.replacing("oci.image.config", with: "cncf.helm.config")), nil,
            "not a runnable image: it is of type \"application/vnd.cncf.helm.config.v1+json\""
        ),
        (
            manifest(
                [plain], config: config.replacing("oci.image.config.v1", with: "oci.empty.v1"),
                more: #","artifactType":"application/vnd.wasm""#), nil, "it is of type \"application/vnd.wasm\""
        ),
        (
            manifest([layer("application/vnd.in-toto+json")]), nil,
            "not a runnable image: it is of type \"application/vnd.in-toto+json\""
        ),
        (manifest([layer("application/vnd.dev.cosign.simplesigning.v1+json")]), nil, "not a runnable image"),
        (
            #"{"mediaType":"application/vnd.oci.artifact.manifest.v1+json","schemaVersion":2,"artifactType":"a/b","blobs":[]}"#,
            nil, "it is of type \"a/b\""
        ),
        // Layers.
        (
            manifest([plain, layer("application/x-tar")]), nil,
            "layer 2 has unsupported media type \"application/x-tar\""
        ),
        (manifest([layer("application/vnd.oci.image.layer.v1.tar+gzip+encrypted")]), nil, "layer 1 is encrypted"),
        (manifest([layer(MediaType.dockerForeignLayer)]), nil, "foreign layer"),
        (manifest([layer("application/vnd.oci.image.layer.nondistributable.v1.tar+gzip")]), nil, "foreign layer"),
        (
            manifest([layer("application/vnd.oci.image.layer.v1.tar", more: #","urls":["http://evil.example/x"]"#)]),
            nil, "foreign layer"
        ),
        (manifest(Array(repeating: plain, count: 501)), nil, "501 layers, the limit is 500"),
        // Numbers.
        (manifest([layer(MediaType.ociLayer, size: "-1")]), nil, "layers[0].size is -1"),
        (manifest([layer(MediaType.ociLayer, size: "9223372036854775807"), plain]), nil, "overflow"),
        (manifest([layer(MediaType.ociLayer, size: "9223372036854775808")]), nil, "malformed manifest"),
        (manifest([layer(MediaType.ociLayer, size: "1e400")]), nil, "malformed manifest"),
        (manifest([layer(MediaType.ociLayer, size: "1.5")]), nil, "malformed manifest"),
        (manifest([layer(MediaType.ociLayer, size: "null")]), nil, "malformed manifest: layers[0].size"),
        (manifest([layer(MediaType.ociLayer, size: "\"7\"")]), nil, "layers[0].size: has the wrong type"),
        (manifest([plain], config: config.replacing("\"size\":2", with: "\"size\":-2")), nil, "config.size is -2"),
        (
            manifest([plain], config: config.replacing("\"size\":2", with: "\"size\":4194305")), nil,
            "the limit is 4194304"
        ),
        // Form.
        (manifest([plain], more: #","layers":[]"#), nil, "key \"layers\" is there twice"),
        (manifest([plain], more: #","\u006cayers":[]"#), nil, "key \"layers\" is there twice"),
        (
            #"{"schemaVersion":2,"mediaType":"\#(MediaType.ociManifest)",\#(config),"layers":null}"#, nil,
            "malformed manifest: layers"
        ),
        (#"{"schemaVersion":2,"mediaType":"\#(MediaType.ociManifest)",\#(config)}"#, nil, "malformed manifest: layers"),
        (#"{"schemaVersion":2,"mediaType":7,\#(config),"layers":[]}"#, nil, "mediaType: has the wrong type"),
        ("", nil, "malformed manifest"), ("null", nil, "malformed manifest"), ("[]", nil, "malformed manifest"),
        ("{", nil, "not JSON at byte"), ("{\"a\":1,}", nil, "not JSON at byte"), ("{} {}", nil, "not JSON at byte"),
        ("\u{feff}{}", nil, "not JSON"), ("{\"a\":\"\u{1}\"}", nil, "malformed"), ("<html>", nil, "not JSON at byte 0"),
        ("{\"a\":" + String(repeating: "[", count: 100_000), nil, "nested deeper than 64 levels"),
        (String(repeating: "{\"a\":", count: 100_000), nil, "nested deeper than 64 levels"),
        ("{\"a\":" + String(repeating: "9", count: 100_000) + "}", nil, "malformed"),
        (manifest([plain]) + String(repeating: " ", count: 4 << 20), nil, "more than 4194304 bytes"),
        (
            manifest([plain], more: #","x":["# + String(repeating: "0,", count: 250_000) + "0]"), nil,
            "more than 250000 values"
        ),
    ]

    @Test("P5, P6, P9, T4, T5, T6: documents that are refused, and why", arguments: refused.indices) func refuses(
        _ row: Int
    ) throws {
        let (text, contentType, message) = DocumentTests.refused[row]
        let error = try #require(throws: ManifestError.self) {
            try DocumentTests.decode(text, contentType: contentType)
        }
        #expect("\(error)".contains(message), "\(error)")
    }

    @Test(
        "P7: a digest in a manifest is what its grammar says",
        arguments: [
            "sha256:../../x", "sha256:", "sha256", "sha1:\(String(repeating: "a", count: 40))", "SHA256:\(hex)",
            "sha256:\(hex.uppercased())", "sha256:\(hex)a", "sha256:\(hex.dropLast())", "sha256:\(hex.dropLast())g",
            "sha256:\(hex)/..", " sha256:\(hex)", "sha256:\(hex)\\n", "sha512:\(hex)", "md5:\(hex)", "", ":\(hex)",
            "sha256:\(hex)\\u0000",
        ]) func refusesDigest(_ digest: String) throws
    {
        let error = try #require(throws: ManifestError.self) {
            try DocumentTests.decode(DocumentTests.manifest([DocumentTests.layer(MediaType.ociLayer, digest: digest)]))
        }
        #expect("\(error)".contains("invalid digest"), "\(error)")
    }

    /// What a stranger wrote reaches the terminal in one line, short, and without its control characters.
    @Test(
        "P9: messages about documents hold nothing that a terminal obeys",
        arguments: [
            manifest([layer(MediaType.ociLayer, digest: #"sha256:\u001b[2J\u009b"#)]),
            manifest([layer(MediaType.ociLayer, digest: String(repeating: "x", count: 100_000))]),
            manifest([layer(#"\u001b]0;x\u0007"#)]), manifest([plain], type: #"\u001b[2J"#),
            manifest([plain], more: #","\u001b[2J":1,"\u001b[2J":2"#),
        ]) func messagesAreFitForATerminal(text: String) throws
    {
        let error = try #require(throws: ManifestError.self) { try DocumentTests.decode(text) }
        #expect("\(error)".count < 500)
        #expect("\(error)".unicodeScalars.allSatisfy { $0.properties.generalCategory != .control }, "\(error)")
    }

    @Test func readsRealManifest() throws {
        let text = DocumentTests.manifest(
            [DocumentTests.layer("application/vnd.docker.image.rootfs.diff.tar.gzip")],
            config: DocumentTests.config.replacing(MediaType.ociConfig, with: MediaType.dockerConfig),
            type: MediaType.dockerManifest)
        let manifest = try DocumentTests.decode(text, contentType: MediaType.dockerManifest)
        #expect(manifest.config.mediaType == MediaType.dockerConfig)
    }

    @Test("P9: whatever one changes in a good document, the answer is a value or an error") func survivesMutations() {
        let base = Array(DocumentTests.manifest([DocumentTests.plain, DocumentTests.plain]).utf8)
        let pieces = ["null", "-1", "{}", "[]", "\"\"", "1e999", "\\u", "\u{0}", "99999999999999999999", ","].map {
            Array($0.utf8)
        }
        var accepted = 0
        for round in 0..<600 {
            // Fixed steps, so that a failure is the same next time.
            var bytes = base
            let start = (round * 7919) % bytes.count
            let end = min(bytes.count, start + (round * 31) % 12)
            bytes.replaceSubrange(start..<end, with: pieces[round % pieces.count])
            if (try? Manifest.decode(bytes)) != nil { accepted += 1 }
            _ = try? ImageConfig.decode(bytes)
            _ = try? Index.decode(bytes)
        }
        #expect(accepted < 60)
    }
}
