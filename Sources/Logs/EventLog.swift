internal import CLinux
internal import Glibc
internal import Sys

/// The events of a data root: `events.log`, JSON lines, to which every command appends what it did.
package struct EventLog: Sendable {
    private static let name = "events.log"

    private let dataRoot: String
    private let maximumSize: Int64

    /// There are two files of at most `maximumSize` bytes; the default is room for ten thousand events.
    package init(dataRoot: String, maximumSize: Int64 = 4 << 20) {
        self.dataRoot = dataRoot
        self.maximumSize = maximumSize
    }

    package func append(_ event: Event) { append([event]) }

    /// Appends with one write. What was done stays done when it can't be noted, so nothing is thrown.
    package func append(_ events: [Event]) {
        if !events.isEmpty { try? write(events.flatMap { Array(($0.json + "\n").utf8) }) }
    }

    private func write(_ line: [UInt8]) throws(Errno) {
        var size: Int64 = 0
        let file = try openNewest(&size)
        // A power cut or a full disk may have torn the last line: this one is not to be lost with it.
        let last = size > 0 ? try File.bytes(file.raw, at: size - 1, count: 1) : [10]
        try File.write(file.raw, last == [10] ? line : [10] + line)
        if size + Int64(line.count) >= maximumSize { rotate(file.raw) }
    }

    private var path: String { "\(dataRoot)/\(EventLog.name)" }

    /// The newest file and its size, locked against rotation: who still wrote to one that has got a number would be read
    /// too late, or by nobody.
    private func openNewest(_ size: inout Int64) throws(Errno) -> OwnedFD {
        var attempts = 100
        while true {
            let file = try File.open(path, O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW | O_NOCTTY, mode: 0o600)
            attempts -= 1
            let fd = file.raw
            let isLocked = flock(fd, LOCK_SH | LOCK_NB) == 0
            let status = try File.status(fd)
            size = status.size
            // A stopped process that holds the lock keeps nobody for ever.
            if attempts == 0 { return file }
            if !isLocked {
                usleep(1000)
                continue
            }
            if let newest = try? File.status(path), newest.isSameFile(as: status) { return file }
        }
    }

    /// By whoever gets the lock for itself; another one does it later.
    private func rotate(_ fd: Int32) {
        guard flock(fd, LOCK_EX | LOCK_NB) == 0, let status = try? File.status(fd), let newest = try? File.status(path),
            newest.isSameFile(as: status)
        else { return }
        try? File.rename(path, to: "\(path).1")
    }
}

/// Which events are wanted, by time.
package struct EventQuery: Sendable, Hashable {
    /// Without both: only what happens from now on.
    package var since: LogTime?
    package var until: LogTime?

    package init(since: LogTime? = nil, until: LogTime? = nil) {
        self.since = since
        self.until = until
    }
}

extension EventLog {
    /// Gives events to `take` until it says no or `query.until` is over; without `until` for ever. `outputs` are the
    /// descriptors whose readers it is for.
    package func read(
        _ query: EventQuery, outputs: [Int32] = [], notice: @escaping (LogNotice) -> Void,
        take: @escaping (Event) -> Bool
    ) throws(LogError) {
        let lines = try RotatedLines(directory: dataRoot, name: EventLog.name, notice: notice)
        let onlyNew = query.since == nil && query.until == nil
        let wanted: RotatedLines.Take = { line in
            // Between two entries: who saw another's line half written, and began a new one behind it.
            if line.isEmpty { return true }
            guard let event = Event(json: line) else { return false }
            if let until = query.until, event.time > until { return nil }
            if let since = query.since, event.time < since { return true }
            return take(event) ? true : nil
        }
        let start: RotatedLines.Start = onlyNew ? .after { _ in true } : .oldest
        guard try lines.readAll(from: start, notBefore: query.since, take: wanted) else { return }
        let followed = FollowedLines(lines, isGoingOn: { true }, take: wanted)
        try Following.run([followed], until: query.until, output: FollowingOutput(outputs))
    }
}
