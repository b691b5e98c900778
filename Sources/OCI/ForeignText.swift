/// Text that a stranger wrote, made fit for a message: one line, bounded, no control character that a terminal would
/// obey.
package struct ForeignText: Hashable, Sendable, CustomStringConvertible {
    package let description: String

    /// At most `limit` characters are kept; an ellipsis says that there was more.
    package init(_ text: some StringProtocol, limit: Int = 200) {
        var result = ""
        var count = 0
        for scalar in text.unicodeScalars {
            if count == limit {
                result += "…"
                break
            }
            count += 1
            switch scalar.properties.generalCategory {
            case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator:
                result += ForeignText.name(of: scalar)
            default:
                result.unicodeScalars.append(scalar)
            }
        }
        description = result
    }

    /// `U+001B`.
    package static func name(of scalar: Unicode.Scalar) -> String {
        let hex = String(scalar.value, radix: 16, uppercase: true)
        return "U+" + String(repeating: "0", count: max(0, 4 - hex.count)) + hex
    }
}

extension String {
    /// Whether a character in it would end or garble a line of a file, or be obeyed by a terminal: the controls C0, DEL
    /// and C1.
    package var hasControlCharacters: Bool {
        unicodeScalars.contains { $0.value < 0x20 || (0x7F..<0xA0).contains($0.value) }
    }
}
