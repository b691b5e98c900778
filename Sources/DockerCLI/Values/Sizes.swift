internal import Glibc

/// Amounts as docker's users type them.
package enum Sizes {
    /// `512m`, `1.5g`, `100 kB`, `1KiB` in bytes; units are powers of 1024 (go-units' RAMInBytes).
    package static func ram(_ text: String) throws(ValueError) -> Int64 {
        let bytes = Array(text.utf8)
        guard let last = bytes.lastIndex(where: isSizeByte) else { throw .invalid("invalid size: '\(text)'") }
        let number = String(decoding: bytes[..<(bytes[last] == space ? last : last + 1)], as: UTF8.self)
        let value = try float(number)
        guard value >= 0, !(value == 0 && number.hasPrefix("-")) else { throw .invalid("invalid size: '\(text)'") }
        let scaled = value * (try multiplier(String(decoding: bytes[(last + 1)...], as: UTF8.self)))
        // 2^63 is the first double above Int64.max.
        guard scaled < 0x1p63 else { throw .invalid("invalid size: '\(text)': value out of range") }
        return Int64(scaled)
    }

    /// As `ram`, and -1 for unlimited.
    package static func swap(_ text: String) throws(ValueError) -> Int64 {
        text == "-1" ? -1 : try ram(text)
    }

    private static let space = UInt8(ascii: " ")

    private static func isSizeByte(_ byte: UInt8) -> Bool {
        isDigit(byte) || byte == UInt8(ascii: ".") || byte == space
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

    private static func multiplier(_ text: String) throws(ValueError) -> Double {
        if text.isEmpty { return 1 }
        guard text.utf8.count <= 3 else { throw .invalid("invalid suffix: '\(text)'") }
        let suffix = text.lowercased()
        if suffix == "b" { return 1 }
        let units = "kmgtp"
        guard let unit = suffix.first, let power = units.firstIndex(of: unit),
            ["", "b", "ib"].contains(suffix.dropFirst())
        else { throw .invalid("invalid suffix: '\(suffix)'") }
        return Double(
            sign: .plus, exponent: 10 * (units.distance(from: units.startIndex, to: power) + 1), significand: 1)
    }

    /// A decimal number with an optional fraction and exponent; no hexadecimal, infinity or blank.
    private static func float(_ text: String) throws(ValueError) -> Double {
        let allowed = Set("0123456789.eE+-".utf8)
        guard text.utf8.allSatisfy(allowed.contains), text.utf8.contains(where: isDigit), let value = Double(text)
        else {
            throw .invalid("strconv.ParseFloat: parsing \(GoValue.quoted(text)): invalid syntax")
        }
        guard value.isFinite else {
            throw .invalid("strconv.ParseFloat: parsing \(GoValue.quoted(text)): value out of range")
        }
        return value
    }

    /// `1.5`, `1e-2`, `3/4` CPUs in billionths, exactly.
    package static func nanoCPUs(_ text: String) throws(ValueError) -> Int64 {
        guard let ratio = Ratio(text) else { throw .invalid("failed to parse \(text) as a rational number") }
        guard let nano = ratio.times(1_000_000_000) else { throw .invalid("value is too precise") }
        guard let value = Int64(exactly: nano) else { throw .invalid("value is too large") }
        return value
    }
}

/// An exact fraction, as much of big.Rat as a number of CPUs needs.
private struct Ratio {
    private var numerator: Int128
    private var denominator: Int128

    init?(_ text: String) {
        let (top, bottom) = text.cut("/")
        if let bottom {
            guard let over = Ratio.integer(top), let under = Ratio.integer(bottom), under > 0, !bottom.hasPrefix("+"),
                !bottom.hasPrefix("-")
            else { return nil }
            (numerator, denominator) = (over, under)
        } else {
            guard let value = Ratio.decimal(text) else { return nil }
            self = value
        }
    }

    private init(_ numerator: Int128, over denominator: Int128) {
        self.numerator = numerator
        self.denominator = denominator
    }

    private static func integer(_ text: String) -> Int128? {
        guard text.utf8.count <= 20, let value = Int64(text) else { return nil }
        return Int128(value)
    }

    private static func decimal(_ text: String) -> Ratio? {
        var body = text.lowercased()
        var exponent = 0
        let (mantissa, power) = body.cut("e")
        if let power {
            guard power.utf8.count <= 4, let value = Int(power), abs(value) <= 30 else { return nil }
            exponent = value
            body = mantissa
        }
        let (whole, fraction) = body.cut(".")
        let digits = whole + (fraction ?? "")
        let unsigned = digits.hasPrefix("-") || digits.hasPrefix("+") ? String(digits.dropFirst()) : digits
        guard (1...30).contains(unsigned.utf8.count), unsigned.utf8.allSatisfy({ (48...57).contains($0) }),
            let value = Int128(digits)
        else { return nil }
        return scaled(value, by: exponent - (fraction?.utf8.count ?? 0))
    }

    private static func scaled(_ value: Int128, by exponent: Int) -> Ratio? {
        var numerator = value
        var denominator: Int128 = 1
        // A digit too many on either side is cut where it is zero, so that 1.50000000000 is not too precise.
        for _ in 0..<abs(exponent) {
            if exponent > 0 {
                let (product, overflow) = numerator.multipliedReportingOverflow(by: 10)
                if overflow { return nil }
                numerator = product
            } else if numerator % 10 == 0 {
                numerator /= 10
            } else {
                let (product, overflow) = denominator.multipliedReportingOverflow(by: 10)
                if overflow { return nil }
                denominator = product
            }
        }
        return Ratio(numerator, over: denominator)
    }

    /// The product where it is a whole number.
    func times(_ factor: Int128) -> Int128? {
        let (product, overflow) = numerator.multipliedReportingOverflow(by: factor)
        guard !overflow, product % denominator == 0 else { return nil }
        return product / denominator
    }
}
