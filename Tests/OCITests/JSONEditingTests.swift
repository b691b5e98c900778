import OCI
import Testing

/// One place of somebody's document is changed, and nothing else of it.
@Suite struct JSONEditingTests {
    static func set(_ text: String, _ key: String = "h:1", _ values: [(String, String)] = [("auth", "QQ==")]) throws
        -> String
    {
        var document = try JSONEditing(Array(text.utf8))
        document.set(key, in: "auths", values.map { (key: $0.0, value: $0.1) })
        try BoundedJSON.scan(document.bytes)
        return String(decoding: document.bytes, as: UTF8.self)
    }

    static func remove(_ text: String, _ key: String = "h:1") throws -> String {
        var document = try JSONEditing(Array(text.utf8))
        document.remove(key, in: "auths")
        try BoundedJSON.scan(document.bytes)
        return String(decoding: document.bytes, as: UTF8.self)
    }

    static let additions: [(String, String)] = [
        ("", "{\n\t\"auths\": {\n\t\t\"h:1\": {\n\t\t\t\"auth\": \"QQ==\"\n\t\t}\n\t}\n}"),
        (" \n", "{\n\t\"auths\": {\n\t\t\"h:1\": {\n\t\t\t\"auth\": \"QQ==\"\n\t\t}\n\t}\n}"),
        (#"{"auths":{}}"#, #"{"auths":{"h:1":{"auth":"QQ=="}}}"#),
        (#"{"psFormat":"x"}"#, #"{"psFormat":"x","auths":{"h:1":{"auth":"QQ=="}}}"#),
        (#"{"auths":null,"b":1}"#, #"{"auths":{"h:1":{"auth":"QQ=="}},"b":1}"#),
        (#"{"auths":{"h:1":{"auth":"old","email":"x"},"k":{}}}"#, #"{"auths":{"h:1":{"auth":"QQ=="},"k":{}}}"#),
        (#"{"auths":{"h\u003a1":{"auth":"old"}}}"#, #"{"auths":{"h\u003a1":{"auth":"QQ=="}}}"#),
        (
            "{\n  \"z\": [1, 2.50, {\"auths\": {\"h:1\": 0}}],\n  \"auths\": {\n    \"k\": {\"auth\": \"}{\"}\n  },\n  \"a\": true\n}\n",
            "{\n  \"z\": [1, 2.50, {\"auths\": {\"h:1\": 0}}],\n  \"auths\": {\n    \"k\": {\"auth\": \"}{\"},\n    \"h:1\": {\n      \"auth\": \"QQ==\"\n    }\n  },\n  \"a\": true\n}\n"
        ),
        ("{\n}", "{\n\t\"auths\": {\n\t\t\"h:1\": {\n\t\t\t\"auth\": \"QQ==\"\n\t\t}\n\t}\n}"),
    ]

    @Test(arguments: additions.indices) func putsAnEntryIn(_ row: Int) throws {
        #expect(try Self.set(Self.additions[row].0) == Self.additions[row].1)
    }

    static let removals: [(String, String)] = [
        (#"{"auths":{"h:1":{"auth":"x"}}}"#, #"{"auths":{}}"#),
        (#"{"auths":{"a":{},"h:1":{"auth":"x"},"b":{}}}"#, #"{"auths":{"a":{},"b":{}}}"#),
        ("{\"auths\": {\n  \"h:1\": {},\n  \"b\": 1\n}}", "{\"auths\": {\n  \"b\": 1\n}}"),
        ("{\"auths\": {\n  \"b\": 1,\n  \"h:1\": {}\n}}", "{\"auths\": {\n  \"b\": 1\n}}"),
        (#"{"auths":{"h":{}}}"#, #"{"auths":{"h":{}}}"#), (#"{"auths":[]}"#, #"{"auths":[]}"#), ("{ }", "{ }"),
    ]

    @Test(arguments: removals.indices) func takesAnEntryOut(_ row: Int) throws {
        #expect(try Self.remove(Self.removals[row].0) == Self.removals[row].1)
    }

    /// In and out again leaves what was there, in every style.
    @Test(arguments: [
        "{\n\t\"auths\": {\n\t\t\"k\": {\n\t\t\t\"auth\": \"x\"\n\t\t}\n\t},\n\t\"credsStore\": \"\"\n}",
        "{\r\n    \"auths\": { \"k\": { } },\r\n    \"x\": \"\\u00e9\u{e9}\"\r\n}\r\n", #"{"auths":{"k":{}}}"#,
        "\n{ \"x\" : -1.0e5 ,\"auths\":{\"k\" :\n{}} }",
    ]) func inAndOutIsTheSame(_ text: String) throws {
        #expect(try Self.remove(Self.set(text, "q\"\\\u{1}"), "q\"\\\u{1}") == text)
    }

    @Test(arguments: ["[]", "{", "{\"a\":1,}", "{\"a\":1,\"a\":2}", "null", "{} x"]) func refusesOthers(_ text: String)
    {
        #expect(throws: JSONFault.self) { try JSONEditing(Array(text.utf8)) }
    }
}
