/// Signatures of D-Bus taken apart (D-Bus specification, "Type System").
enum DBusSignature {
    /// What a message may have.
    static let maximumBytes = 255
    private static let maximumDepth = 32

    /// The complete types that `text` consists of; nil for what is none.
    static func types(_ text: String) -> [String]? {
        if text.utf8.count > maximumBytes { return nil }
        var rest = ArraySlice(Array(text.utf8))
        var result: [String] = []
        while !rest.isEmpty {
            guard let type = next(&rest, depth: 0) else { return nil }
            result.append(type)
        }
        return result
    }

    /// Where values of a type that begins with `code` begin, as a divisor of the place in the message.
    static func alignment(_ code: UInt8) -> Int {
        switch code {
        case UInt8(ascii: "n"), UInt8(ascii: "q"): 2
        case UInt8(ascii: "b"), UInt8(ascii: "i"), UInt8(ascii: "u"), UInt8(ascii: "s"), UInt8(ascii: "o"),
            UInt8(ascii: "a"):
            4
        case UInt8(ascii: "x"), UInt8(ascii: "t"), UInt8(ascii: "d"), UInt8(ascii: "("), UInt8(ascii: "{"): 8
        default: 1
        }
    }

    private static func next(_ rest: inout ArraySlice<UInt8>, depth: Int) -> String? {
        guard depth <= maximumDepth, let code = rest.popFirst() else { return nil }
        let letter = String(UnicodeScalar(code))
        switch code {
        case UInt8(ascii: "a"):
            let isEntry = rest.first == UInt8(ascii: "{")
            guard let element = isEntry ? entry(&rest, depth: depth + 1) : next(&rest, depth: depth + 1) else {
                return nil
            }
            return letter + element
        case UInt8(ascii: "("):
            var fields = ""
            while let first = rest.first, first != UInt8(ascii: ")") {
                guard let field = next(&rest, depth: depth + 1) else { return nil }
                fields += field
            }
            return rest.popFirst() == nil || fields.isEmpty ? nil : "(\(fields))"
        default:
            return "ybnqiuxtdsogv".utf8.contains(code) ? letter : nil
        }
    }

    /// Only in an array, with a key of a basic type.
    private static func entry(_ rest: inout ArraySlice<UInt8>, depth: Int) -> String? {
        _ = rest.popFirst()
        guard let first = rest.first, "ybnqiuxtdsog".utf8.contains(first), let key = next(&rest, depth: depth + 1),
            let value = next(&rest, depth: depth + 1), rest.popFirst() == UInt8(ascii: "}")
        else { return nil }
        return "{\(key)\(value)}"
    }
}
