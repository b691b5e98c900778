/// A JSON text (RFC 8259) whose values know their line: the decoder of FoundationEssentials cannot say where a text is
/// broken, and profiles are written by hand.
struct JSONDocument {
    struct Value {
        let line: Int
        let content: Content
    }

    indirect enum Content {
        case null
        case bool(Bool)
        /// As written.
        case number(String)
        case string(String)
        case array([Value])
        /// The last of equal keys counts, as in Go and JavaScript.
        case object([String: Value])
    }

    struct SyntaxError: Error {
        let line: Int
        let expected: String
    }

    private var rest: ArraySlice<UInt8>
    private var line = 1
    private var depth = 0

    /// Deeper than any profile; bounds the stack.
    private static let maximalDepth = 64

    static func parse(_ bytes: [UInt8]) throws(SyntaxError) -> Value {
        var document = JSONDocument(rest: bytes[...])
        let value = try document.value()
        document.skipBlanks()
        if !document.rest.isEmpty { throw document.error("the end of the file") }
        return value
    }

    private init(rest: ArraySlice<UInt8>) { self.rest = rest }

    private func error(_ expected: String) -> SyntaxError { SyntaxError(line: line, expected: expected) }

    private mutating func skipBlanks() {
        while let byte = rest.first, byte == 0x20 || byte == 0x09 || byte == 0x0a || byte == 0x0d {
            if byte == 0x0a { line += 1 }
            rest.removeFirst()
        }
    }

    /// Takes `byte` if it comes next.
    private mutating func take(_ byte: Character) -> Bool {
        skipBlanks()
        guard rest.first == byte.asciiValue else { return false }
        rest.removeFirst()
        return true
    }

    private mutating func value() throws(SyntaxError) -> Value {
        depth += 1
        defer { depth -= 1 }
        if depth > JSONDocument.maximalDepth { throw error("less than \(JSONDocument.maximalDepth) levels") }
        skipBlanks()
        let start = line
        return Value(line: start, content: try content())
    }

    private mutating func content() throws(SyntaxError) -> Content {
        if take("{") { return .object(try members()) }
        if take("[") { return .array(try elements()) }
        if take("\"") { return .string(try string()) }
        for (word, content) in [("true", Content.bool(true)), ("false", .bool(false)), ("null", .null)]
        where rest.starts(with: word.utf8) {
            rest.removeFirst(word.utf8.count)
            return content
        }
        let digits = rest.prefix { (0x30...0x39).contains($0) || "+-.eE".utf8.contains($0) }
        let text = String(decoding: digits, as: UTF8.self)
        guard Double(text) != nil, digits.first != UInt8(ascii: "+") else { throw error("a value") }
        rest.removeFirst(digits.count)
        return .number(text)
    }

    private mutating func members() throws(SyntaxError) -> [String: Value] {
        var result: [String: Value] = [:]
        if take("}") { return result }
        repeat {
            guard take("\"") else { throw error("a field's name") }
            let key = try string()
            guard take(":") else { throw error("':' behind \"\(key)\"") }
            result[key] = try value()
        } while take(",")
        guard take("}") else { throw error("',' or '}'") }
        return result
    }

    private mutating func elements() throws(SyntaxError) -> [Value] {
        var result: [Value] = []
        if take("]") { return result }
        repeat { result.append(try value()) } while take(",")
        guard take("]") else { throw error("',' or ']'") }
        return result
    }

    /// The rest of a string whose opening quote is taken.
    private mutating func string() throws(SyntaxError) -> String {
        var units: [UInt8] = []
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "\""):
                guard let text = String(validating: units, as: UTF8.self) else { throw error("UTF-8") }
                return text
            case UInt8(ascii: "\\"): try escape(into: &units)
            case 0..<0x20: throw error("'\"' at the end of the string")
            default: units.append(byte)
            }
        }
        throw error("'\"' at the end of the string")
    }

    private mutating func escape(into units: inout [UInt8]) throws(SyntaxError) {
        guard let byte = rest.popFirst() else { throw error("an escape") }
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): units.append(byte)
        case UInt8(ascii: "b"): units.append(0x08)
        case UInt8(ascii: "f"): units.append(0x0c)
        case UInt8(ascii: "n"): units.append(0x0a)
        case UInt8(ascii: "r"): units.append(0x0d)
        case UInt8(ascii: "t"): units.append(0x09)
        case UInt8(ascii: "u"):
            var code = try hexadecimal()
            if (0xd800..<0xdc00).contains(code), rest.starts(with: "\\u".utf8) {
                rest.removeFirst(2)
                let low = try hexadecimal()
                guard (0xdc00..<0xe000).contains(low) else { throw error("the second half of a surrogate pair") }
                code = 0x10000 + (code - 0xd800) << 10 + (low - 0xdc00)
            }
            guard let scalar = Unicode.Scalar(code) else { throw error("a character") }
            units += Array(String(Character(scalar)).utf8)
        default: throw error("an escape")
        }
    }

    private mutating func hexadecimal() throws(SyntaxError) -> UInt32 {
        let digits = rest.prefix(4)
        guard digits.count == 4, digits.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }),
            let code = UInt32(String(decoding: digits, as: UTF8.self), radix: 16)
        else { throw error("four hexadecimal digits") }
        rest.removeFirst(4)
        return code
    }
}

/// A value of a document and how it is reached: what an error can name.
struct JSONField {
    let path: String
    let value: JSONDocument.Value

    func error(_ reason: String) -> SeccompError {
        .profile(field: "line \(value.line)\(path.isEmpty ? "" : ": \(path)")", reason: reason)
    }

    private var isNull: Bool {
        if case .null = value.content { return true }
        return false
    }

    /// A member of an object; nil where it is missing or null.
    func member(_ key: String) throws(SeccompError) -> JSONField? {
        guard case .object(let members) = value.content else { throw error("it should be an object") }
        guard let member = members[key] else { return nil }
        let field = JSONField(path: path.isEmpty ? key : "\(path).\(key)", value: member)
        return field.isNull ? nil : field
    }

    func required(_ key: String) throws(SeccompError) -> JSONField {
        guard let field = try member(key) else {
            throw JSONField(path: path.isEmpty ? key : "\(path).\(key)", value: value).error("it is missing")
        }
        return field
    }

    func elements() throws(SeccompError) -> [JSONField] {
        guard case .array(let values) = value.content else { throw error("it should be a list") }
        return values.enumerated().map { JSONField(path: "\(path)[\($0.offset)]", value: $0.element) }
    }

    func string() throws(SeccompError) -> String {
        guard case .string(let text) = value.content else { throw error("it should be a string") }
        return text
    }

    func strings() throws(SeccompError) -> [String] {
        var result: [String] = []
        for element in try elements() { result.append(try element.string()) }
        return result
    }

    func number<I: FixedWidthInteger>(_ type: I.Type) throws(SeccompError) -> I {
        guard case .number(let text) = value.content else { throw error("it should be a number") }
        guard let number = I(text) else { throw error("\(text) is not a number from \(I.min) to \(I.max)") }
        return number
    }

    /// The text of a number or a string.
    func scalar() throws(SeccompError) -> String {
        if case .number(let text) = value.content { return text }
        return try string()
    }
}
