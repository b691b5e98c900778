/// Text for man(7) pages: what is special to roff is escaped, so that readers can copy what they see.
enum Roff {
    /// A run of text. Never the beginning of a request, even where a line begins with it.
    static func text(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": result += "\\e"
            case "-": result += "\\-"
            case "'": result += "\\(aq"
            case "`": result += "\\(ga"
            case "^": result += "\\(ha"
            case "~": result += "\\(ti"
            case "\n": result += " "
            // Not every output has it.
            case "…": result += "..."
            case _ where scalar.isASCII: result.unicodeScalars.append(scalar)
            default: result += "\\[u\(padded(String(scalar.value, radix: 16, uppercase: true)))]"
            }
        }
        return result.hasPrefix(".") ? "\\&" + result : result
    }

    static func bold(_ words: String) -> String { "\\fB\(text(words))\\fR" }
    static func italic(_ words: String) -> String { "\\fI\(text(words))\\fR" }

    /// `[OPTIONS] IMAGE [ARG...]`: what stands for something else is underlined.
    static func synopsis(_ words: String) -> String {
        var result = ""
        var name = ""
        func flush() {
            guard !name.isEmpty else { return }
            result += isPlaceholder(name) ? italic(name) : text(name)
            name = ""
        }
        for character in words {
            if character.isLetter || character == "_" {
                name.append(character)
            } else {
                flush()
                result += text(String(character)).replacingPrefix("\\&", with: "")
            }
        }
        flush()
        return result.hasPrefix(".") ? "\\&" + result : result
    }

    private static func isPlaceholder(_ word: String) -> Bool {
        word == word.uppercased() && word.contains { $0.isLetter }
    }

    /// An argument of a macro, quoted.
    static func argument(_ words: String) -> String {
        let escaped = text(words).split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\\(dq")
        return "\"\(escaped)\""
    }

    private static func padded(_ hex: String) -> String { String(repeating: "0", count: max(0, 4 - hex.count)) + hex }
}

extension String {
    fileprivate func replacingPrefix(_ prefix: String, with other: String) -> String {
        hasPrefix(prefix) ? other + dropFirst(prefix.count) : self
    }
}
