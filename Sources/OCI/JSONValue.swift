/// JSON (RFC 8259) as a tree, for records that are read at every start: a decoder by type conformances costs half a
/// millisecond before its first byte.
package enum JSONValue: Hashable, Sendable {
    case null
    case bool(Bool)
    /// As written.
    case number(String)
    case string(String)
    case array([JSONValue])
    /// Of a key that is there twice the last one counts.
    case object([String: JSONValue])

    /// Reads a whole text, at most `BoundedJSON.maximumDepth` levels deep.
    package init(parsing bytes: [UInt8]) throws(JSONFault) {
        var parser = JSONValueParser(bytes)
        self = try parser.document()
    }

    /// The same, building only what `selection` names: the rest is passed over in a fraction of the time, and only its
    /// strings and brackets are looked at.
    package init(parsing bytes: [UInt8], only selection: JSONSelection) throws(JSONFault) {
        var parser = JSONValueParser(bytes)
        self = try parser.document(selection)
    }

    package subscript(key: String) -> JSONValue? {
        guard case .object(let members) = self, let value = members[key], value != .null else { return nil }
        return value
    }

    package var string: String? {
        if case .string(let text) = self { text } else { nil }
    }

    package var bool: Bool? {
        if case .bool(let value) = self { value } else { nil }
    }

    /// A whole number that fits, however it is written: `1e9` and `5.0` are whole.
    package var integer: Int64? {
        guard case .number(let text) = self else { return nil }
        return Int64(text) ?? Double(text).flatMap { Int64(exactly: $0) }
    }

    package var array: [JSONValue]? {
        if case .array(let values) = self { values } else { nil }
    }

    package var object: [String: JSONValue]? {
        if case .object(let members) = self { members } else { nil }
    }

    /// A list of strings; nil when it is anything else.
    package var strings: [String]? {
        guard let array else { return nil }
        let strings = array.compactMap(\.string)
        return strings.count == array.count ? strings : nil
    }

    /// An object whose values are all strings.
    package var stringMap: [String: String]? {
        guard let object else { return nil }
        let strings = object.compactMapValues(\.string)
        return strings.count == object.count ? strings : nil
    }
}

/// Which parts of a document are wanted.
package indirect enum JSONSelection: Sendable {
    case all
    /// Of an object these members; what is no object is taken whole.
    case members([String: JSONSelection])
}

private struct JSONValueParser {
    private let bytes: [UInt8]
    private var at = 0
    private var depth = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    mutating func document(_ selection: JSONSelection = .all) throws(JSONFault) -> JSONValue {
        let value = try value(selection)
        skipSpace()
        if at != bytes.count { throw .syntax(offset: at) }
        return value
    }

    private mutating func skipSpace() {
        while at < bytes.count, bytes[at] == 0x20 || bytes[at] == 0x0a || bytes[at] == 0x0d || bytes[at] == 0x09 {
            at += 1
        }
    }

    /// The next byte that is no space; not taken.
    private mutating func next() throws(JSONFault) -> UInt8 {
        skipSpace()
        guard at < bytes.count else { throw .syntax(offset: at) }
        return bytes[at]
    }

    private mutating func value(_ selection: JSONSelection = .all) throws(JSONFault) -> JSONValue {
        switch try next() {
        case UInt8(ascii: "{"): return try object(selection)
        case UInt8(ascii: "["): return try array()
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        default: return try number()
        }
    }

    private mutating func enter() throws(JSONFault) {
        at += 1
        depth += 1
        if depth > BoundedJSON.maximumDepth { throw .tooDeep(limit: BoundedJSON.maximumDepth) }
    }

    /// Whether another member follows; takes the comma, or the end of the container.
    private mutating func hasMore(_ end: UInt8) throws(JSONFault) -> Bool {
        let byte = try next()
        at += 1
        if byte == UInt8(ascii: ",") { return true }
        guard byte == end else { throw .syntax(offset: at - 1) }
        depth -= 1
        return false
    }

    private mutating func isEmpty(_ end: UInt8) throws(JSONFault) -> Bool {
        guard try next() == end else { return false }
        at += 1
        depth -= 1
        return true
    }

    private mutating func array() throws(JSONFault) -> JSONValue {
        try enter()
        if try isEmpty(UInt8(ascii: "]")) { return .array([]) }
        var values: [JSONValue] = []
        repeat { values.append(try value()) } while try hasMore(UInt8(ascii: "]"))
        return .array(values)
    }

    private mutating func object(_ selection: JSONSelection) throws(JSONFault) -> JSONValue {
        try enter()
        if try isEmpty(UInt8(ascii: "}")) { return .object([:]) }
        var members: [String: JSONValue] = [:]
        var wanted: [String: JSONSelection]?
        if case .members(let selected) = selection { wanted = selected }
        repeat {
            guard try next() == UInt8(ascii: "\"") else { throw .syntax(offset: at) }
            let key = try string()
            guard try next() == UInt8(ascii: ":") else { throw .syntax(offset: at) }
            at += 1
            if let wanted {
                if let part = wanted[key] { members[key] = try value(part) } else { try skip() }
            } else {
                members[key] = try value()
            }
        } while try hasMore(UInt8(ascii: "}"))
        return .object(members)
    }

