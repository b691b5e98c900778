internal import Glibc
internal import OCI

extension LogTime {
    /// What `--since` and `--until` take, as docker reads it: a duration before `now` (`42m`, `1h30m`), a date with as
    /// much of a time as is wanted (`2024-01-02`, `2024-01-02T15:04`), with a zone or in the local one, or seconds since
    /// 1970 with a fraction. Nil when it is none of them.
    package init?(argument text: String, now: LogTime) {
        // "0" is a duration for Go as well, and the year 1970 for docker.
        if text != "0", let duration = GoDuration.nanoseconds(text) {
            guard let time = now.subtracting(nanoseconds: duration) else { return nil }
            self = time
        } else if let time = LogTime(date: text.utf8) ?? LogTime(unix: text) {
            self = time
        } else {
            return nil
        }
    }

    private func subtracting(nanoseconds delta: Int64) -> LogTime? {
        let (fraction, borrow) = (delta % 1_000_000_000, delta / 1_000_000_000)
        var (seconds, nanoseconds) = (seconds - borrow, nanoseconds - fraction)
        if nanoseconds < 0 { (seconds, nanoseconds) = (seconds - 1, nanoseconds + 1_000_000_000) }
        if nanoseconds >= 1_000_000_000 { (seconds, nanoseconds) = (seconds + 1, nanoseconds - 1_000_000_000) }
        return LogTime(seconds: seconds, nanoseconds: nanoseconds)
    }

    private init?(unix text: String) {
        let parts = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard let seconds = Int64(parts[0]), !text.hasPrefix("+") else { return nil }
        var nanoseconds: Int64 = 0
        if parts.count == 2 {
            var digits = DigitReader(parts[1].utf8)
            guard let fraction = digits.fraction(), digits.isAtEnd else { return nil }
            nanoseconds = fraction
        }
        self.init(seconds: seconds, nanoseconds: nanoseconds)
    }

    private init?(date bytes: String.UTF8View) {
        var digits = DigitReader(bytes)
        guard let date = digits.date() else { return nil }
        var clock = (hour: Int64(0), minute: Int64(0), second: Int64(0), fraction: Int64(0))
        if digits.take("T") {
            guard let hour = digits.number(2), hour < 24 else { return nil }
            clock.hour = hour
            if digits.take(":") {
                guard let minute = digits.number(2), minute < 60 else { return nil }
                clock.minute = minute
                if digits.take(":") {
                    guard let second = digits.number(2), second < 60 else { return nil }
                    clock.second = second
                    if digits.take(".") {
                        guard let fraction = digits.fraction() else { return nil }
                        clock.fraction = fraction
                    }
                }
            }
        }
        let isLocal = digits.isAtEnd
        guard let offset = digits.offset(), digits.isAtEnd else { return nil }
        var seconds =
            LogTime.dayNumber(date.year, date.month, date.day) * 86_400 + clock.hour * 3600 + clock.minute * 60
            + clock.second - offset
        if isLocal { seconds -= LogTime.localOffset(near: seconds) }
        self.init(seconds: seconds, nanoseconds: clock.fraction)
    }

    /// Seconds that the local clock was ahead of UTC when it showed `seconds`.
    private static func localOffset(near seconds: Int64) -> Int64 {
        let first = offset(at: seconds)
        // Once more at the moment itself, which may lie beyond a change to summer time.
        return offset(at: seconds - first)
    }

    private static func offset(at seconds: Int64) -> Int64 {
        var moment = time_t(seconds)
        var broken = tm()
        return localtime_r(&moment, &broken) == nil ? 0 : Int64(broken.tm_gmtoff)
    }

    /// In the local zone, with nine digits behind the second, as `docker events` prints it.
    package var localText: String {
        let offset = LogTime.offset(at: seconds)
        if offset == 0 { return text }
        let minutes = abs(offset) / 60
        func two(_ value: Int64) -> String { value < 10 ? "0\(value)" : "\(value)" }
        let local = LogTime(seconds: seconds + offset, nanoseconds: nanoseconds).text.dropLast()
        return "\(local)\(offset < 0 ? "-" : "+")\(two(minutes / 60)):\(two(minutes % 60))"
    }
}
