internal import OCI
internal import Sys

/// Go's spellings of simple values, with Go's words for what is none: docker's messages carry them through.
package enum GoValue {
    /// strconv.ParseBool.
    package static func bool(_ text: String) throws(ValueError) -> Bool {
        switch text {
        case "1", "t", "T", "true", "TRUE", "True": true
        case "0", "f", "F", "false", "FALSE", "False": false
        default: throw .invalid("strconv.ParseBool: parsing \(quoted(text)): invalid syntax")
        }
    }

    /// strconv.ParseInt with base 0 (`0x`, `0o`, `0b`, a leading 0 for octal, `_` between digits) or with base 10.
    package static func int64(_ text: String, anyBase: Bool = true) throws(ValueError) -> Int64 {
        guard let negative = sign(text), let digits = Digits(text, anyBase: anyBase) else {
            throw .invalid("strconv.ParseInt: parsing \(quoted(text)): invalid syntax")
        }
        guard let magnitude = digits.value,
            let value = negative ? negated(magnitude) : Int64(exactly: magnitude)
        else { throw .invalid("strconv.ParseInt: parsing \(quoted(text)): value out of range") }
        return value
    }

    private static func negated(_ magnitude: UInt64) -> Int64? {
        magnitude == 1 << 63 ? Int64.min : Int64(exactly: magnitude).map { -$0 }
    }

    private static func sign(_ text: String) -> Bool? { text.isEmpty ? nil : text.hasPrefix("-") }

    private struct Digits {
        /// nil: more than 64 bits.
        let value: UInt64?

        init?(_ text: String, anyBase: Bool) {
            var body = Substring(text)
            if body.hasPrefix("-") || body.hasPrefix("+") { body.removeFirst() }
            var radix: UInt64 = 10
            if anyBase, body.hasPrefix("0"), body.utf8.count > 1 {
                let prefixes: [(String, UInt64)] = [("0x", 16), ("0b", 2), ("0o", 8)]
                if let (prefix, base) = prefixes.first(where: { body.lowercased().hasPrefix($0.0) }) {
                    radix = base
                    body = body.dropFirst(prefix.count)
                } else {
                    radix = 8
                    body.removeFirst()
                }
                if body.hasPrefix("_") { body.removeFirst() }
            }
            guard let accumulated = Digits.accumulate(body, radix, underscores: anyBase) else { return nil }
            value = accumulated
        }

        /// The outer nil is bad syntax, the inner one too large.
        private static func accumulate(_ body: Substring, _ radix: UInt64, underscores: Bool) -> UInt64?? {
            var result: UInt64? = 0
            var lastWasDigit = false
            guard !body.isEmpty else { return nil }
            for byte in body.utf8 {
                if byte == UInt8(ascii: "_"), underscores, lastWasDigit {
                    lastWasDigit = false
                    continue
                }
                guard let digit = digitValue(byte), digit < radix else { return nil }
                lastWasDigit = true
                guard let sum = result else { continue }
                let (product, overflow) = sum.multipliedReportingOverflow(by: radix)
                let (next, carry) = product.addingReportingOverflow(digit)
                result = overflow || carry ? nil : next
            }
            return lastWasDigit ? .some(result) : nil
        }

        private static func digitValue(_ byte: UInt8) -> UInt64? {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt64(byte - UInt8(ascii: "0"))
            case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt64(byte - UInt8(ascii: "a")) + 10
            case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt64(byte - UInt8(ascii: "A")) + 10
            default: nil
            }
        }
    }

    /// time.ParseDuration; nanoseconds.
    package static func duration(_ text: String) throws(ValueError) -> Int64 {
        guard let nanoseconds = GoDuration.nanoseconds(text) else {
            throw .invalid("time: invalid duration \(quoted(text))")
        }
        return nanoseconds
    }

    /// strconv.Quote: what `%q` prints.
    package static func quoted(_ text: String) -> String { GoQuotation.literal.quote(text) }
}

extension String {
    /// The parts around the first `separator`, found by bytes: a combining character behind it does not hide it.
    package func cut(_ separator: Unicode.Scalar) -> (String, String?) {
        let scalars = unicodeScalars
        guard let index = scalars.firstIndex(of: separator) else { return (self, nil) }
        return (String(scalars[..<index]), String(scalars[scalars.index(after: index)...]))
    }

    /// All parts between `separator`, empty ones too.
    package func pieces(_ separator: Unicode.Scalar) -> [String] {
        unicodeScalars.split(separator: separator, omittingEmptySubsequences: false).map { String($0) }
    }

    /// Go's path.Clean.
    package var cleanedPath: String { Path.cleaned(self) }
}
