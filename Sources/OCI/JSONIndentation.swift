/// JSON as its author wrote it, each value on a line of its own (Go's json.Indent). Numbers, escapes and the order of keys
/// stay; what a terminal would obey inside a string is escaped, which means the same.
package enum JSONIndentation {
    /// `bytes` have passed `BoundedJSON.scan`.
    package static func indented(_ bytes: [UInt8], by unit: String) -> String {
        var writer = Writer(unit: unit)
        var at = 0
        while at < bytes.count {
            let byte = bytes[at]
            if byte == UInt8(ascii: "\"") {
                let end = JSONIndentation.end(ofStringAt: at, in: bytes)
                writer.add(string: String(decoding: bytes[at..<end], as: UTF8.self))
                at = end
            } else {
                writer.add(byte)
                at += 1
            }
        }
        return writer.text
    }

    private static func end(ofStringAt start: Int, in bytes: [UInt8]) -> Int {
        var at = start + 1
        while at < bytes.count, bytes[at] != UInt8(ascii: "\"") { at += bytes[at] == UInt8(ascii: "\\") ? 2 : 1 }
        return min(at + 1, bytes.count)
    }

    private struct Writer {
        let unit: String
        var text = ""
        private var depth = 0
        /// A container was opened, and nothing is in it yet.
        private var isEmpty = false

        init(unit: String) { self.unit = unit }

        mutating func add(string: String) {
            beginValue()
            for scalar in string.unicodeScalars {
                if Writer.isUnfit(scalar) {
                    for part in String(scalar).utf16 { text += Writer.escape(part) }
                } else {
                    text.unicodeScalars.append(scalar)
                }
            }
        }

        mutating func add(_ byte: UInt8) {
            switch byte {
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                beginValue()
                append(byte)
                depth += 1
                isEmpty = true
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                depth -= 1
                if !isEmpty { breakLine() }
                isEmpty = false
                append(byte)
            case UInt8(ascii: ","):
                append(byte)
                breakLine()
            case UInt8(ascii: ":"): text += ": "
            case 0x20, 0x0a, 0x0d, 0x09: break
            default:
                beginValue()
                append(byte)
            }
        }

        private mutating func beginValue() {
            if isEmpty { breakLine() }
            isEmpty = false
        }

        private mutating func breakLine() { text += "\n" + String(repeating: unit, count: depth) }

        private mutating func append(_ byte: UInt8) { text.unicodeScalars.append(Unicode.Scalar(byte)) }

        private static func isUnfit(_ scalar: Unicode.Scalar) -> Bool {
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator: true
            default: false
            }
        }

        private static func escape(_ unit: UInt16) -> String {
            let hex = String(unit, radix: 16)
            return "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
        }
    }
}
