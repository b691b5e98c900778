import Glibc
import Logs
import Testing

@Suite struct TimeArgumentTests {
    private let now = LogTime(seconds: 1_700_000_000, nanoseconds: 500_000_000)

    private func read(_ text: String) -> LogTime? { LogTime(argument: text, now: now) }

    @Test(arguments: [
        ("2023-11-14T22:13:20Z", 1_700_000_000, 0), ("2023-11-14T23:13:20.25+01:00", 1_700_000_000, 250_000_000),
        ("2023-11-14T22:13Z", 1_699_999_980, 0), ("2023-11-14T22Z", 1_699_999_200, 0),
        ("2023-11-14Z", 1_699_920_000, 0), ("1970-01-01T00:00:00Z", 0, 0), ("1969-12-31T23:59:59Z", -1, 0),
        ("2000-02-29T00:00:00Z", 951_782_400, 0), ("1700000000", 1_700_000_000, 0),
        ("1700000000.000000001", 1_700_000_000, 1), ("1.5", 1, 500_000_000), ("0", 0, 0),
        ("10s", 1_699_999_990, 500_000_000), ("1h30m", 1_699_994_600, 500_000_000),
        ("1.5s", 1_699_999_999, 0), ("600ms", 1_699_999_999, 900_000_000), ("-10s", 1_700_000_010, 500_000_000),
    ]) func isRead(_ text: String, _ seconds: Int64, _ nanoseconds: Int64) {
        #expect(read(text) == LogTime(seconds: seconds, nanoseconds: nanoseconds))
    }

    @Test(arguments: [
        "", "x", "2023-13-01", "2023-02-29", "2023-11-14T24:00:00Z", "2023-11-14T22:13:20.Z", "10x", "1h30", "-",
        "2023-11-14T22:13:20+25:00", "1.2.3", ".", "s", "99999999999999h", "+5",
    ]) func otherWordsAreNot(_ text: String) {
        #expect(read(text) == nil)
    }

    @Test func aTimeWithoutAZoneIsLocal() throws {
        var broken = tm()
        broken.tm_year = 123
        broken.tm_mon = 10
        broken.tm_mday = 14
        broken.tm_hour = 22
        broken.tm_isdst = -1
        #expect(read("2023-11-14T22:00:00") == LogTime(seconds: Int64(mktime(&broken)), nanoseconds: 0))
    }
}
