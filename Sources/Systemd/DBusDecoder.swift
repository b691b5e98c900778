/// Bytes as values. What a peer sends is not trusted: no length leads out of the bytes, and nothing nests deeper than the
/// specification allows.
struct DBusDecoder {
    private let bytes: [UInt8]
    private(set) var place: Int
    private let end: Int
    private static let maximumDepth = 64

    /// Alignment counts from the beginning of `bytes`.
    init(_ bytes: [UInt8], from place: Int = 0) {
        self.bytes = bytes
        self.place = place
        end = bytes.count
    }

    mutating func values(_ signature: String) throws(DBusFault) -> [DBusValue] {
        guard let types = DBusSignature.types(signature) else { throw DBusFault("its signature is none") }
        var result: [DBusValue] = []
        for type in types { result.append(try value(type)) }
        return result
    }

    mutating func align(_ divisor: Int) throws(DBusFault) {
        let rest = place % divisor
        if rest != 0 { _ = try take(divisor - rest) }
    }

    mutating func value(_ type: String, depth: Int = 0) throws(DBusFault) -> DBusValue {
        if depth > DBusDecoder.maximumDepth { throw DBusFault("its values nest too deeply") }
        switch type.utf8.first {
        case UInt8(ascii: "y"): return .byte(try number())
        case UInt8(ascii: "b"): return .boolean(try boolean())
        case UInt8(ascii: "n"): return .int16(Int16(bitPattern: try number()))
        case UInt8(ascii: "q"): return .uint16(try number())
        case UInt8(ascii: "i"): return .int32(Int32(bitPattern: try number()))
        case UInt8(ascii: "u"): return .uint32(try number())
        case UInt8(ascii: "x"): return .int64(Int64(bitPattern: try number()))
        case UInt8(ascii: "t"): return .uint64(try number())
        case UInt8(ascii: "d"): return .double(Double(bitPattern: try number()))
        case UInt8(ascii: "s"): return .string(try text(try length()))
        case UInt8(ascii: "o"): return .objectPath(try text(try length()))
        case UInt8(ascii: "g"): return .signature(try signature())
        case UInt8(ascii: "a"): return try array(String(type.dropFirst()), depth)
        case UInt8(ascii: "("): return .structure(try fields(type, depth))
        case UInt8(ascii: "{"):
            let pair = try fields(type, depth)
            guard pair.count == 2 else { throw DBusFault("an entry has no value") }
            return .entry(key: pair[0], value: pair[1])
        default: return .variant(try variant(depth))
        }
    }

    private mutating func take(_ count: Int) throws(DBusFault) -> ArraySlice<UInt8> {
        guard count >= 0, count <= end - place else { throw DBusFault("it ends too early") }
        defer { place += count }
        return bytes[place..<place + count]
    }

    private mutating func number<Number: FixedWidthInteger & UnsignedInteger>() throws(DBusFault) -> Number {
        try align(MemoryLayout<Number>.size)
        var value: Number = 0
        for byte in try take(MemoryLayout<Number>.size).reversed() { value = (value << 8) | Number(byte) }
        return value
    }

    private mutating func boolean() throws(DBusFault) -> Bool {
        let value: UInt32 = try number()
        if value > 1 { throw DBusFault("\(value) is neither true nor false") }
        return value == 1
    }

    private mutating func length() throws(DBusFault) -> Int {
        let value: UInt32 = try number()
        return Int(value)
    }

    private mutating func text(_ count: Int) throws(DBusFault) -> String {
        let text = try take(count)
        guard try take(1).first == 0, !text.contains(0), let valid = String(validating: text, as: UTF8.self) else {
            throw DBusFault("a text in it is none")
        }
        return valid
    }

    private mutating func signature() throws(DBusFault) -> String {
        let count: UInt8 = try number()
        return try text(Int(count))
    }

    private mutating func array(_ element: String, _ depth: Int) throws(DBusFault) -> DBusValue {
        let count = try length()
        try align(DBusSignature.alignment(element.utf8.first ?? 0))
        guard count <= end - place else { throw DBusFault("an array in it is longer than it is") }
        let last = place + count
        var values: [DBusValue] = []
        while place < last { values.append(try value(element, depth: depth + 1)) }
        if place != last { throw DBusFault("an array's elements are longer than it is") }
        return .array(of: element, values)
    }

    private mutating func fields(_ type: String, _ depth: Int) throws(DBusFault) -> [DBusValue] {
        try align(8)
        // A whole one: the signature was taken apart before.
        guard let types = DBusSignature.types(String(type.dropFirst().dropLast())) else {
            throw DBusFault("its signature is none")
        }
        var result: [DBusValue] = []
        for type in types { result.append(try value(type, depth: depth + 1)) }
        return result
    }

    private mutating func variant(_ depth: Int) throws(DBusFault) -> DBusValue {
        guard let types = DBusSignature.types(try signature()), types.count == 1 else {
            throw DBusFault("a variant in it is not of one type")
        }
        return try value(types[0], depth: depth + 1)
    }
}
