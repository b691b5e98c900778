internal import OCI

/// Words, quotes and variables of an instruction, as Dockerfiles have them: quotes hold words together, a backslash takes
/// the next character as it is, `$NAME` and `${NAME}` stand for the environment outside of single quotes.
struct WordExpander {
    private let values: [String: String]

    /// `NAME=VALUE` each.
    init(environment: [String]) {
        var values: [String: String] = [:]
        for entry in environment {
            guard let mark = entry.firstIndex(of: "=") else { continue }
            values[String(entry[..<mark])] = String(entry[entry.index(after: mark)...])
        }
        self.values = values
    }

    /// Splits at blanks outside of quotes; quotes and backslashes stay.
    static func split(_ text: String) throws(EngineError) -> [String] {
        var words: [String] = []
        var word = ""
        var quote: Character?
        var rest = Substring(text)
        while let character = rest.popFirst() {
            if character == "\\", quote != "'", let next = rest.popFirst() {
                word += "\\\(next)"
            } else if let open = quote {
                word.append(character)
                if character == open { quote = nil }
            } else if CommitChange.isBlank(character) {
                if !word.isEmpty { words.append(word) }
                word = ""
            } else {
                if character == "\"" || character == "'" { quote = character }
                word.append(character)
            }
        }
        if !word.isEmpty { words.append(word) }
        return words
    }

    /// Takes quotes and backslashes out and puts values in.
    func expand(_ text: String) throws(EngineError) -> String {
        var result = ""
        var quote: Character?
        var rest = Substring(text)
        while let character = rest.popFirst() {
            switch (character, quote) {
            case ("'", nil), ("\"", nil): quote = character
            case ("'", "'"), ("\"", "\""): quote = nil
            case ("\\", nil):
                if let next = rest.popFirst() { result.append(next) }
            case ("\\", "\""):
                guard let next = rest.popFirst() else { break }
                if !"\"$\\".contains(next) { result.append("\\") }
                result.append(next)
            case ("$", nil), ("$", "\""): result += try value(&rest)
            default: result.append(character)
            }
        }
        if let quote {
            throw .invalid(
                "unexpected end of statement while looking for matching \(quote == "'" ? "single" : "double")-quote")
        }
        return result
    }

    private func value(_ rest: inout Substring) throws(EngineError) -> String {
        if rest.first == "{" {
            guard let end = rest.firstIndex(of: "}") else { throw .invalid("syntax error: missing '}'") }
            let body = rest[rest.index(after: rest.startIndex)..<end]
            rest = rest[rest.index(after: end)...]
            return try braced(body)
        }
        let name = rest.prefix { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }
        if name.isEmpty { return "$" }
        rest = rest.dropFirst(name.count)
        return values[String(name)] ?? ""
    }

    /// `NAME`, `NAME:-WORD` for one that is empty or not set, `NAME:+WORD` for any other.
    private func braced(_ body: Substring) throws(EngineError) -> String {
        guard let colon = body.firstIndex(of: ":") else { return values[String(body)] ?? "" }
        let value = values[String(body[..<colon])] ?? ""
        let rest = body[body.index(after: colon)...]
        let word = String(rest.dropFirst())
        switch rest.first {
        case "-": return value.isEmpty ? try expand(word) : value
        case "+": return value.isEmpty ? "" : try expand(word)
        default: throw .invalid("unsupported modifier (\(ForeignText(String(rest.prefix(1))))) in substitution")
        }
    }
}
