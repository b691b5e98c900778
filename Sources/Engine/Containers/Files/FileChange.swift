internal import Glibc
package import Sys

/// One difference between a container's files and its image's.
package struct FileChange: Sendable, Hashable {
    package enum Kind: String, Sendable { case added = "A", changed = "C", deleted = "D" }

    package let kind: Kind
    /// From the root, with a slash at its beginning.
    package let path: PathBytes
}

/// Compares an upper directory with the merged layers below it, as docker does: a directory has changed when its mode or
/// its owner has or when something in it did; its times don't count. Sorted by path, a directory before what is in it.
struct ChangeWalk {
    /// Deeper trees than this are an error: their paths are longer than any call takes.
    private static let maximumDepth = 2048

    private let excluded: Set<PathBytes>
    private let marks: OverlayMarks
    private var changes: [FileChange] = []

    init(excluded: [String], marks: OverlayMarks) {
        self.marks = marks
        self.excluded = Set(excluded.compactMap { PathBytes($0.utf8) })
    }

    /// Borrows both directories.
    static func changes(
        upper: Int32, lower: Int32, excluded: [String], marks: OverlayMarks
    ) throws(SystemFailure) -> [FileChange] {
        var walk = ChangeWalk(excluded: excluded, marks: marks)
        _ = try walk.compare(upper, lower, [], depth: 0)
        return walk.changes
    }

    /// Whether anything below `path` changed. `lower` is nil where the layers below have no such directory or are hidden.
    private mutating func compare(
        _ upper: Int32, _ lower: Int32?, _ path: [UInt8], depth: Int
    ) throws(SystemFailure) -> Bool {
        if depth > ChangeWalk.maximumDepth { throw SystemFailure("compare", shown(path), .nameTooLong) }
        let isOpaque = try on("read attributes of", path) { () throws(Errno) in
            try marks.hidesBelow(upper)
        }
        var names = try on("list", path) { () throws(Errno) in try Directory.names(upper) }
        if isOpaque, let lower {
            let seen = Set(names)
            names += try on("list", path) { () throws(Errno) in try Directory.names(lower) }.filter {
                !seen.contains($0)
            }
        }
        let first = changes.count
        for name in names.sorted(by: { $0.bytes.lexicographicallyPrecedes($1.bytes) }) {
            if isOpaque, OpaqueFile.contains(name) { continue }
            let child = path + [UInt8(ascii: "/")] + name.bytes
            if excluded.contains(where: { $0.bytes.elementsEqual(child.dropFirst()) }) { continue }
            try visit(name, child, upper, lower, depth: depth)
        }
        return changes.count > first
    }

    private mutating func visit(
        _ name: PathBytes, _ path: [UInt8], _ upper: Int32, _ lower: Int32?, depth: Int
    ) throws(SystemFailure) {
        let below = try status(name, lower, path)
        guard let status = try status(name, upper, path), try !isWhiteout(name, status, upper, path) else {
            if below != nil { add(.deleted, path) }
            return
        }
        guard status.isDirectory else {
            if let below, ChangeWalk.isSame(status, below) { return }
            return add(below == nil ? .added : .changed, path)
        }
        let place = changes.count
        let isKept = below?.isDirectory ?? false
        let directory = try on("open", path) { () throws(Errno) in
            try File.open(name, O_RDONLY | O_DIRECTORY, at: upper)
        }
        let changedInside: Bool
        if isKept, let lower {
            let other = try on("open", path) { () throws(Errno) in
                try File.open(name, O_RDONLY | O_DIRECTORY, at: lower)
            }
            changedInside = try compare(directory.raw, other.raw, path, depth: depth + 1)
        } else {
            changedInside = try compare(directory.raw, nil, path, depth: depth + 1)
        }
        if let below, isKept {
            if changedInside || !ChangeWalk.isSame(status, below) { add(.changed, path, at: place) }
        } else {
            add(below == nil ? .added : .changed, path, at: place)
        }
    }

    private func isWhiteout(
        _ name: PathBytes, _ status: FileStatus, _ upper: Int32, _ path: [UInt8]
    ) throws(SystemFailure) -> Bool {
        try on("read attributes of", path) { () throws(Errno) in try marks.isWhiteout(name, status, at: upper) }
    }

    /// What a copy-up keeps. A file whose attributes alone were set and set back is the same.
    private static func isSame(_ one: FileStatus, _ other: FileStatus) -> Bool {
        guard one.kind == other.kind, one.mode == other.mode, one.uid == other.uid, one.gid == other.gid,
            one.major == other.major, one.minor == other.minor
        else { return false }
        return one.isDirectory || (one.size == other.size && one.modified == other.modified)
    }

    private mutating func add(_ kind: FileChange.Kind, _ path: [UInt8], at place: Int? = nil) {
        guard let bytes = PathBytes(path) else { return }
        changes.insert(FileChange(kind: kind, path: bytes), at: place ?? changes.count)
    }

    /// nil: there is nothing.
    private func status(_ name: PathBytes, _ directory: Int32?, _ path: [UInt8]) throws(SystemFailure) -> FileStatus? {
        guard let directory else { return nil }
        do throws(Errno) {
            return try File.status(name, at: directory)
        } catch .noEntry {
            return nil
        } catch {
            throw SystemFailure("look at", shown(path), error)
        }
    }

    private func shown(_ path: [UInt8]) -> String { path.isEmpty ? "/" : PathBytes.printable(path) }

    private func on<R: ~Copyable>(
        _ operation: String, _ path: [UInt8], _ body: () throws(Errno) -> R
    ) throws(SystemFailure) -> R {
        do throws(Errno) {
            return try body()
        } catch {
            throw SystemFailure(operation, shown(path), error)
        }
    }
}