    /// Passes over one value.
    private mutating func skip() throws(JSONFault) {
        var level = 0
        repeat {
            let byte = try next()
            switch byte {
            case UInt8(ascii: "\""): try skipString()
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                level += 1
                at += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"), UInt8(ascii: ","), UInt8(ascii: ":"):
                if level == 0 { throw .syntax(offset: at) }
                if byte == UInt8(ascii: "}") || byte == UInt8(ascii: "]") { level -= 1 }
                at += 1
            default:
                guard JSONValueParser.isScalar(byte) else { throw .syntax(offset: at) }
                while at < bytes.count, JSONValueParser.isScalar(bytes[at]) { at += 1 }
            }
        } while level > 0
    }

    /// Of what numbers, `true`, `false` and `null` are made.
    private static func isScalar(_ byte: UInt8) -> Bool {
        isNumber(byte) || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
    }

    private mutating func word(_ text: StaticString, _ value: JSONValue) throws(JSONFault) -> JSONValue {
        let matches = text.withUTF8Buffer { bytes[at...].starts(with: $0) }
        guard matches else { throw .syntax(offset: at) }
        at += text.utf8CodeUnitCount
        return value
    }

    private mutating func number() throws(JSONFault) -> JSONValue {
        let start = at
        while at < bytes.count, JSONValueParser.isNumber(bytes[at]) { at += 1 }
        guard at > start, at - start <= 64 else { throw .syntax(offset: start) }
        let text = String(decoding: bytes[start..<at], as: UTF8.self)
        guard Double(text) != nil else { throw .syntax(offset: start) }
        return .number(text)
    }

    private static func isNumber(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: "."),
            UInt8(ascii: "e"), UInt8(ascii: "E"):
            true
        default: false
        }
    }

    private mutating func string() throws(JSONFault) -> String {
        at += 1
        let start = at
        while at < bytes.count {
            switch bytes[at] {
            case UInt8(ascii: "\""):
                at += 1
                return String(decoding: bytes[start..<(at - 1)], as: UTF8.self)
            case UInt8(ascii: "\\"): return try escapedString(start)
            case 0..<0x20: throw .syntax(offset: at)
            default: at += 1
            }
        }
        throw .syntax(offset: at)
    }

    /// As `string()`, with nothing made of it.
    private mutating func skipString() throws(JSONFault) {
        let start = at
        at += 1
        while at < bytes.count {
            switch bytes[at] {
            case UInt8(ascii: "\""):
                at += 1
                return
            case UInt8(ascii: "\\"):
                _ = try escapedString(start + 1)
                return
            case 0..<0x20: throw .syntax(offset: at)
            default: at += 1
            }
        }
        throw .syntax(offset: at)
    }

    /// As `string()`, once there is an escape.
    private mutating func escapedString(_ start: Int) throws(JSONFault) -> String {
        var result = Array(bytes[start..<at])
        while at < bytes.count {
            let byte = bytes[at]
            at += 1
            switch byte {
            case UInt8(ascii: "\""): return String(decoding: result, as: UTF8.self)
            case UInt8(ascii: "\\"): try escape(into: &result)
            case 0..<0x20: throw .syntax(offset: at - 1)
            default: result.append(byte)
            }
        }
        throw .syntax(offset: at)
    }

    private mutating func escape(into result: inout [UInt8]) throws(JSONFault) {
        guard at < bytes.count else { throw .syntax(offset: at) }
        let byte = bytes[at]
        at += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): result.append(byte)
        case UInt8(ascii: "b"): result.append(8)
        case UInt8(ascii: "f"): result.append(12)
        case UInt8(ascii: "n"): result.append(10)
        case UInt8(ascii: "r"): result.append(13)
        case UInt8(ascii: "t"): result.append(9)
        case UInt8(ascii: "u"):
            var units = [try unit()]
            // The second half of a pair beyond the basic plane.
            if UTF16.isLeadSurrogate(units[0]), bytes[at...].starts(with: [0x5c, 0x75]) {
                at += 2
                units.append(try unit())
            }
            result.append(contentsOf: String(decoding: units, as: UTF16.self).utf8)
        default: throw .syntax(offset: at - 1)
        }
    }

    private mutating func unit() throws(JSONFault) -> UInt16 {
        guard at + 4 <= bytes.count else { throw .syntax(offset: at) }
        var value: UInt16 = 0
        for byte in bytes[at..<(at + 4)] {
            guard let digit = UInt8(exactly: byte).flatMap({ Character(Unicode.Scalar($0)).hexDigitValue }) else {
                throw .syntax(offset: at)
            }
            value = value << 4 | UInt16(digit)
        }
        at += 4
        return value
    }
}
