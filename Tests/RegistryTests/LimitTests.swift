import OCI
import Registry
import TestSupport
import Testing

/// Answers that never end, wherever they never end: each stops at a limit, which the message shows.
@Suite struct LimitTests {
    typealias Response = FaultyRegistry.Response

    static func endless(
        _ status: Int = 200, _ fields: [(name: String, value: String)] = [], byte: UInt8 = 32
    ) -> Response {
        var response = Response(status, fields, body: Array(repeating: byte, count: 100_000))
        response.isEndless = true
        return response
    }

    /// The bytes `text` as they are, `times` over, behind `head`.
    private static func raw(_ head: String, _ text: String, times: Int) -> Response {
        var response = Response(200)
        response.raw = Array((head + String(repeating: text, count: times)).utf8)
        return response
    }

    struct Flood: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let words: String
        let response: Response
    }

    static let floods: [Flood] = [
        Flood(
            testDescription: "fields", words: "more than 262144 bytes of headers",
            response: {
                var response = Response(200)
                response.hasEndlessFields = true
                return response
            }()),
        Flood(
            testDescription: "a field", words: "a header line has more than 102400 bytes",
            response: raw("HTTP/1.1 200 OK\r\nX: ", "aaaaaaaaaa", times: 400_000)),
        Flood(
            testDescription: "a status line", words: "",
            response: raw("HTTP/1.1 200 ", "aaaaaaaaaa", times: 400_000)),
        Flood(
            testDescription: "interim responses", words: "more than 262144 bytes of headers",
            response: raw("", "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n", times: 100_000)),
        Flood(
            testDescription: "trailers", words: "more than 262144 bytes of headers",
            response: raw(
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n0\r\n", "X-Trailer: aaaaaaaaaa\r\n",
                times: 100_000)),
        Flood(
            testDescription: "an error page", words: "HTTP status 400: its text has more than 1048576 bytes, the limit",
            response: endless(400)),
        Flood(
            testDescription: "a page of refusal", words: "its text has more than 1048576 bytes, the limit",
            response: endless(403)),
        Flood(
            testDescription: "a page not found", words: "its text has more than 1048576 bytes, the limit",
            response: endless(404)),
        Flood(
            testDescription: "a page behind a challenge", words: "names no way to authenticate",
            response: endless(401)),
        Flood(
            testDescription: "a redirect's page", words: "more than 10 redirects",
            response: endless(307, [("Location", "/x")])),
        Flood(
            testDescription: "a manifest", words: "the manifest has more than 4194304 bytes, the limit",
            response: endless()),
        Flood(
            testDescription: "a manifest in chunks", words: "the manifest has more than 4194304 bytes, the limit",
            response: raw(
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
                "1000\r\n" + String(repeating: " ", count: 4096) + "\r\n", times: 1100)),
        Flood(
            testDescription: "a manifest that announces it",
            words: "the manifest has more than 4194304 bytes, the limit",
            response: {
                var response = Response(200, text: "{}")
                response.length = 1 << 40
                return response
            }()),
    ]

    @Test("P8, F13: an answer without end stops at its limit", arguments: floods) func floodStops(flood: Flood) throws {
        let fixture = try Fixture(configure: { $0.retry.retries = 0 }) { _, _ in flood.response }
        let error = message { () throws(RegistryError) in _ = try fixture.client.manifest(.tag("latest")) }
        #expect(!error.isEmpty)
        #expect(error.contains(flood.words), "\(error)")
        #expect(fixture.server.requests.count == (flood.testDescription == "a redirect's page" ? 11 : 1))
    }

    @Test("P8: a small blob without end stops at its descriptor's size") func smallBlobStops() throws {
        let fixture = try Fixture { _, _ in LimitTests.endless() }
        let error = message { () throws(RegistryError) in _ = try fixture.client.blob(Blob(5000).descriptor) }
        #expect(error.contains("the blob has more than 5000 bytes, the limit"), "\(error)")
    }

    @Test("P8: the refusal of a token server without end stops at its limit") func tokenRefusalStops() throws {
        let fixture = try Fixture { request, _ in
            request.path == "/token"
                ? LimitTests.endless(403) : AuthTests.challenge("http://\(request.header("Host") ?? "")/token")
        }
        let error = message { () throws(RegistryError) in _ = try fixture.client.manifest(.tag("latest")) }
        #expect(error.contains("its text has more than 1048576 bytes, the limit"), "\(error)")
    }

    @Test("P8: a list of tags without end stops at its limits") func tagsStop() throws {
        let one = try Fixture { _, _ in LimitTests.endless() }
        var error = message { () throws(RegistryError) in _ = try one.client.tags() }
        #expect(error.contains("the list of tags has more than 4194304 bytes, the limit"), "\(error)")

        let pages = try Fixture { _, count in
            let tags = (0..<30_000).map { "\"\(count)-\($0)\"" }.joined(separator: ",")
            return Response(200, [("Link", "<x>; rel=\"next\"")], text: #"{"tags":[\#(tags)]}"#)
        }
        error = message { () throws(RegistryError) in _ = try pages.client.tags() }
        #expect(error.contains("the list of tags has more than 100000, the limit"), "\(error)")
        #expect(pages.server.requests.count == 4)
    }
}
