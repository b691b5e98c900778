internal import Glibc

/// What /proc tells of a process (proc_pid_stat(5)).
package enum ProcessStatus {
    /// When the process started, in clock ticks since the boot: together with the pid it names a process of this boot for
    /// good. nil when there is none.
    package static func startTime(_ pid: Int32) -> UInt64? {
        guard let bytes = try? File.readAll("/proc/\(pid)/stat", limit: 4096),
            // The name in parentheses may hold blanks and parentheses.
            let close = bytes.lastIndex(of: UInt8(ascii: ")"))
        else { return nil }
        let fields = bytes[(close + 1)...].split(separator: UInt8(ascii: " "))
        // Field 22; the list begins with field 3, the state. A zombie has ended.
        guard fields.count > 19, fields[0].first != UInt8(ascii: "Z"), fields[0].first != UInt8(ascii: "X") else {
            return nil
        }
        return UInt64(String(decoding: fields[19], as: UTF8.self))
    }

    /// Nanoseconds since a process started that has this start time: by the clock that counts from the boot, which
    /// nobody sets.
    package static func age(startTime: UInt64) -> Int64 {
        let ticks = max(1, Int64(sysconf(Int32(_SC_CLK_TCK))))
        guard let start = Int64(exactly: startTime), start <= .max / (1_000_000_000 / ticks) else { return 0 }
        return max(0, Clock.bootNanoseconds - start * (1_000_000_000 / ticks))
    }
}
