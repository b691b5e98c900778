internal import Engine

/// A line of bash up to the cursor, taken apart as bash would, but that nothing in it is ever expanded or executed.
package struct ShellLine: Sendable, Hashable {
    /// Those before the one at the cursor, without quotes.
    package private(set) var words: [String] = []
    /// The one at the cursor, without quotes; it may be empty.
    package private(set) var current = ""
    /// Readline replaces the word at the cursor from here on, in characters of `current`: what stands behind the last
    /// of its break characters.
    package private(set) var start = 0
    /// The quote that is open at the cursor.
    package private(set) var quote: Character?

    private var isInWord = false

    /// `breaks` is `$COMP_WORDBREAKS`.
    package init(_ line: String, breaks: String) {
        var rest = Substring(line)
        while let character = rest.popFirst() {
            switch (quote, character) {
            case ("'", "'"), ("\"", "\""): quote = nil
            case ("'", _): current.append(character)
            case ("\"", "\\"):
                if let next = rest.first, "$`\"\\".contains(next) {
                    current.append(rest.removeFirst())
                } else {
                    current.append(character)
                }
            case ("\"", _): current.append(character)
            case (_, "'"), (_, "\""):
                quote = character
                start = current.count
                isInWord = true
            case (_, "\\"):
                isInWord = true
                if let next = rest.popFirst() { current.append(next) }
            case (_, " "), (_, "\t"), (_, "\n"): endWord()
            default:
                isInWord = true
                current.append(character)
                if breaks.contains(character) { start = current.count }
            }
        }
    }

    private mutating func endWord() {
        if isInWord { words.append(current) }
        current = ""
        start = 0
        isInWord = false
    }

    /// What bash is to put in the place of what readline replaces; nil where a candidate can't be said inside the quotes
    /// that are open.
    package func insertion(_ candidate: String) -> String? {
        let text = candidate.dropFirst(start)
        guard quote == nil else { return text.allSatisfy(ShellLine.isPlain) ? String(text) : nil }
        return text.map { ShellLine.isPlain($0) ? String($0) : "\\\($0)" }.joined()
    }

    /// Means itself to bash wherever it stands.
    private static func isPlain(_ character: Character) -> Bool {
        guard let value = character.asciiValue else { return true }
        return ResourceName.isAlphanumeric(value) || "-_./:=,@%+".utf8.contains(value)
    }
}
