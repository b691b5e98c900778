import OCI
import Testing

@testable import Engine

@Suite struct ConfigurationTests {
    private func decode(_ text: String, path: String = "/etc/runimg/config.json") throws -> Configuration {
        try Configuration.decode(Array(text.utf8), path: path)
    }

    @Test func dockersKeysAreRead() throws {
        let result = try decode(
            #"{"registry-mirrors": ["https://m.example"], "insecure-registries": ["r:5000"], "graph": "/g", "x": 1}"#)
        #expect(result.registryRules.mirrors == [.init(url: "https://m.example", origin: "/etc/runimg/config.json:1")])
        #expect(result.insecureRegistries == ["r:5000"])
        #expect(result.dataRoot == "/g")
    }

    @Test func theFloorOfMirrorsIsANumberOfBytes() throws {
        #expect(try decode(#"{"slow-mirror": 20000}"#).slowMirror == 20_000)
        let message = SpecBuilderTests.message { _ = try decode(#"{"slow-mirror": -1}"#) }
        #expect(message.contains("slow-mirror: -1 is no number of bytes a second"), "\(message)")
    }

    @Test func dockersFileDoesNotMoveOurData() throws {
        #expect(try decode(#"{"data-root": "/d"}"#, path: "/etc/docker/daemon.json").dataRoot == nil)
    }

    @Test func aTypographicQuoteIsPointedAt() {
        let text = "{\n  \u{201C}registry-mirrors\u{201D}: []\n}"
        let message = SpecBuilderTests.message { _ = try decode(text) }
        #expect(message.contains("line 2, column 3: typographic quote"))
    }

    @Test(arguments: [
        ("{\"a\": [1,\n 2 ,\n]}", "line 2, column 4"), ("{\"a\": 1, }", "line 1, column 8"),
        ("{\"a\": \",}\", \"b\": [\"\\\"\", \",\"], \n\n}", "line 1, column 29"),
    ])
    func aCommaBeforeTheEndIsPointedAt(_ text: String, _ place: String) {
        let message = SpecBuilderTests.message { _ = try decode(text) }
        #expect(message.contains("\(place): comma before the end"), "\(message)")
    }

    @Test func quotesAndCommasInStringsAreTheirs() throws {
        let text = "{\"registry-mirrors\": [\"https://a/\u{201C},]\", \"https://b\"]}"
        #expect(try decode(text).registryRules.mirrors.count == 2)
    }

    @Test(arguments: ["{", "[]", #"{"registry-mirrors": "https://m"}"#, #"{"registry-mirrors": [1]}"#, ""])
    func badFilesAreNamed(_ text: String) {
        let message = SpecBuilderTests.message { _ = try decode(text) }
        #expect(message.hasPrefix("unable to configure with file /etc/runimg/config.json: "))
    }
}
