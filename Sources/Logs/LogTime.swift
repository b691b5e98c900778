package import Sys

/// A moment in UTC as logs and events have it.
package struct LogTime: Hashable, Comparable, Sendable {
    /// Since 1970, without leap seconds.
    package let seconds: Int64
    /// 0 to 999,999,999.
    package let nanoseconds: Int64

    package init(seconds: Int64, nanoseconds: Int64) {
        self.seconds = seconds
        self.nanoseconds = nanoseconds
    }

    package init(_ time: FileTime) {
        self.init(seconds: time.seconds, nanoseconds: time.nanoseconds)
    }

    package static func < (left: LogTime, right: LogTime) -> Bool {
        (left.seconds, left.nanoseconds) < (right.seconds, right.nanoseconds)
    }

    /// With all nine digits behind the second, as `docker logs --timestamps` prints it.
    package var text: String { Clock.rfc3339(seconds: seconds, nanoseconds: nanoseconds) }
}

extension LogTime {
    /// RFC 3339, `2024-01-02T03:04:05[.123][Z|+01:00]`; without a zone, UTC. Nil when it is anything else. A leap
    /// second counts as the first second after it.
    package init?(rfc3339 bytes: some Collection<UInt8>) {
        var digits = DigitReader(bytes)
        guard let date = digits.date(), digits.take("T"), let hour = digits.number(2), digits.take(":"),
            let minute = digits.number(2), digits.take(":"), let second = digits.number(2),
            hour < 24, minute < 60, second < 61
        else { return nil }
        var nanoseconds: Int64 = 0
        if digits.take(".") {
            guard let fraction = digits.fraction() else { return nil }
            nanoseconds = fraction
        }
        guard let offset = digits.offset(), digits.isAtEnd else { return nil }
        let days = LogTime.dayNumber(date.year, date.month, date.day)
        self.init(
            seconds: days * 86_400 + hour * 3600 + minute * 60 + second - offset, nanoseconds: nanoseconds)
    }

    static func days(in month: Int64, of year: Int64) -> Int64 {
        switch month {
        case 2: (year % 4 == 0 && year % 100 != 0) || year % 400 == 0 ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// Days from 1970-01-01 to a date of the Gregorian calendar. Years start in March here, so that the leap day is
    /// their last.
    static func dayNumber(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        let shifted = month > 2 ? year : year - 1
        let monthFromMarch = (month + 9) % 12
        let dayOfYear = (153 * monthFromMarch + 2) / 5 + day - 1
        let leapDays = shifted.floorDivided(by: 4) - shifted.floorDivided(by: 100) + shifted.floorDivided(by: 400)
        return shifted * 365 + leapDays + dayOfYear - 719_468
    }
}

extension Int64 {
    fileprivate func floorDivided(by divisor: Int64) -> Int64 {
        self >= 0 ? self / divisor : (self - divisor + 1) / divisor
    }
}

/// Reads the parts of a date.
struct DigitReader<Bytes: Collection<UInt8>> {
    private let bytes: Bytes
    private var at: Bytes.Index

    init(_ bytes: Bytes) {
        self.bytes = bytes
        at = bytes.startIndex
    }

    var isAtEnd: Bool { at == bytes.endIndex }

    mutating func take(_ wanted: Unicode.Scalar) -> Bool {
        guard at != bytes.endIndex, bytes[at] == UInt8(ascii: wanted) else { return false }
        bytes.formIndex(after: &at)
        return true
    }

    private mutating func digit() -> Int64? {
        guard at != bytes.endIndex, (0x30...0x39).contains(bytes[at]) else { return nil }
        defer { bytes.formIndex(after: &at) }
        return Int64(bytes[at] - 0x30)
    }

    mutating func number(_ digits: Int) -> Int64? {
        var result: Int64 = 0
        for _ in 0..<digits {
            guard let digit = digit() else { return nil }
            result = result * 10 + digit
        }
        return result
    }

    /// `2024-01-02`.
    mutating func date() -> (year: Int64, month: Int64, day: Int64)? {
        guard let year = number(4), take("-"), let month = number(2), take("-"), let day = number(2),
            (1...12).contains(month), (1...LogTime.days(in: month, of: year)).contains(day)
        else { return nil }
        return (year, month, day)
    }

    /// Digits behind the point as nanoseconds; what is finer is dropped.
    mutating func fraction() -> Int64? {
        var result: Int64 = 0
        var count = 0
        while let digit = digit() {
            if count < 9 { result = result * 10 + digit }
            count += 1
        }
        if count == 0 { return nil }
        for _ in min(count, 9)..<9 { result *= 10 }
        return result
    }

    /// Seconds east of Greenwich; 0 where none is written.
    mutating func offset() -> Int64? {
        if isAtEnd || take("Z") { return 0 }
        let isWest = take("-")
        guard isWest || take("+"), let hours = number(2), take(":"), let minutes = number(2), hours < 24, minutes < 60
        else { return nil }
        return (hours * 3600 + minutes * 60) * (isWest ? -1 : 1)
    }
}

extension LogTime {
    package static var now: LogTime {
        let nanoseconds = Clock.realtimeNanoseconds
        return LogTime(seconds: nanoseconds / 1_000_000_000, nanoseconds: nanoseconds % 1_000_000_000)
    }

    /// At the end of time where it overflows.
    package func advanced(bySeconds delta: Int64) -> LogTime {
        let (sum, overflow) = seconds.addingReportingOverflow(delta)
        return LogTime(seconds: overflow ? (delta < 0 ? .min : .max) : sum, nanoseconds: nanoseconds)
    }
}
