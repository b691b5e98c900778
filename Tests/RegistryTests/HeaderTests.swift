import Testing

@testable import Registry

@Suite struct HeaderTests {
    static let challenges: [([String], [Challenge])] = [
        (
            [#"Bearer realm="https://auth.example/token",service="registry.example",scope="repository:a/b:pull,push""#],
            [
                Challenge(
                    scheme: "bearer",
                    parameters: [
                        "realm": "https://auth.example/token", "service": "registry.example",
                        "scope": "repository:a/b:pull,push",
                    ])
            ]
        ),
        (["Basic realm=\"x\""], [Challenge(scheme: "basic", parameters: ["realm": "x"])]),
        (["BASIC REALM=x"], [Challenge(scheme: "basic", parameters: ["realm": "x"])]),
        (
            ["Basic realm=\"a\", Bearer realm=\"b\" , service = c"],
            [
                Challenge(scheme: "basic", parameters: ["realm": "a"]),
                Challenge(scheme: "bearer", parameters: ["realm": "b", "service": "c"]),
            ]
        ),
        (
            ["Negotiate", "Bearer realm=\"b\""],
            [
                Challenge(scheme: "negotiate", parameters: [:]),
                Challenge(scheme: "bearer", parameters: ["realm": "b"]),
            ]
        ),
        (["Negotiate abc=="], [Challenge(scheme: "negotiate", parameters: [:])]),
        ([#"Bearer realm="a\"b\\c""#], [Challenge(scheme: "bearer", parameters: ["realm": #"a"b\c"#])]),
        (["Bearer realm=\"one\",realm=\"two\""], [Challenge(scheme: "bearer", parameters: ["realm": "one"])]),
        (["Bearer realm=\"unterminated"], [Challenge(scheme: "bearer", parameters: [:])]),
        (["Bearer"], [Challenge(scheme: "bearer", parameters: [:])]),
        ([", , Bearer realm=x,"], [Challenge(scheme: "bearer", parameters: ["realm": "x"])]),
        ([""], []), (["\"quoted\""], []), (["====="], []), ([" ,\t, "], []),
    ]

    @Test(arguments: challenges.indices) func parsesChallenges(_ row: Int) {
        let (headers, expected) = HeaderTests.challenges[row]
        #expect(Challenge.parse(headers) == expected)
    }

    @Test func parserEndsOnAnything() {
        let alphabet = Array("aB=\", \\\t:/\u{e9}".unicodeScalars)
        var state: UInt64 = 7
        for _ in 0..<3000 {
            var text = ""
            for _ in 0..<24 {
                state = state &* 6_364_136_223_846_793_005 &+ 1
                text.unicodeScalars.append(alphabet[Int(state >> 40) % alphabet.count])
            }
            _ = Challenge.parse([text])
        }
    }

    static let now = 1_445_412_480  // Wed, 21 Oct 2015 07:28:00 GMT
    static let pauses: [(String, Double?)] = [
        ("0", 0), ("7", 7), ("86400", 86400), ("-5", 0), ("Wed, 21 Oct 2015 07:28:30 GMT", 30),
        ("Wednesday, 21-Oct-15 07:28:30 GMT", 30), ("Wed Oct 21 07:28:30 2015", 30),
        ("Wed, 21 Oct 2015 07:00:00 GMT", 0), ("soon", nil), ("", nil), ("99999999999999999999", nil),
    ]

    @Test(arguments: pauses) func readsRetryAfter(_ text: String, _ seconds: Double?) {
        #expect(RetryAfter.seconds(text, now: HeaderTests.now) == seconds)
    }

    @Test func readsContentRange() {
        #expect(ContentRange("bytes 5-9/10").map { [$0.first, $0.last, $0.total ?? -1] } == [5, 9, 10])
        #expect(ContentRange("Bytes 0-0/*").map { [$0.first, $0.last, $0.total ?? -1] } == [0, 0, -1])
        for wrong in [
            "", "bytes", "bytes */10", "bytes 5-4/10", "bytes 5-10/10", "bytes -5-9/10", "bytes 5-9", "items 5-9/10",
            "bytes 5-9/99999999999999999999", "bytes 5-9/x", "bytes  a-b/c",
        ] {
            #expect(ContentRange(wrong) == nil, "\(wrong)")
        }
    }

    @Test func readsRegistryErrors() {
        func message(_ body: String, _ status: Int) -> Fault {
            RegistryMessage(body: Array(body.utf8)).fault(head: ResponseHead(status: status))
        }
        #expect(
            message(#"{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown","detail":{"Tag":"x"}}]}"#, 404)
                == .notFound("manifest unknown: manifest unknown"))
        #expect(
            message(#"{"errors":[{"code":"DENIED","message":"requested access to the resource is denied"}]}"#, 401)
                == .unauthorized("denied: requested access to the resource is denied"))
        #expect(message("<html>gone</html>", 404) == .notFound(""))
        #expect(message("", 503) == .status(503, "", after: nil))
        #expect(message("slow down", 429) == .status(429, "slow down", after: nil))
        #expect(message(#"{"errors":[]}"#, 500) == .status(500, "", after: nil))
        #expect(message("a\u{1b}[2Jb", 500) == .status(500, "aU+001B[2Jb", after: nil))
    }

    @Test func encodesForms() {
        #expect(
            String(decoding: FormBody.encode([("a b", "c&d=é"), ("e", "~-._")]), as: UTF8.self)
                == "a%20b=c%26d%3D%C3%A9&e=~-._")
    }
}
