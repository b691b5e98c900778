import Testing

@testable import Engine

@Suite struct ConfigurationTests {
    private func decode(_ text: String, path: String = "/etc/runimg/config.json") throws -> Configuration {
        try Configuration.decode(Array(text.utf8), path: path)
    }

    @Test func dockersKeysAreRead() throws {
        let result = try decode(
            #"{"registry-mirrors": ["https://m.example"], "insecure-registries": ["r:5000"], "graph": "/g", "x": 1}"#)
        #expect(result.registryMirrors == ["https://m.example"])
        #expect(result.insecureRegistries == ["r:5000"])
        #expect(result.dataRoot == "/g")
    }

    @Test func dockersFileDoesNotMoveOurData() throws {
        #expect(try decode(#"{"data-root": "/d"}"#, path: "/etc/docker/daemon.json").dataRoot == nil)
    }

    @Test func aTypographicQuoteIsPointedAt() {
        let text = "{\n  \u{201C}registry-mirrors\u{201D}: []\n}"
        let message = SpecBuilderTests.message { _ = try decode(text) }
        #expect(message.contains("line 2, column 3: typographic quote"))
    }

    @Test(arguments: ["{", "[]", #"{"registry-mirrors": "https://m"}"#, #"{"registry-mirrors": [1]}"#, ""])
    func badFilesAreNamed(_ text: String) {
        let message = SpecBuilderTests.message { _ = try decode(text) }
        #expect(message.hasPrefix("unable to configure with file /etc/runimg/config.json: "))
    }
}
