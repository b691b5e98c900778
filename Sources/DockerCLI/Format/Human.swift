internal import Glibc

/// Sizes and times as docker's tables show them (go-units).
package enum Human {
    /// Decimal units with `digits` significant digits: `7.8MB`, `123kB`, `0B`.
    package static func size(_ bytes: Int64, digits: Int = 4) -> String {
        scaled(Double(bytes), base: 1000, ["B", "kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB"], digits)
    }

    /// Binary units with four significant digits: `7.622GiB`.
    package static func binarySize(_ bytes: Int64) -> String {
        scaled(Double(bytes), base: 1024, ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB", "YiB"], 4)
    }

    private static func scaled(_ bytes: Double, base: Double, _ units: [String], _ digits: Int) -> String {
        var value = bytes
        var unit = 0
        while value >= base, unit < units.count - 1 {
            value /= base
            unit += 1
        }
        return general(value, digits) + units[unit]
    }

    /// printf's `%.Ng`.
    package static func general(_ value: Double, _ digits: Int) -> String {
        var buffer = [CChar](repeating: 0, count: 64)
        let count = withVaList([Int32(digits), value]) { vsnprintf(&buffer, buffer.count, "%.*g", $0) }
        return String(decoding: buffer.prefix(Int(max(0, count))).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// `About an hour`, `2 weeks`.
    package static func duration(seconds: Int64) -> String {
        let minutes = seconds / 60
        let hours = (seconds + 1800) / 3600
        switch seconds {
        case ..<1: return "Less than a second"
        case 1: return "1 second"
        case ..<60: return "\(seconds) seconds"
        default: break
        }
        if minutes == 1 { return "About a minute" }
        if minutes < 60 { return "\(minutes) minutes" }
        switch hours {
        case 1: return "About an hour"
        case ..<48: return "\(hours) hours"
        case ..<(24 * 7 * 2): return "\(hours / 24) days"
        case ..<(24 * 30 * 2): return "\(hours / 24 / 7) weeks"
        case ..<(24 * 365 * 2): return "\(hours / 24 / 30) months"
        default: return "\(seconds / 3600 / 24 / 365) years"
        }
    }

    /// `2025-09-04 15:33:20 +0000 UTC` in local time, as Go prints a time.
    package static func timestamp(_ seconds: Int64) -> String {
        strftime(seconds, "%Y-%m-%d %H:%M:%S %z %Z")
    }

    /// `2025-09-04T15:33:20+02:00`: RFC 3339 in local time.
    package static func localTime(_ seconds: Int64) -> String {
        let zone = strftime(seconds, "%z")
        return strftime(seconds, "%Y-%m-%dT%H:%M:%S")
            + (zone == "+0000" ? "Z" : "\(zone.prefix(3)):\(zone.dropFirst(3))")
    }

    /// `2025-09-04 15:33` in local time.
    package static func minute(_ seconds: Int64) -> String { strftime(seconds, "%Y-%m-%d %H:%M") }

    /// `Fri May 30 12:07:26 2025`: docker's form of build times, in local time.
    package static func date(_ seconds: Int64) -> String { strftime(seconds, "%a %b %e %H:%M:%S %Y") }

    private static func strftime(_ seconds: Int64, _ format: String) -> String {
        var instant = time_t(seconds)
        var parts = tm()
        localtime_r(&instant, &parts)
        var buffer = [CChar](repeating: 0, count: 96)
        let count = Glibc.strftime(&buffer, buffer.count, format, &parts)
        return String(decoding: buffer.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
