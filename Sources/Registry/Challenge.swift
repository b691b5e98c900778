/// One way to prove who asks, as a WWW-Authenticate header offers it (RFC 9110, 11.6.1).
package struct Challenge: Hashable, Sendable {
    /// Lower case.
    package let scheme: String
    /// By lower-case name; the first of equal names counts.
    package let parameters: [String: String]

    /// All challenges of all headers, in order. What does not follow the grammar ends the header it is in.
    package static func parse(_ headers: [String]) -> [Challenge] {
        headers.flatMap { header in
            var parser = ChallengeParser(header)
            return parser.parse()
        }
    }
}

private struct ChallengeParser {
    private let bytes: [UInt8]
    private var at = 0

    init(_ text: String) { bytes = Array(text.utf8) }

    /// `scheme [ token68 | name = value *( "," name = value ) ]`, separated by commas as its parameters are: a token
    /// that no `=` follows starts the next challenge.
    mutating func parse() -> [Challenge] {
        var result: [Challenge] = []
        skipSeparators()
        while let scheme = token() {
            var parameters: [String: String] = [:]
            skipSpace()
            while let (name, value) = parameter() {
                if parameters[name] == nil { parameters[name] = value }
                skipSeparators()
            }
            result.append(Challenge(scheme: scheme.lowercased(), parameters: parameters))
            skipSeparators()
        }
        return result
    }

    /// A `name=value`, or nil with nothing taken when a new challenge, token68 or the end is next.
    private mutating func parameter() -> (String, String)? {
        let start = at
        guard let name = token() else { return nil }
        skipSpace()
        guard take(UInt8(ascii: "=")) else {
            at = start
            return nil
        }
        skipSpace()
        if byte == UInt8(ascii: "\""), let value = quoted() { return (name.lowercased(), value) }
        if let value = token() { return (name.lowercased(), value) }
        // Behind a token68's padding, or broken: over.
        at = bytes.count
        return nil
    }

    private var byte: UInt8? { at < bytes.count ? bytes[at] : nil }

    private mutating func take(_ wanted: UInt8) -> Bool {
        guard byte == wanted else { return false }
        at += 1
        return true
    }

    private mutating func skipSpace() {
        while let next = byte, next == 0x20 || next == 0x09 { at += 1 }
    }

    private mutating func skipSeparators() {
        while let next = byte, next == 0x20 || next == 0x09 || next == UInt8(ascii: ",") { at += 1 }
    }

    private mutating func token() -> String? {
        let start = at
        while let next = byte, ChallengeParser.isTokenByte(next) { at += 1 }
        return at > start ? String(decoding: bytes[start..<at], as: UTF8.self) : nil
    }

    private mutating func quoted() -> String? {
        var value: [UInt8] = []
        at += 1
        while let next = byte {
            at += 1
            switch next {
            case UInt8(ascii: "\""): return String(decoding: value, as: UTF8.self)
            case UInt8(ascii: "\\"):
                guard let escaped = byte else { return nil }
                value.append(escaped)
                at += 1
            default: value.append(next)
            }
        }
        return nil
    }

    /// Of a token, and what servers put into unquoted values without quoting (`:` and `/` of URLs).
    private static func isTokenByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: "!#$%&'*+-.^_`|~:/".utf8.contains(byte)
        }
    }
}
