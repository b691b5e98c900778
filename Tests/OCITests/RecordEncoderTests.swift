import FoundationEssentials
import OCI
import Testing

@Suite struct RecordEncoderTests {
    private struct Record: Codable, Equatable {
        enum Choice: Codable, Equatable {
            case plain
            case profile(path: String, weight: Int)
        }
        enum Word: String, Codable { case first, second }
        struct Inner: Codable, Equatable {
            var numbers: [Int64] = []
            var missing: Int?
            var words: [String: String] = [:]
            var nested: [[Choice]] = []
        }
        struct Empty: Codable, Equatable {}

        var text = "a \"b\" \\ \u{1}\n é 😀 /"
        var yes = true
        var small: Int8 = -128
        var large = UInt64.max
        var fraction = 0.1
        var float: Float = -2.5
        var choices = [Choice.plain, .profile(path: "/p", weight: -3)]
        var word = Word.second
        var empty = Empty()
        var none: [Int] = []
        var optional: Word?
        var inner = Inner(
            numbers: [.min, 0, .max], words: ["k\"": "v", "": ""],
            nested: [[], [.plain], [.profile(path: "", weight: 0), .plain]])
        var optionals: [Int?] = [1, nil, 3]
        var last = "end"
    }

    @Test func whatIsWrittenIsWhatADecoderReads() throws {
        let record = Record()
        let bytes = try RecordEncoder.encode(record)
        #expect(try JSONDecoder().decode(Record.self, from: Data(bytes)) == record)
        // Ours is stricter.
        let read = try JSONValue(parsing: bytes)
        #expect(read["text"]?.string == record.text)
        #expect(read["none"]?.array == [])
        #expect(read["optional"] == nil)
    }

    @Test func itIsTheTextOfFoundationsEncoder() throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.withoutEscapingSlashes, .sortedKeys]
        let theirs = try JSONValue(parsing: Array(try encoder.encode(Record())))
        let ours = try JSONValue(parsing: try RecordEncoder.encode(Record()))
        #expect(ours.text == theirs.text)
    }

    @Test func singleValuesAreWholeTexts() throws {
        #expect(try RecordEncoder.encode("x") == Array("\"x\"".utf8))
        #expect(try RecordEncoder.encode([1, 2]) == Array("[1,2]".utf8))
        #expect(try RecordEncoder.encode(Record.Empty()) == Array("{}".utf8))
        #expect(try RecordEncoder.encode(Int?.none) == Array("null".utf8))
    }

    @Test(arguments: [Double.nan, .infinity]) func aNumberThatJSONLacksIsAnError(value: Double) {
        #expect(throws: EncodingError.self) { try RecordEncoder.encode([value]) }
    }
}
