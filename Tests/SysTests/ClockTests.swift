import Glibc
import Sys
import Testing

@Suite struct ClockTests {
    @Test(
        arguments: [
            (0, "1970-01-01T00:00:00.000000007Z"), (951_782_400, "2000-02-29T00:00:00.000000007Z"),
            (1_725_661_207, "2024-09-06T22:20:07.000000007Z"), (4_107_542_399, "2100-02-28T23:59:59.000000007Z"),
            (4_107_542_400, "2100-03-01T00:00:00.000000007Z"), (-1, "1969-12-31T23:59:59.000000007Z"),
        ] as [(Int64, String)]) func secondsBecomeADate(_ seconds: Int64, _ text: String)
    {
        #expect(Clock.rfc3339(seconds: seconds, nanoseconds: 7) == text)
    }

    /// The restart delays start from the beginning again after a run of ten seconds, whatever the wall clock did.
    @Test("F25: a process's age is counted from the boot") func ageIsCountedFromTheBoot() throws {
        let start = try #require(ProcessStatus.startTime(getpid()))
        let age = ProcessStatus.age(startTime: start)
        #expect(age > 0 && age < Clock.bootNanoseconds)
        #expect(ProcessStatus.age(startTime: 0) > age)
        // From the future, or no time at all.
        #expect(ProcessStatus.age(startTime: start + 1_000_000_000) == 0)
        #expect(ProcessStatus.age(startTime: .max) == 0)
    }
}
