internal import Sys

/// Looks at a log's lines from the last one back, as far as is asked for: the last ten lines of 10 GiB are one read.
struct LineTail {
    private static let block: Int64 = 1 << 16

    /// Sets the offset of each file behind the last line that `stops`; files before that one are at their ends. `files`
    /// come oldest first and have limits.
    static func seek(_ files: [LineFile], stops: (LineFile.Line) -> Bool) throws(LogError) {
        var isFound = false
        for file in files.reversed() {
            if isFound {
                file.offset = file.limit ?? 0
                continue
            }
            do throws(Errno) {
                isFound = try seek(file, stops: stops)
            } catch {
                throw .read(file: file.name, error)
            }
        }
    }

    /// False when all lines of the file are wanted.
    private static func seek(_ file: LineFile, stops: (LineFile.Line) -> Bool) throws(Errno) -> Bool {
        var end = try endOfLines(file)
        var size = block
        while end > 0 {
            let start = max(0, end - size)
            let bytes = try file.bytes(at: start, count: Int(end - start))
            // Somebody empties the file meanwhile.
            if bytes.count < end - start { return false }
            let (first, stop) = visit(bytes, isStart: start == 0, stops: stops)
            if let stop {
                file.offset = start + Int64(stop)
                return true
            }
            if start == 0 { break }
            if first < bytes.count {
                end = start + Int64(first)
                size = block
            } else if size < LineFile.longestLine {
                size *= 4
            } else {
                // Damage: no line is as long.
                end = start
            }
        }
        file.offset = 0
        return false
    }

    /// Behind the last newline below the limit.
    private static func endOfLines(_ file: LineFile) throws(Errno) -> Int64 {
        var end = try file.size()
        if let limit = file.limit { end = min(end, limit) }
        while end > 0 {
            let start = max(0, end - block)
            let bytes = try file.bytes(at: start, count: Int(end - start))
            let last = bytes.withUnsafeBufferPointer { LineFile.lastNewline(in: $0, before: $0.count) }
            if let last { return start + Int64(last) + 1 }
            end = start
        }
        return 0
    }

    /// Looks at the lines of a block that ends with a newline. `first` is where the first line begins that was looked
    /// at, `stop` is behind the one that stops.
    private static func visit(
        _ bytes: [UInt8], isStart: Bool, stops: (LineFile.Line) -> Bool
    ) -> (first: Int, stop: Int?) {
        bytes.withUnsafeBufferPointer { buffer in
            var end = buffer.count
            while end > 0 {
                let newline = LineFile.lastNewline(in: buffer, before: end - 1)
                if newline == nil, !isStart { return (end, nil) }
                let start = newline.map { $0 + 1 } ?? 0
                if stops(LineFile.Line(rebasing: buffer[start..<(end - 1)])) { return (start, end) }
                end = start
            }
            return (0, nil)
        }
    }
}
