internal import Glibc

/// The last place for what nobody else can be told: `dmesg` and the system's journal show it (kmsg(4)).
package enum KernelLog {
    /// One line, as an error of a daemon's; lost where that is not allowed either.
    package static func write(_ line: String) {
        let text = line.filter { !$0.isNewline }
        guard let file = try? File.open("/dev/kmsg", O_WRONLY) else { return }
        // Facility 3, priority 3; more than 976 bytes are no record.
        try? File.write(file.raw, Array("<27>\(text)".utf8.prefix(900)))
    }
}
