internal import CLinux
internal import Glibc
internal import Sys

/// Waiting with a bound, on CLOCK_MONOTONIC.
package enum Wait {
    /// Seconds.
    package static var now: Double {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    package static func sleep(_ seconds: Double) { usleep(UInt32(max(0, seconds) * 1e6)) }

    /// How many times longer than elsewhere is waited for what must come: set where processors are emulated or busy.
    package static let patience = getenv("RUNIMG_TEST_PATIENCE").flatMap { Double(String(cString: $0)) } ?? 1

    /// A test's whole time limit, for one that takes at most `count` by itself. The clock begins before its body gets one
    /// of the few threads, for which all other tests wait as well: a whole run comes on top.
    package static func minutes(_ count: Int) -> Int { (count + wholeRun) * max(1, Int(patience)) }
    private static let wholeRun = 20

    /// Waits until a process, which may be nobody's child of ours, has let go of all that it held.
    package static func forEnd(of pid: Int32, seconds: Double = 20) -> Bool {
        until(seconds: seconds) {
            guard let bytes = try? File.readAll("/proc/\(pid)/stat", limit: 4096),
                let state = String(decoding: bytes, as: UTF8.self).split(separator: ")").last?.first(where: {
                    $0 != " "
                })
            else { return true }
            return state == "Z" || state == "X"
        }
    }

    /// The bound of a wait for what must come. From five seconds on it is there for a test that hangs, and no measure: a
    /// machine that is busy with the other tests may take ten times what it takes alone.
    package static func bound(_ seconds: Double) -> Double {
        (seconds < 5 ? seconds : max(seconds, 90)) * patience
    }

    /// Asks `condition` again and again, for at most `bound(seconds)`.
    package static func until(seconds: Double, _ condition: () throws -> Bool) rethrows -> Bool {
        let deadline = now + bound(seconds)
        while true {
            if try condition() { return true }
            if now >= deadline { return false }
            sleep(0.02)
        }
    }
}
