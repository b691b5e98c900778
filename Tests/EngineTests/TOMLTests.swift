import Testing

@testable import Engine

/// The reader of podman's and containerd's files.
@Suite struct TOMLTests {
    private func read(_ text: String) throws -> TOMLTable { try TOMLReader.read(Array(text.utf8)) }

    @Test func everythingThatTheseFilesHave() throws {
        let table = try read(
            """
            # a comment
            unqualified-search-registries = ["a.example", # one
               'b.example',
            ]
            empty = []  # none
            count = -12
            "quoted key" = true
            a.b.c = "x\\ty\\u00e9 \\"q\\" \\\\"
            inline = { one = 1, two = [ { three = 'no \\escape' } ] }

            [[registry]]
            prefix = "p" \r
            [[registry.mirror]]
            location = "m1"
            [[registry.mirror]]
            location = "m2"
            [[registry]]
            [registry.more]
            x = false
            [host."https://h:5000".header]
            y = "z"
            [host."https://h:5000"]
            capabilities = ["pull", "resolve"]
            """)
        #expect(table["unqualified-search-registries"]?.array?.map(\.string) == ["a.example", "b.example"])
        #expect(table["empty"]?.array == [])
        #expect(table["count"]?.kind == .integer(-12))
        #expect(table["quoted key"]?.boolean == true)
        #expect(table["a"]?.table?["b"]?.table?["c"]?.string == "x\tyé \"q\" \\")
        let inline = table["inline"]?.table
        #expect(inline?["two"]?.array?[0].table?["three"]?.string == "no \\escape")
        let registries = table["registry"]?.array?.compactMap(\.table) ?? []
        #expect(registries.count == 2)
        #expect(registries[0]["mirror"]?.array?.map { $0.table?["location"]?.string } == ["m1", "m2"])
        #expect(registries[0]["mirror"]?.array?.map(\.line) == [13, 15])
        #expect(registries[1]["more"]?.table?["x"]?.boolean == false)
        let host = table["host"]?.table?["https://h:5000"]
        #expect(host?.table?["header"]?.table?["y"]?.string == "z")
        #expect(host?.table?["capabilities"]?.line == 23)
        #expect(host?.line == 22)
        #expect(try read("").entries.isEmpty)
        #expect(try read("\u{FEFF}a = 1\n\n")["a"] != nil)
    }

    static let faults: [(String, String)] = [
        ("a", "line 1, column 2: want = behind a key"), ("a =", "line 1, column 4: want a value"),
        ("a = 1 2", "line 1, column 7: something behind the value"),
        ("\na = 1\na = 2", "line 3, column 1: a is there already"),
        ("[a]\nb = 1\n[a]", "line 3, column 1: a is there already"),
        ("a = 1\n[a]", "line 2, column 1: a is there already"), ("a = 1\n[a.b]", "line 2, column 1: a is no table"),
        ("[[a]]\n[a]", "line 2, column 1: a is there already"), ("a = []\n[[a]]", "line 2, column 1: a is no array of"),
        ("a = {}\n[a.b]", "line 2, column 1: a is no table"),
        ("a = {b = 1, b = 2}", "line 1, column 13: a key that is"),
        ("[a", "line 1, column 3: want ] behind the name"), ("[[a]", "line 1, column 5: want ] behind the name"),
        ("[]", "line 1, column 2: want a key"), ("= 1", "line 1, column 1: want a key"),
        ("a = \"x\nb\"", "line 1, column 5: a string that does not end on its line"),
        ("a = \"\"\"x\"\"\"", "line 1, column 5: strings of several lines are not read"),
        ("a = \"\\q\"", "line 1, column 6: an escape that there is not"),
        ("a = \"\\ud800\"", "line 1, column 6: an escape that is no character"),
        ("a = \"\\u12\"", "line 1, column 6: an escape that is no character"),
        ("a = \"\u{1}\"", "line 1, column 6: a control character"),
        ("a = 1.5", "line 1, column 5: 1.5: want a string in quotes, true, false"),
        ("a = 2024-01-01T00:00:00Z", "line 1, column 5: 2024-01-01T00:00:00Z: want"),
        ("a = yes", "line 1, column 5: yes: want"), ("a = [1", "line 1, column 7: want , or ] in a list"),
        ("a = [1 2]", "line 1, column 8: want , or ] in a list"), ("é = 1", "line 1, column 1: want a key"),
        ("a = 99999999999999999999", "line 1, column 5: 99999999999999999999: want"),
        ("x = \"é\" y", "line 1, column 9: something behind"),
        (String(repeating: "[", count: 4), "want a key"),
        ("a = " + String(repeating: "[", count: 1000), "nested too deeply"),
        ("a" + String(repeating: ".a", count: 1000) + " = 1", "nested too deeply"),
    ]

    @Test(arguments: faults.indices) func faultsAreNamedWithTheirPlace(_ row: Int) {
        let (text, words) = Self.faults[row]
        let message = SpecBuilderTests.message { _ = try read(text) }
        #expect(message.contains(words), "\(message)")
    }

    /// Whatever is cut off or changed is an error or another document, and never a trap.
    @Test func damagedDocumentsDoNoHarm() {
        let good = Array(
            "a = [1, {b = \"\\u00e9\\n\"}]\n[c.\"d\".e]\nf = 'x' # y\n[[g.h]]\ni = true\n[[g.h]]\n".utf8)
        for end in good.indices { _ = try? TOMLReader.read(Array(good[..<end])) }
        for place in good.indices {
            for byte in [0, 0x0a, 0x22, 0x27, 0x2e, 0x5b, 0x5d, 0x7b, 0x5c, 0xff] as [UInt8] {
                var bytes = good
                bytes[place] = byte
                _ = try? TOMLReader.read(bytes)
            }
        }
    }

    @Test func bytesThatAreNoTextAreRefused() {
        let message = SpecBuilderTests.message { _ = try TOMLReader.read([0x61, 0xff]) }
        #expect(message == "line 1, column 1: no UTF-8")
    }
}
