/// Reads the one shape that docker's driver and ours write, in one pass and into one entry; what has another shape goes to
/// the general reader.
struct LogEntryParser {
    /// The entry that was read last; its text keeps its memory.
    var entry = LogEntry(stream: .stdout, time: LogTime(seconds: 0, nanoseconds: 0), text: [])

    private static let start = Array(#"{"log":""#.utf8)
    private static let stdout = Array(#","stream":"stdout","time":""#.utf8)
    private static let stderr = Array(#","stream":"stderr","time":""#.utf8)
    private static let end = Array(#""}"#.utf8)

    /// False when the line is no entry.
    mutating func parse(_ line: RotatedLines.Line) -> Bool {
        if parseUsual(line) { return true }
        guard let general = LogEntry(json: line) else { return false }
        entry = general
        return true
    }

    private mutating func parseUsual(_ line: RotatedLines.Line) -> Bool {
        guard line.starts(with: LogEntryParser.start) else { return false }
        entry.text.removeAll(keepingCapacity: true)
        guard let behind = unescape(line, from: LogEntryParser.start.count) else { return false }
        let rest = line[behind...]
        if rest.starts(with: LogEntryParser.stdout) {
            entry.stream = .stdout
        } else if rest.starts(with: LogEntryParser.stderr) {
            entry.stream = .stderr
        } else {
            return false
        }
        let time = rest.dropFirst(LogEntryParser.stdout.count)
        guard time.suffix(2).elementsEqual(LogEntryParser.end), let parsed = LogTime(rfc3339: time.dropLast(2))
        else { return false }
        entry.time = parsed
        entry.attributes = [:]
        return true
    }

    /// Appends a string's characters up to its closing quotation mark; returns what is behind that.
    private mutating func unescape(_ line: RotatedLines.Line, from start: Int) -> Int? {
        var at = start
        while at < line.count {
            let plain = at
            while at < line.count, line[at] != UInt8(ascii: "\""), line[at] != UInt8(ascii: "\\") { at += 1 }
            entry.text.append(contentsOf: line[plain..<at])
            guard at + 1 < line.count else { return nil }
            if line[at] == UInt8(ascii: "\"") { return at + 1 }
            guard let taken = escape(line, at + 1) else { return nil }
            at += 1 + taken
        }
        return nil
    }

    /// Appends what stands behind a backslash; returns its bytes.
    private mutating func escape(_ line: RotatedLines.Line, _ at: Int) -> Int? {
        switch line[at] {
        case UInt8(ascii: "n"): entry.text.append(10)
        case UInt8(ascii: "r"): entry.text.append(13)
        case UInt8(ascii: "t"): entry.text.append(9)
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): entry.text.append(line[at])
        case UInt8(ascii: "u"):
            guard let value = LogEntryParser.hexadecimal(line[(at + 1)...].prefix(4)),
                // Halves of a pair are left to the general reader.
                let scalar = Unicode.Scalar(value), let bytes = UTF8.encode(scalar)
            else { return nil }
            entry.text.append(contentsOf: bytes)
            return 5
        default: return nil
        }
        return 1
    }

    private static func hexadecimal(_ digits: Slice<RotatedLines.Line>) -> UInt32? {
        guard digits.count == 4 else { return nil }
        var value: UInt32 = 0
        for digit in digits {
            switch digit {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): value = value << 4 | UInt32(digit - 0x30)
            case UInt8(ascii: "a")...UInt8(ascii: "f"): value = value << 4 | UInt32(digit - 0x57)
            case UInt8(ascii: "A")...UInt8(ascii: "F"): value = value << 4 | UInt32(digit - 0x37)
            default: return nil
            }
        }
        return value
    }
}
