import TestSupport
import Testing

/// Somebody may set the wall clock at any moment, by a day in either direction.
@Suite struct ClockSourceTests {
    /// Who may ask what time of day it is, and what for.
    private static let allowed: [String: String] = [
        "Sources/Sys/Clock.swift": "stamps what is recorded",
        "CShims/CMonitor/log.c": "stamps what is logged",
        "Sources/RuntimeCLI/RuntimeLog.swift": "stamps what is logged",
        "Sources/DockerCLI/ProcessContext.swift": "tells how old what was recorded is",
        "Sources/Engine/Containers/ProcessTable.swift": "tells when a process started",
        "Sources/Registry/RetryAfter.swift":
            "a server may name the time of day until which to wait; that wait is bounded",
        "Sources/Images/ImageStore+Clean.swift": "compares the times of files, which are the wall clock's, by days",
    ]

    private static let words = [
        "CLOCK_REALTIME", "CLOCK_TAI", "gettimeofday(", "time(nil)", "time(NULL)", "time(0)", "Date()", "Date.now",
        "TIMER_ABSTIME", "pthread_cond_timedwait", "sem_timedwait", "Clock.timestamp)",
    ]

    @Test("F25: no wait is measured on the wall clock") func noWaitIsMeasuredOnTheWallClock() throws {
        var used: Set<String> = []
        for directory in ["Sources", "CShims"] {
            for file in try SourceFile.all(below: directory, endings: [".swift", ".c", ".h"]) {
                for (number, line) in file.lines.enumerated() where Self.words.contains(where: line.contains) {
                    used.insert(file.path)
                    if Self.allowed[file.path] == nil {
                        Issue.record("\(file.path):\(number + 1) asks the wall clock: \(line)")
                    }
                }
            }
        }
        #expect(Set(Self.allowed.keys).subtracting(used).isEmpty, "these need no permission any more")
    }
}
