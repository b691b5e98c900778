/// Go's text/template, cut into text and the tokens of actions.
struct TemplateToken: Hashable {
    enum Kind: Hashable {
        case text(String)
        case open, close
        /// `.` alone.
        case dot
        /// `.Name`
        case field(String)
        /// `$`, `$name`
        case variable(String)
        case word(String)
        case string(String)
        case number(Int64)
        case pipe, leftParenthesis, rightParenthesis, declare, assign, comma
    }

    let kind: Kind
    /// Bytes from the start of the template.
    let offset: Int
    /// Whether a blank stands before: `.A.B` is one operand, `.A .B` two.
    var spaced = false
}

struct TemplateLexer {
    private let bytes: [UInt8]
    private var index = 0
    private var tokens: [TemplateToken] = []

    static func tokens(_ text: String) throws(TemplateError) -> [TemplateToken] {
        var lexer = TemplateLexer(text)
        try lexer.run()
        return lexer.tokens
    }

    private init(_ text: String) { bytes = Array(text.utf8) }

    private func starts(_ word: StaticString, at position: Int) -> Bool {
        let count = word.utf8CodeUnitCount
        guard position + count <= bytes.count else { return false }
        return (0..<count).allSatisfy { bytes[position + $0] == word.utf8Start[$0] }
    }

    private func error(_ message: String) -> TemplateError { .parse(line: line(index), message) }

    private func line(_ offset: Int) -> Int { bytes.prefix(offset).reduce(1) { $1 == 10 ? $0 + 1 : $0 } }

    private mutating func run() throws(TemplateError) {
        var trimLeft = false
        while true {
            let start = index
            while index < bytes.count, !starts("{{", at: index) { index += 1 }
            var text = bytes[start..<index]
            if trimLeft { text = text.drop(while: TemplateLexer.isBlank) }
            guard index < bytes.count else {
                addText(text, start)
                return
            }
            let trims = starts("{{- ", at: index) || starts("{{-\t", at: index) || starts("{{-\n", at: index)
            if trims { while let last = text.last, TemplateLexer.isBlank(last) { text = text.dropLast() } }
            addText(text, start)
            let open = index
            index += trims ? 3 : 2
            trimLeft = try action(open)
        }
    }

    private mutating func addText(_ text: ArraySlice<UInt8>, _ offset: Int) {
        guard !text.isEmpty else { return }
        tokens.append(TemplateToken(kind: .text(String(decoding: text, as: UTF8.self)), offset: offset))
    }

    /// One `{{…}}`; true when it ends with ` -}}`.
    private mutating func action(_ open: Int) throws(TemplateError) -> Bool {
        if starts("/*", at: index) {
            while index < bytes.count, !starts("*/", at: index) { index += 1 }
            index += 2
            let trims = starts(" -}}", at: index)
            if trims { index += 2 }
            guard starts("}}", at: index) else { throw error("unclosed comment") }
            index += 2
            return trims
        }
        tokens.append(TemplateToken(kind: .open, offset: open))
        var spaced = false
        while index < bytes.count {
            let byte = bytes[index]
            let trims = TemplateLexer.isBlank(byte) && starts("-}}", at: index + 1)
            if trims || starts("}}", at: index) {
                tokens.append(TemplateToken(kind: .close, offset: index))
                index += trims ? 4 : 2
                return trims
            }
            if TemplateLexer.isBlank(byte) {
                spaced = true
                index += 1
                continue
            }
            let start = index
            tokens.append(TemplateToken(kind: try token(byte), offset: start, spaced: spaced))
            spaced = false
        }
        throw error("unclosed action")
    }

    private mutating func token(_ byte: UInt8) throws(TemplateError) -> TemplateToken.Kind {
        index += 1
        switch byte {
        case UInt8(ascii: "|"): return .pipe
        case UInt8(ascii: "("): return .leftParenthesis
        case UInt8(ascii: ")"): return .rightParenthesis
        case UInt8(ascii: ","): return .comma
        case UInt8(ascii: "="): return .assign
        case UInt8(ascii: ":") where index < bytes.count && bytes[index] == UInt8(ascii: "="):
            index += 1
            return .declare
        case UInt8(ascii: "\""): return .string(try quoted())
        case UInt8(ascii: "`"): return .string(try raw())
        case UInt8(ascii: "."):
            let name = word()
            return name.isEmpty ? .dot : .field(name)
        case UInt8(ascii: "$"): return .variable("$" + word())
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "+"):
            index -= 1
            return try number()
        default:
            index -= 1
            let name = word()
            guard !name.isEmpty else { throw error("unexpected \(GoValue.quoted(printable(byte))) in command") }
            return .word(name)
        }
    }

    private func printable(_ byte: UInt8) -> String { String(decoding: [byte], as: UTF8.self) }

    private mutating func word() -> String {
        let start = index
        while index < bytes.count, TemplateLexer.isWord(bytes[index]) { index += 1 }
        return String(decoding: bytes[start..<index], as: UTF8.self)
    }

    private mutating func number() throws(TemplateError) -> TemplateToken.Kind {
        let start = index
        index += 1
        _ = word()
        let text = String(decoding: bytes[start..<index], as: UTF8.self)
        guard let value = try? GoValue.int64(text) else { throw error("bad number syntax: \(GoValue.quoted(text))") }
        return .number(value)
    }

    private mutating func raw() throws(TemplateError) -> String {
        let start = index
        while index < bytes.count, bytes[index] != UInt8(ascii: "`") { index += 1 }
        guard index < bytes.count else { throw error("unterminated raw quoted string") }
        index += 1
        return String(decoding: bytes[start..<(index - 1)], as: UTF8.self)
    }

    private mutating func quoted() throws(TemplateError) -> String {
        var result: [UInt8] = []
        while index < bytes.count, bytes[index] != UInt8(ascii: "\n") {
            let byte = bytes[index]
            index += 1
            if byte == UInt8(ascii: "\"") { return String(decoding: result, as: UTF8.self) }
            guard byte == UInt8(ascii: "\\"), index < bytes.count else {
                result.append(byte)
                continue
            }
            let escapes: [UInt8: UInt8] = [
                UInt8(ascii: "n"): 10, UInt8(ascii: "t"): 9, UInt8(ascii: "r"): 13, UInt8(ascii: "\""): 34,
                UInt8(ascii: "\\"): 92,
            ]
            guard let escaped = escapes[bytes[index]] else { throw error("invalid syntax in a quoted string") }
            result.append(escaped)
            index += 1
        }
        throw error("unterminated quoted string")
    }

    static func isBlank(_ byte: UInt8) -> Bool { byte == 32 || (9...13).contains(byte) }

    private static func isWord(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), 0x80...:
            true
        default: false
        }
    }
}
