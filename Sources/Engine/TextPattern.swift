internal import Glibc

/// A pattern for names and IDs that may match anywhere: a regular expression in Go's syntax as far as POSIX has it too
/// (regex(7)).
package struct TextPattern: ~Copyable {
    private var expression = regex_t()

    /// nil for what is no regular expression.
    package init?(_ pattern: String) {
        guard regcomp(&expression, TextPattern.posix(pattern), REG_EXTENDED | REG_NOSUB) == 0 else { return nil }
    }

    deinit {
        var expression = expression
        regfree(&expression)
    }

    package func matches(_ text: String) -> Bool {
        withUnsafePointer(to: expression) { regexec($0, text, 0, nil, 0) == 0 }
    }

    /// Whether `pattern` matches; one that is no expression matches what it spells.
    package static func matches(_ pattern: String, _ text: String) -> Bool {
        if pattern.utf8.allSatisfy(isPlain) { return contains(text, pattern) }
        return TextPattern(pattern)?.matches(text) ?? (pattern == text)
    }

    /// Go's words for what POSIX spells otherwise.
    private static func posix(_ pattern: String) -> String {
        var result = ""
        var rest = pattern[...]
        while let first = rest.popFirst() {
            if first == "(", rest.hasPrefix("?:") {
                rest.removeFirst(2)
                result += "("
            } else if first == "\\", let next = rest.popFirst() {
                result += next == "d" ? "[0-9]" : next == "D" ? "[^0-9]" : "\\\(next)"
            } else {
                result.append(first)
            }
        }
        return result
    }

    private static func contains(_ text: String, _ part: String) -> Bool {
        let (bytes, wanted) = (Array(text.utf8), Array(part.utf8))
        if wanted.count > bytes.count { return false }
        return (0...(bytes.count - wanted.count)).contains { bytes[$0..<($0 + wanted.count)].elementsEqual(wanted) }
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        ResourceName.isAlphanumeric(byte) || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
    }
}
