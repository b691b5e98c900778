internal import Sys

/// Lines of a log across its files: all or the last ones, then those that come. The writer is never waited for and
/// never waits.
package final class RotatedLines {
    package typealias Line = UnsafeBufferPointer<UInt8>
    /// Whether the bytes are a line of the log's kind: what is not is reported as damage, once a file. nil ends the reading.
    package typealias Take = (Line) -> Bool?

    /// Where reading begins.
    package enum Start {
        case oldest
        /// Behind the last line that the closure, which is shown them from the last one back, says yes to.
        case after((Line) -> Bool)
    }

    /// The directory of the files.
    let path: String
    private let directory: OwnedFD
    private let files: RotatedFiles
    /// Whoever is told of damage and gaps.
    private let notice: (LogNotice) -> Void
    /// The newest file that was opened.
    private var current: LineFile?
    private var damaged: Set<FileStatus.Identity> = []

    package init(directory path: String, name: String, notice: @escaping (LogNotice) -> Void) throws(LogError) {
        do throws(Errno) {
            directory = try Directory.open(path)
        } catch {
            throw .open(file: path, error)
        }
        self.path = path
        self.notice = notice
        files = RotatedFiles(directory: directory.raw, name: name)
    }

    /// Gives what there is at this moment; files whose last change lies before `notBefore` are left out. False when `take`
    /// ended it.
    package func readAll(from start: Start, notBefore: LogTime? = nil, take: Take) throws(LogError) -> Bool {
        var open = try files.open()
        for file in open { file.limit = try reading(file) { () throws(Errno) in try file.size() } }
        current = open.last
        if let notBefore {
            // File systems keep coarse times: an entry may be a tick younger than its file.
            open.removeAll { $0 !== current && LogTime($0.status.modified).advanced(bySeconds: 1) < notBefore }
        }
        if case .after(let stops) = start { try LineTail.seek(open, stops: stops) }
        for file in open where !(try drain(file, take)) { return false }
        current?.limit = nil
        return true
    }

    /// Gives what has come since. False when `take` ended it.
    package func readOn(take: Take) throws(LogError) -> Bool {
        let next = try successors()
        if let current, try reading(current, { () throws(Errno) in try current.isCut() }) { current.offset = 0 }
        // What came before the look at the names is in the old file still: the writer leaves one only with a whole entry.
        for file in [current].compactMap({ $0 }) + next {
            if !(try drain(file, take)) { return false }
            current = file
        }
        return true
    }

    /// Nobody writes any more: a line without its end is damage.
    package func finish() throws(LogError) {
        guard let current else { return }
        let size = try reading(current) { () throws(Errno) in try current.size() }
        if size > current.offset { report(current, at: current.offset) }
    }

    private func successors() throws(LogError) -> [LineFile] {
        guard let current else { return try files.open() }
        if files.isNewest(current) { return [] }
        if let next = try files.open(after: current) { return next }
        let all = try files.open()
        // None at all: the container was removed.
        if !all.isEmpty { notice(.missed(file: files.name)) }
        return all
    }

    private func drain(_ file: LineFile, _ take: Take) throws(LogError) -> Bool {
        try reading(file) { () throws(Errno) in
            try file.drain { line, offset in
                guard let isGood = take(line) else { return false }
                if !isGood { report(file, at: offset) }
                return true
            }
        }
    }

    private func report(_ file: LineFile, at offset: Int64) {
        if damaged.insert(file.status.identity).inserted { notice(.damaged(file: file.name, offset: offset)) }
    }

    private func reading<T>(_ file: LineFile, _ body: () throws(Errno) -> T) throws(LogError) -> T {
        do throws(Errno) {
            return try body()
        } catch {
            throw .read(file: file.name, error)
        }
    }
}

extension FileStatus {
    struct Identity: Hashable {
        let inode: UInt64
        let device: UInt64
    }

    var identity: Identity { Identity(inode: inode, device: device) }
}
