internal import Sys

/// Lines of a log across its files: all or the last ones, then those that come. The writer is never waited for and
/// never waits.
package struct RotatedLines: ~Copyable {
    package typealias Line = UnsafeBufferPointer<UInt8>

    /// Where reading begins.
    package enum Start {
        case oldest
        /// Behind the last line that the closure, which is shown them from the last one back, says yes to.
        case after((Line) -> Bool)
    }

    private let directory: OwnedFD
    private let path: String
    private let files: RotatedFiles
    /// Whoever is told of damage and gaps.
    private let notice: (LogNotice) -> Void

    /// `path` is the directory of the files.
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

    /// Gives each line to `take`, with whether it is one: what says no is reported as damage, once a file; nil ends.
    /// Files whose last change lies before `notBefore` are left out. Without `following` it ends with what there was
    /// when it began.
    package borrowing func read(
        from start: Start, notBefore: LogTime? = nil, following: Following?, take: (Line) -> Bool?
    ) throws(LogError) {
        var news = following.map { _ in NewsWait(path) }
        var open = try files.open()
        for file in open { file.limit = try reading(file) { () throws(Errno) in try file.size() } }
        if let notBefore {
            // File systems keep coarse times: an entry may be a tick younger than its file.
            open.removeAll { LogTime($0.status.modified).advanced(bySeconds: 1) < notBefore && !files.isNewest($0) }
        }
        if case .after(let stops) = start { try LineTail.seek(open, stops: stops) }
        var damage = Damage(notice)
        for file in open where !(try drain(file, &damage, take)) { return }
        guard let following else {
            return
        }
        try follow(open.last, following, &news, &damage, take)
    }

    private func follow(
        _ last: LineFile?, _ following: Following, _ news: inout NewsWait?, _ damage: inout Damage,
        _ take: (Line) -> Bool?
    ) throws(LogError) {
        var current = last
        current?.limit = nil
        while true {
            let isOver = !following.isGoingOn() || following.until.map { $0 < LogTime.now } ?? false
            let next = try successors(of: current)
            if let current, try isCut(current) { current.offset = 0 }
            // What came after the look at the names is in the file still: the writer goes to a new one only with a
            // whole entry.
            for file in [current].compactMap({ $0 }) + next {
                if !(try drain(file, &damage, take)) { return }
                current = file
            }
            if isOver {
                try current.map { file throws(LogError) in try damage.reportTail(of: file) }
                return
            }
            let file = current?.name ?? files.name
            do throws(Errno) {
                if try news?.wait(following) == false { return }
            } catch {
                throw .read(file: file, error)
            }
        }
    }

    private func successors(of current: LineFile?) throws(LogError) -> [LineFile] {
        guard let current else { return try files.open() }
        if files.isNewest(current) { return [] }
        if let next = try files.open(after: current) { return next }
        let all = try files.open()
        // None at all: the container was removed.
        if !all.isEmpty { notice(.missed(file: files.name)) }
        return all
    }

    private func isCut(_ file: LineFile) throws(LogError) -> Bool {
        try reading(file) { () throws(Errno) in try file.isCut() }
    }

    private func drain(
        _ file: LineFile, _ damage: inout Damage, _ take: (Line) -> Bool?
    ) throws(LogError) -> Bool {
        try reading(file) { () throws(Errno) in
            try file.drain { line, offset in
                guard let isGood = take(line) else { return false }
                if !isGood { damage.report(file, at: offset) }
                return true
            }
        }
    }

    private func reading<T>(_ file: LineFile, _ body: () throws(Errno) -> T) throws(LogError) -> T {
        do throws(Errno) {
            return try body()
        } catch {
            throw .read(file: file.name, error)
        }
    }
}

/// Tells of damage once a file.
private struct Damage {
    private let notice: (LogNotice) -> Void
    private var told: Set<FileIdentity> = []

    private struct FileIdentity: Hashable {
        let inode: UInt64
        let device: UInt64
    }

    init(_ notice: @escaping (LogNotice) -> Void) { self.notice = notice }

    mutating func report(_ file: LineFile, at offset: Int64) {
        let identity = FileIdentity(inode: file.status.inode, device: file.status.device)
        if told.insert(identity).inserted { notice(.damaged(file: file.name, offset: offset)) }
    }

    /// A line that nobody will end any more.
    mutating func reportTail(of file: LineFile) throws(LogError) {
        do throws(Errno) {
            if try file.size() > file.offset { report(file, at: file.offset) }
        } catch {
            throw .read(file: file.name, error)
        }
    }
}
