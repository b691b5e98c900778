/// Go's two ways to put text in quotes, which differ in what they escape.
enum GoQuotation {
    /// strconv.Quote, what `%q` prints: nothing in it that does not show.
    case literal
    /// encoding/json; with `html` also `<`, `>` and `&`.
    case json(html: Bool)

    func quote(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            if let escape = escape(scalar) { result += escape } else { result.unicodeScalars.append(scalar) }
        }
        return result + "\""
    }

    /// nil: as it is.
    private func escape(_ scalar: Unicode.Scalar) -> String? {
        switch scalar {
        case "\"": return "\\\""
        case "\\": return "\\\\"
        case "\n": return "\\n"
        case "\r": return "\\r"
        case "\t": return "\\t"
        case "\u{08}": return "\\b"
        case "\u{0C}": return "\\f"
        default: break
        }
        switch self {
        case .literal: return literalEscape(scalar)
        case .json(let html): return jsonEscape(scalar, html)
        }
    }

    private func literalEscape(_ scalar: Unicode.Scalar) -> String? {
        switch scalar {
        case "\u{07}": "\\a"
        case "\u{0B}": "\\v"
        case " ": nil
        case _ where scalar.value < 0x20 || scalar.value == 0x7F: "\\x" + hex(scalar, 2)
        case _ where !isPrintable(scalar): scalar.value <= 0xFFFF ? "\\u" + hex(scalar, 4) : "\\U" + hex(scalar, 8)
        default: nil
        }
    }

    private func jsonEscape(_ scalar: Unicode.Scalar, _ html: Bool) -> String? {
        switch scalar {
        case "<", ">", "&": html ? "\\u" + hex(scalar, 4) : nil
        case "\u{2028}", "\u{2029}": "\\u" + hex(scalar, 4)
        default: scalar.value < 0x20 ? "\\u" + hex(scalar, 4) : nil
        }
    }

    private func hex(_ scalar: Unicode.Scalar, _ width: Int) -> String {
        let digits = String(scalar.value, radix: 16)
        return String(repeating: "0", count: width - digits.count) + digits
    }

    /// unicode.IsPrint: what shows, and of blanks the space only.
    private func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator,
            .spaceSeparator:
            false
        default: true
        }
    }
}
