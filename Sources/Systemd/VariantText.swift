/// GVariant's text form, as far as properties of units need it: `true`, `5`, `1.5`, `uint64 5`, `'text'`, `objectpath
/// '/a'`, `['a', 'b']`, `@as []`.
enum VariantText {
    private static let maximumBytes = 65_536

    /// nil for what is none of these.
    static func parse(_ text: String) -> DBusValue? {
        if text.utf8.count > maximumBytes { return nil }
        var reader = Reader(rest: Array(text.unicodeScalars)[...])
        guard let value = reader.value(depth: 0) else { return nil }
        reader.skipBlanks()
        return reader.rest.isEmpty ? value : nil
    }

    private struct Reader {
        var rest: ArraySlice<Unicode.Scalar>

        mutating func skipBlanks() { rest = rest.drop { $0 == " " || $0 == "\t" || $0 == "\n" } }

        mutating func value(depth: Int) -> DBusValue? {
            skipBlanks()
            guard depth < 8, let first = rest.first else { return nil }
            switch first {
            case "'", "\"": return quoted().map { .string($0) }
            case "[": return array(depth)
            case "@": return annotated(depth)
            case "0"..."9", "-", "+", ".": return number(as: nil)
            default: return keyword(depth)
            }
        }

        private mutating func word() -> String {
            let word = rest.prefix { $0.properties.isAlphabetic || ("0"..."9").contains($0) }
            rest = rest.dropFirst(word.count)
            return String(String.UnicodeScalarView(word))
        }

        private mutating func keyword(_ depth: Int) -> DBusValue? {
            let word = word()
            skipBlanks()
            switch word {
            case "true": return .boolean(true)
            case "false": return .boolean(false)
            case "boolean": return value(depth: depth + 1).flatMap { $0.signature == "b" ? $0 : nil }
            case "string": return quoted().map { .string($0) }
            case "objectpath": return quoted().map { .objectPath($0) }
            case "signature": return quoted().map { .signature($0) }
            case "byte": return number(as: "y")
            case "int16": return number(as: "n")
            case "uint16": return number(as: "q")
            case "int32": return number(as: "i")
            case "uint32": return number(as: "u")
            case "int64": return number(as: "x")
            case "uint64": return number(as: "t")
            case "double": return number(as: "d")
            default: return nil
            }
        }

        /// `@TYPE VALUE`: of an empty array nothing else says the type.
        private mutating func annotated(_ depth: Int) -> DBusValue? {
            rest = rest.dropFirst()
            let type = word()
            skipBlanks()
            guard DBusSignature.types(type)?.count == 1 else { return nil }
            if type.hasPrefix("a"), rest.starts(with: ["[", "]"]) {
                rest = rest.dropFirst(2)
                return .array(of: String(type.dropFirst()), [])
            }
            if type.count == 1, rest.first.map({ "0123456789-+.".unicodeScalars.contains($0) }) == true {
                return number(as: type)
            }
            guard let value = value(depth: depth + 1), value.signature == type else { return nil }
            return value
        }

        private mutating func array(_ depth: Int) -> DBusValue? {
            rest = rest.dropFirst()
            var values: [DBusValue] = []
            while true {
                guard let value = value(depth: depth + 1) else { return nil }
                values.append(value)
                skipBlanks()
                guard let mark = rest.popFirst(), mark == "," || mark == "]" else { return nil }
                if mark == "]" { break }
            }
            let type = values[0].signature
            return values.allSatisfy { $0.signature == type } ? .array(of: type, values) : nil
        }

        /// With the escapes that programs write; others stand for themselves.
        private mutating func quoted() -> String? {
            guard let mark = rest.popFirst(), mark == "'" || mark == "\"" else { return nil }
            var text = String.UnicodeScalarView()
            while let scalar = rest.popFirst() {
                if scalar == mark { return String(text) }
                if scalar != "\\" {
                    text.append(scalar)
                    continue
                }
                guard let next = rest.popFirst() else { return nil }
                switch next {
                case "n": text.append("\n")
                case "t": text.append("\t")
                case "r": text.append("\r")
                case "u", "U":
                    let count = next == "u" ? 4 : 8
                    let digits = String(String.UnicodeScalarView(rest.prefix(count)))
                    guard digits.utf8.count == count, let code = UInt32(digits, radix: 16),
                        let named = Unicode.Scalar(code)
                    else { return nil }
                    text.append(named)
                    rest = rest.dropFirst(count)
                default: text.append(next)
                }
            }
            return nil
        }

        /// A whole number is an `int32` unless its type is said.
        private mutating func number(as type: String?) -> DBusValue? {
            skipBlanks()
            let scalars = rest.prefix { $0.properties.isAlphabetic || "0123456789+-.".unicodeScalars.contains($0) }
            rest = rest.dropFirst(scalars.count)
            let text = String(String.UnicodeScalarView(scalars))
            switch type {
            case nil:
                if let whole: Int32 = integer(text) { return .int32(whole) }
                return text.contains(".") || text.contains("e") ? double(text) : nil
            case "y": return integer(text).map { .byte($0) }
            case "n": return integer(text).map { .int16($0) }
            case "q": return integer(text).map { .uint16($0) }
            case "i": return integer(text).map { .int32($0) }
            case "u": return integer(text).map { .uint32($0) }
            case "x": return integer(text).map { .int64($0) }
            case "t": return integer(text).map { .uint64($0) }
            case "d": return double(text)
            default: return nil
            }
        }

        private func integer<Number: FixedWidthInteger>(_ text: String) -> Number? {
            text.hasPrefix("0x") ? Number(text.dropFirst(2), radix: 16) : Number(text)
        }

        private func double(_ text: String) -> DBusValue? {
            guard let number = Double(text), number.isFinite else { return nil }
            return .double(number)
        }
    }
}
