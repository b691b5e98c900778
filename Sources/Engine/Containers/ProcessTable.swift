internal import Glibc
internal import Sys

/// The processes of a container, as `ps` would list them.
package struct ProcessTable: Sendable, Hashable {
    package var titles: [String]
    /// As many cells a row as there are titles.
    package var rows: [[String]]

    package init(titles: [String], rows: [[String]]) {
        self.titles = titles
        self.rows = rows
    }
}

extension ProcessTable {
    /// What `ps -ef` prints of `pids`, read from /proc (proc(5)): no program has to be there for it. A process that ended
    /// meanwhile is left out.
    static func full(of pids: [Int32], at now: ProcessTimes) -> ProcessTable {
        let users = UserDatabase(passwd: (try? File.readAll("/etc/passwd", limit: 4 << 20)) ?? [], group: [])
        var names: [UInt32: String] = [:]
        for user in users.users where names[user.uid] == nil { names[user.uid] = short(user.name) }
        let rows = pids.sorted().compactMap { ProcessEntry(pid: $0)?.cells(names, now) }
        return ProcessTable(titles: ["UID", "PID", "PPID", "C", "STIME", "TTY", "TIME", "CMD"], rows: rows)
    }

    /// Eight columns, as ps has it.
    private static func short(_ name: [UInt8]) -> String {
        let text = ProcessEntry.printable(name)
        return text.unicodeScalars.count > 8
            ? String(String.UnicodeScalarView(text.unicodeScalars.prefix(7))) + "+" : text
    }
}

/// The clocks by which /proc counts.
struct ProcessTimes: Sendable {
    /// Seconds since 1970.
    var now: Int64
    /// Seconds since the machine's start.
    var uptime: Int64
    /// Units of /proc/PID/stat a second.
    var ticks: Int64

    static var current: ProcessTimes {
        return ProcessTimes(
            now: Int64(Glibc.time(nil)), uptime: Clock.bootNanoseconds / 1_000_000_000,
            ticks: max(1, Int64(sysconf(Int32(_SC_CLK_TCK)))))
    }
}

/// One process by its files below /proc/PID.
struct ProcessEntry: Sendable, Hashable {
    let pid: Int32
    var parent: Int32
    var uid: UInt32
    var terminal: Int32
    /// In ticks.
    var cpu: Int64
    /// Ticks after the machine's start.
    var start: Int64
    var command: String

    /// Longer command lines are cut: a process may have megabytes of them.
    private static let commandLimit = 64 << 10

    init?(pid: Int32) {
        let directory = "/proc/\(pid)"
        guard let statistics = try? File.readAll("\(directory)/stat", limit: 1 << 16),
            let status = try? File.status(directory),
            let file = try? File.open("\(directory)/cmdline", O_RDONLY),
            let line = try? File.bytes(file.raw, at: 0, count: ProcessEntry.commandLimit)
        else { return nil }
        self.init(pid: pid, statistics: statistics, uid: status.uid, commandLine: line)
    }

    /// From the bytes of `stat` and `cmdline`; nil where `stat` is not as proc(5) has it.
    init?(pid: Int32, statistics: [UInt8], uid: UInt32, commandLine: [UInt8]) {
        // The second field is the process's own word, blanks and brackets included: the last bracket ends it.
        guard let open = statistics.firstIndex(of: UInt8(ascii: "(")),
            let close = statistics.lastIndex(of: UInt8(ascii: ")")), open < close
        else { return nil }
        let rest = statistics[(close + 1)...].split(whereSeparator: { $0 == 0x20 || $0 == 0x0a })
        func number(_ field: Int) -> Int64? { Int64(String(decoding: rest[field - 3], as: UTF8.self)) }
        guard rest.count > 19, let parent = number(4), let terminal = number(7), let user = number(14),
            let system = number(15), let start = number(22)
        else { return nil }
        self.pid = pid
        self.parent = Int32(truncatingIfNeeded: parent)
        self.uid = uid
        self.terminal = Int32(truncatingIfNeeded: terminal)
        cpu = user &+ system
        self.start = start
        let arguments = commandLine.reversed().drop { $0 == 0 }.reversed().map { $0 == 0 ? 0x20 : $0 }
        command =
            arguments.isEmpty
            ? "[\(ProcessEntry.printable(Array(statistics[(open + 1)..<close])))]" : ProcessEntry.printable(arguments)
    }

    func cells(_ names: [UInt32: String], _ times: ProcessTimes) -> [String] {
        let seconds = max(1, times.uptime - start / times.ticks)
        let busy = min(99, cpu / times.ticks * 100 / seconds)
        let used = cpu / times.ticks
        let time = [used / 3600, used / 60 % 60, used % 60].map { $0 < 10 ? "0\($0)" : "\($0)" }.joined(separator: ":")
        return [
            names[uid] ?? String(uid), String(pid), String(parent), String(busy), startTime(times), terminalName, time,
            command,
        ]
    }

    /// The hour today, the day this year, else the year.
    private func startTime(_ times: ProcessTimes) -> String {
        let begin = times.now - max(0, times.uptime - start / times.ticks)
        let age = times.now - begin
        return ProcessEntry.local(begin, age < 86_400 ? "%H:%M" : age < 31_536_000 ? "%b%d" : "%Y")
    }

    private static func local(_ seconds: Int64, _ format: String) -> String {
        var instant = time_t(seconds)
        var parts = tm()
        localtime_r(&instant, &parts)
        var buffer = [CChar](repeating: 0, count: 32)
        let count = strftime(&buffer, buffer.count, format, &parts)
        return String(decoding: buffer.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// By its device number (tty_ioctl(4), Documentation/admin-guide/devices.txt).
    private var terminalName: String {
        let number = UInt32(bitPattern: terminal)
        let major = (number >> 8) & 0xfff
        let minor = (number & 0xff) | ((number >> 12) & 0xfff00)
        return switch major {
        case 136...143: "pts/\((major - 136) * 256 + minor)"
        case 4: minor < 64 ? "tty\(minor)" : "ttyS\(minor - 64)"
        case 5 where minor == 1: "console"
        default: "?"
        }
    }

    /// A process chooses these bytes: what would move the cursor or break a line is shown as a question mark.
    static func printable(_ bytes: [UInt8]) -> String {
        var result = String.UnicodeScalarView()
        for scalar in String(decoding: bytes, as: UTF8.self).unicodeScalars {
            let isControl = scalar.value < 0x20 || (0x7f...0x9f).contains(scalar.value) || scalar.value == 0xfffd
            result.append(isControl ? "?" : scalar)
        }
        return String(result)
    }
}
