internal import CLinux
internal import Glibc

/// Clocks (clock_gettime(2)).
package enum Clock {
    /// Nanoseconds since an arbitrary start; never set back.
    package static var monotonicNanoseconds: Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }

    /// Now in UTC as RFC 3339 with nanoseconds: `2024-09-06T22:20:07.123456789Z`.
    package static var timestamp: String {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return rfc3339(seconds: Int64(time.tv_sec), nanoseconds: Int64(time.tv_nsec))
    }

    package static func rfc3339(seconds: Int64, nanoseconds: Int64) -> String {
        var instant = time_t(seconds)
        var parts = tm()
        gmtime_r(&instant, &parts)
        func pad(_ value: some BinaryInteger, _ width: Int) -> String {
            let digits = String(value)
            return String(repeating: "0", count: max(0, width - digits.count)) + digits
        }
        let date = "\(pad(Int(parts.tm_year) + 1900, 4))-\(pad(parts.tm_mon + 1, 2))-\(pad(parts.tm_mday, 2))"
        let clock = "\(pad(parts.tm_hour, 2)):\(pad(parts.tm_min, 2)):\(pad(parts.tm_sec, 2))"
        return "\(date)T\(clock).\(pad(nanoseconds, 9))Z"
    }
}
