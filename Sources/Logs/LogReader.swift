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
package final class LogReader {
    private let lines: RotatedLines
    private let query: LogQuery
    private let take: (LogEntry) -> Bool
    private var parser = LogEntryParser()
    private var isOver = false

    /// `name` is that of the newest file, `directory` the path of the one that it is in. The wanted entries are given to
    /// `take` until it says no.
    package init(
        directory: String, name: String, _ query: LogQuery, notice: @escaping (LogNotice) -> Void,
        take: @escaping (LogEntry) -> Bool
    ) throws(LogError) {
        lines = try RotatedLines(directory: directory, name: name, notice: notice)
        self.query = query
        self.take = take
    }

    /// Gives what there is at this moment.
    package func readAll() throws(LogError) {
        let start = query.tail.map { LogReader.start(ofLast: $0) } ?? .oldest
        isOver = !(try lines.readAll(from: start, notBefore: query.since) { give($0) })
    }

    /// How what comes after that is read: for `Following.run`. `isGoingOn` says whether more may come, in the
    /// directory `sign` something changes with the answer. nil when no more is wanted.
    package func followed(sign: String? = nil, isGoingOn: @escaping () -> Bool) -> FollowedLines? {
        isOver ? nil : FollowedLines(lines, sign: sign, isGoingOn: isGoingOn) { self.give($0) }
    }

    private func give(_ line: RotatedLines.Line) -> Bool? {
        guard parser.parse(line) else { return false }
        if let until = query.until, parser.entry.time > until { return nil }
        if let since = query.since, parser.entry.time < since { return true }
        return take(parser.entry) ? true : nil
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
