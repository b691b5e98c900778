internal import Engine

/// A moment as `--filter until` takes it.
enum Moments {
    private static let units: [(name: String, nanoseconds: Double)] = [
        ("ns", 1), ("us", 1e3), ("µs", 1e3), ("ms", 1e6), ("s", 1e9), ("m", 60e9), ("h", 3600e9),
    ]

    /// Seconds since 1970: of a duration before `now` (`1h30m`), an RFC 3339 time, a date, or such a number itself.
    static func seconds(_ text: String, now: Int64) -> Int64? {
        if let seconds = Int64(text) { return seconds }
        if let seconds = RecordTime.seconds(text) ?? RecordTime.seconds(text + "T00:00:00Z") { return seconds }
        guard let duration = duration(text), let whole = Int64(exactly: (duration / 1e9).rounded()) else { return nil }
        let (result, overflow) = now.subtractingReportingOverflow(whole)
        return overflow ? nil : result
    }

    /// Go's time.ParseDuration, in nanoseconds.
    private static func duration(_ text: String) -> Double? {
        let isNegative = text.hasPrefix("-")
        var rest = text.unicodeScalars.drop { $0 == "-" || $0 == "+" }
        guard !rest.isEmpty, text.unicodeScalars.count - rest.count <= 1 else { return nil }
        var sum = 0.0
        while !rest.isEmpty {
            let digits = rest.prefix { ("0"..."9").contains($0) || $0 == "." }
            let unit = rest.dropFirst(digits.count).prefix { !("0"..."9").contains($0) && $0 != "." }
            guard let value = Double(String(digits)), let factor = units.first(where: { $0.name == String(unit) })
            else { return nil }
            sum += value * factor.nanoseconds
            rest = rest.dropFirst(digits.count + unit.count)
        }
        return isNegative ? -sum : sum
    }
}
