internal import Glibc
internal import Sys

/// One of a log's files, read line by line from wherever its offset is.
final class LineFile {
    typealias Line = UnsafeBufferPointer<UInt8>

    let name: String
    private let fd: OwnedFD
    let status: FileStatus
    /// Where the next line begins.
    var offset: Int64 = 0
    /// Bytes up to here are read; nil for all that there are.
    var limit: Int64?
    /// A line that is longer is damage, and is passed over.
    static let longestLine = 1 << 20
    private static let chunk = 1 << 17
    private var isPassingOver = false

    init(_ name: String, in directory: Int32) throws(Errno) {
        self.name = name
        fd = try File.open(name, O_RDONLY | O_NOCTTY | O_NONBLOCK | O_NOFOLLOW, at: directory)
        status = try File.status(fd.raw)
    }

    func size() throws(Errno) -> Int64 { try File.status(fd.raw).size }

    /// Whether it has no name any more.
    var isRemoved: Bool { (try? File.status(fd.raw))?.links == 0 }

    func bytes(at offset: Int64, count: Int) throws(Errno) -> [UInt8] {
        try File.bytes(fd.raw, at: offset, count: count)
    }

    /// Whether the file is shorter than what was read of it: somebody emptied it.
    func isCut() throws(Errno) -> Bool { try size() < offset }

    /// Gives all whole lines, without their newlines and with where they begin, until there is none or `line` says no.
    /// The offset is moved over what was given; an unfinished line stays for the next call.
    func drain(_ line: (Line, Int64) -> Bool) throws(Errno) -> Bool {
        var wanted = LineFile.chunk
        while true {
            let room = limit.map { min(wanted, Int(clamping: $0 - offset)) } ?? wanted
            if room <= 0 { return true }
            let bytes = try bytes(at: offset, count: room)
            let (consumed, goesOn) = give(bytes, line)
            offset += Int64(consumed)
            if !goesOn { return false }
            if bytes.count < wanted { return true }
            if consumed > 0 { continue }
            if wanted < LineFile.longestLine {
                wanted *= 4
            } else if !passOver(bytes, line) {
                return false
            }
        }
    }

    /// The bytes that were taken, and whether to go on.
    private func give(_ bytes: [UInt8], _ line: (Line, Int64) -> Bool) -> (consumed: Int, goesOn: Bool) {
        bytes.withUnsafeBufferPointer { buffer in
            var start = 0
            while let newline = LineFile.newline(in: buffer, from: start) {
                let begin = start
                start = newline + 1
                if isPassingOver {
                    isPassingOver = false
                } else if !line(Line(rebasing: buffer[begin..<newline]), offset + Int64(begin)) {
                    return (start, false)
                }
            }
            return (start, true)
        }
    }

    private func passOver(_ bytes: [UInt8], _ line: (Line, Int64) -> Bool) -> Bool {
        let wasPassingOver = isPassingOver
        isPassingOver = true
        let begin = offset
        offset += Int64(bytes.count)
        return wasPassingOver || bytes.withUnsafeBufferPointer { line(Line(rebasing: $0.prefix(64)), begin) }
    }

    static func newline(in buffer: Line, from start: Int) -> Int? {
        guard start < buffer.count, let base = buffer.baseAddress,
            let found = memchr(base + start, 10, buffer.count - start)
        else { return nil }
        return UnsafeRawPointer(found) - UnsafeRawPointer(base)
    }

    static func lastNewline(in buffer: Line, before end: Int) -> Int? {
        guard end > 0, let base = buffer.baseAddress, let found = memrchr(base, 10, end) else { return nil }
        return UnsafeRawPointer(found) - UnsafeRawPointer(base)
    }
}
