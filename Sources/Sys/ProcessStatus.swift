internal import CLinux
internal import Glibc

/// What /proc tells of a process (proc_pid_stat(5)).
package enum ProcessStatus {
    /// When the process started, in clock ticks since the boot: together with the pid it names a process of this boot for
    /// good. nil when there is none.
    package static func startTime(_ pid: Int32) -> UInt64? { look(at: pid)?.startTime }

    /// Its start time, and the letter of what it does.
    package static func look(at pid: Int32) -> (startTime: UInt64, state: UInt8)? {
        // Lists ask it of a thousand: one read, and no string of what stands before it.
        guard let bytes = try? File.readRecord("/proc/\(pid)/stat", expecting: 4096, limit: 4096),
            let close = bytes.lastIndex(of: UInt8(ascii: ")"))
        else { return nil }
        let fields = bytes[(close + 1)...].split(separator: UInt8(ascii: " "), maxSplits: 20)
        guard fields.count > 19, fields[0] != [UInt8(ascii: "Z")], fields[0] != [UInt8(ascii: "X")] else { return nil }
        guard let state = fields[0].first else { return nil }
        return UInt64(String(decoding: fields[19], as: UTF8.self)).map { ($0, state) }
    }

    /// Whether there is a process of that number, one that has ended and is not reaped among them.
    package static func exists(_ pid: Int32) -> Bool { Glibc.kill(pid, 0) == 0 || Errno.current != .noProcess }

    /// The number of its parent, also of one that has ended and is not reaped. nil when there is none.
    package static func parent(_ pid: Int32) -> Int32? {
        fields(of: pid).flatMap { Int32($0[1]) }
    }

    /// Who traces it (ptrace(2)); nil: nobody.
    package static func tracer(_ pid: Int32) -> Int32? {
        line("TracerPid", of: "\(pid)").flatMap { Int32($0) }.flatMap { $0 == 0 ? nil : $0 }
    }

    /// The capabilities that this process has in effect, as bits (capabilities(7)).
    package static var capabilities: UInt64 { clinux_effective_capabilities() }

    /// A line of /proc/PID/status.
    private static func line(_ name: String, of process: String) -> String? {
        guard let bytes = try? File.readAll("/proc/\(process)/status", limit: 1 << 16) else { return nil }
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
        return lines.first { $0.hasPrefix("\(name):\t") }.map { String($0.dropFirst(name.utf8.count + 2)) }
    }

    /// The children of its first thread, the oldest first; none where the kernel does not tell (CONFIG_PROC_CHILDREN).
    package static func children(_ pid: Int32) -> [Int32] {
        guard let bytes = try? File.readAll("/proc/\(pid)/task/\(pid)/children", limit: 1 << 20) else { return [] }
        return String(decoding: bytes, as: UTF8.self).split(separator: " ").compactMap { Int32($0) }
    }

    /// From field 3 on, the state; at least up to field 22. A zombie has ended.
    private static func fields(of pid: Int32) -> [String]? {
        guard let bytes = try? File.readAll("/proc/\(pid)/stat", limit: 4096),
            // The name in parentheses may hold blanks and parentheses.
            let close = bytes.lastIndex(of: UInt8(ascii: ")"))
        else { return nil }
        let fields = bytes[(close + 1)...].split(separator: UInt8(ascii: " ")).map {
            String(decoding: $0, as: UTF8.self)
        }
        return fields.count > 19 ? fields : nil
    }

    /// Nanoseconds since a process started that has this start time: by the clock that counts from the boot, which
    /// nobody sets.
    package static func age(startTime: UInt64) -> Int64 {
        let ticks = max(1, Int64(sysconf(Int32(_SC_CLK_TCK))))
        guard let start = Int64(exactly: startTime), start <= .max / (1_000_000_000 / ticks) else { return 0 }
        return max(0, Clock.bootNanoseconds - start * (1_000_000_000 / ticks))
    }
}
