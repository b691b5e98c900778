/// Which entries of a container's log are wanted.
package struct LogQuery: Sendable, Hashable {
    package var since: LogTime?
    /// Entries of that very moment are wanted still.
    package var until: LogTime?
    /// The last so many lines, counted before `since` and `until` are looked at, as docker does; nil for all. A line in
    /// several parts is one.
    package var tail: Int?

    package init(since: LogTime? = nil, until: LogTime? = nil, tail: Int? = nil) {
        self.since = since
        self.until = until
        self.tail = tail
    }
}

/// Reads a container's log in order, whoever writes it meanwhile.
package struct LogReader: ~Copyable {
    private let lines: RotatedLines

    /// `name` is that of the newest file, `directory` the path of the one that it is in.
    package init(
        directory: String, name: String, notice: @escaping (LogNotice) -> Void
    ) throws(LogError) {
        lines = try RotatedLines(directory: directory, name: name, notice: notice)
    }

    /// Gives the wanted entries to `take` until it says no. Without `following` it ends with what there was when it began.
    package borrowing func read(
        _ query: LogQuery, following: Following? = nil, take: (LogEntry) -> Bool
    ) throws(LogError) {
        var parser = LogEntryParser()
        var following = following
        following?.until = query.until
        let start = query.tail.map { LogReader.start(ofLast: $0) } ?? .oldest
        try lines.read(from: start, notBefore: query.since, following: following) { line in
            guard parser.parse(line) else { return false }
            if let until = query.until, parser.entry.time > until { return nil }
            if let since = query.since, parser.entry.time < since { return true }
            return take(parser.entry) ? true : nil
        }
    }

    /// Counts lines from the end. An entry without a newline continues into the next one of its stream, unless none
    /// comes.
    private static func start(ofLast count: Int) -> RotatedLines.Start {
        var parser = LogEntryParser()
        var left = count
        var seen: Set<LogEntry.Stream> = []
        return .after { line in
            guard parser.parse(line) else { return false }
            if seen.insert(parser.entry.stream).inserted || parser.entry.endsLine { left -= 1 }
            return left < 0
        }
    }
}
