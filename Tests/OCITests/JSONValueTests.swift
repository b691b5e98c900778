import FoundationEssentials
import OCI
import Testing

@Suite struct JSONValueTests {
    private static let full = #"""
        {"created":"2024-01-01T00:00:00Z","author":"a \"b\" \\ \u00e9 \ud83d\ude00","architecture":"arm","variant":"v7",
         "os":"linux","os.version":"1","config":{"User":"1:2","ExposedPorts":{"80/tcp":{}},"Env":["A=b","C"],
         "Entrypoint":["/e"],"Cmd":null,"Volumes":{"/v":{}},"WorkingDir":"/w","Labels":{"k":"v"},"StopSignal":"SIGINT",
         "Shell":["/bin/sh","-c"],"Healthcheck":{"Test":["CMD","x"],"Interval":5000000000,"Retries":3},"Unknown":[1,{}]},
         "rootfs":{"type":"layers","diff_ids":["sha256:0000000000000000000000000000000000000000000000000000000000000000"]},
         "history":[{"created_by":"RUN x","empty_layer":true},{"comment":"c","created":"t","author":"q"}]}
        """#
    private static let least =
        #"{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]},"config":{}}"#

    @Test(arguments: [full, least]) func aConfigReadsAsTheDecoderReadsIt(text: String) throws {
        let expected = try JSONDecoder().decode(ImageConfig.self, from: Data(text.utf8))
        #expect(ImageConfig(try JSONValue(parsing: Array(text.utf8))) == expected)
    }

    @Test(arguments: [
        #"{"architecture":"amd64","rootfs":{"type":"layers","diff_ids":[]}}"#,
        #"{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":["sha256:0"]}}"#,
        #"{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[1]}}"#, "[]", "7",
    ]) func whatIsNoConfigIsNone(text: String) throws {
        #expect(ImageConfig(try JSONValue(parsing: Array(text.utf8))) == nil)
    }

    @Test func scalarsAndContainers() throws {
        let text = #" { "a" : [ true , false , null , -1.5e3 , "" ] , "b" : { } , "c" : 9223372036854775807 } "#
        let value = try JSONValue(parsing: Array(text.utf8))
        #expect(value["a"] == .array([.bool(true), .bool(false), .null, .number("-1.5e3"), .string("")]))
        #expect(value["b"]?.object?.isEmpty == true)
        #expect(value["c"]?.integer == Int64.max)
        #expect(value["a"]?.array?[3].integer == -1500)
    }

    @Test(arguments: [
        "", " ", "{", "[", "{]", "[1,]", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{a:1}", "tru", "nul", "1 2", "\"",
        "\"\\", "\"\\u12",
        "\"\\x\"", "\"\n\"", "--1", "+", "[1 2]", "{\"a\":1 \"b\":2}", "\u{0}", "\"\\uzzzz\"",
    ]) func whatIsNoJSONIsRefused(text: String) {
        #expect(throws: JSONFault.self) { try JSONValue(parsing: Array(text.utf8)) }
    }

    @Test func depthIsBounded() {
        let deep = String(repeating: "[", count: 100_000)
        #expect(throws: JSONFault.tooDeep(limit: 64)) { try JSONValue(parsing: Array(deep.utf8)) }
    }

    /// Every text that differs from a good one in one byte is read or refused, and never more than that.
    @Test("P9: texts damaged at any byte do no harm") func damagedTextsDoNoHarm() {
        let bytes = Array(JSONValueTests.full.utf8)
        for index in bytes.indices {
            for change: UInt8 in [0x00, 0x22, 0x5c, 0x7b, 0xff] {
                var damaged = bytes
                damaged[index] = change
                _ = (try? JSONValue(parsing: damaged)).flatMap(ImageConfig.init)
            }
            _ = try? JSONValue(parsing: Array(bytes[..<index]))
        }
    }
}
