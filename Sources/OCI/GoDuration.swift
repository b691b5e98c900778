/// Go's durations: numbers with units, `1h15m30.5s`. Flags and image builders write them so.
package enum GoDuration {
    private static let units: [(name: String, nanoseconds: Double)] = [
        ("ns", 1), ("us", 1e3), ("µs", 1e3), ("μs", 1e3), ("ms", 1e6), ("s", 1e9), ("m", 60e9), ("h", 3600e9),
    ]

    /// What Go leaves out.
    private static let longUnits = [(name: "d", nanoseconds: 86400e9), (name: "w", nanoseconds: 7 * 86400e9)]

    /// Nil when it is none, or longer than 292 years. With `days`, `d` and `w` are units as well.
    package static func nanoseconds(_ text: String, days: Bool = false) -> Int64? {
        let units = days ? units + longUnits : units
        var rest = Substring(text)
        let isNegative = rest.hasPrefix("-")
        if isNegative || rest.hasPrefix("+") { rest.removeFirst() }
        if rest == "0" { return 0 }
        if rest.isEmpty { return nil }
        var total = 0.0
        while !rest.isEmpty {
            let number = rest.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
            rest = rest.dropFirst(number.count)
            let unit = rest.prefix { !($0.isASCII && ($0.isNumber || $0 == ".")) }
            rest = rest.dropFirst(unit.count)
            guard let size = units.first(where: { $0.name == unit })?.nanoseconds, let count = value(number)
            else { return nil }
            total += count * size
        }
        return Int64(exactly: (isNegative ? -total : total).rounded())
    }

    /// `5`, `5.`, `.5`.
    private static func value(_ number: Substring) -> Double? {
        guard number.contains(where: \.isNumber), number.count(where: { $0 == "." }) <= 1 else { return nil }
        return Double("0\(number)0".contains(".") ? "0\(number)0" : String(number))
    }
}
