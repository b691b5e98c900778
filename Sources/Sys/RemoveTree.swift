internal import CLinux
internal import Glibc

extension Directory {
    /// Removes `name` and all below it, never following a link. A missing name is no error. Stays on one file system: a
    /// mount point inside makes it fail with EBUSY rather than empty what is mounted there.
    package static func removeTree(_ name: String, at directory: Int32 = AT_FDCWD) throws(Errno) {
        guard let path = PathBytes(Array(name.utf8)) else { throw Errno.invalid }
        try removeTree(path, at: directory)
    }

    /// As `removeTree(_:at:)`, but stops before it takes long: false when something is left. `budget` counts the entries
    /// that may still be removed; a large file is left as well.
    package static func removeTree(
        _ name: String, at directory: Int32 = AT_FDCWD, within budget: inout Int
    ) throws(Errno) -> Bool {
        guard let path = PathBytes(Array(name.utf8)) else { throw Errno.invalid }
        var left: Int? = budget
        defer { budget = left ?? 0 }
        return try removeTree(path, at: directory, &left)
    }

    /// As `removeTree(_:at:)` with the name byte for byte.
    package static func removeTree(_ name: PathBytes, at directory: Int32) throws(Errno) {
        var unlimited: Int?
        _ = try removeTree(name, at: directory, &unlimited)
    }

    private static func removeTree(
        _ name: PathBytes, at directory: Int32, _ budget: inout Int?
    ) throws(Errno) -> Bool {
        do throws(Errno) {
            try remove(name, at: directory)
            return true
        } catch .noEntry {
            return true
        } catch .notDirectory {
            try File.unlink(name, at: directory)
            return true
        } catch {
            if error != .notEmpty { throw error }
        }
        let top = try File.open(name, O_RDONLY | O_DIRECTORY, at: directory)
        var removal = TreeRemoval(top: top.raw, device: try File.status(top.raw).device, budget: budget)
        defer { budget = removal.budget }
        repeat {
            removal.moved = 0
            try removal.empty(top.raw, depth: 0)
        } while removal.moved > 0 && !removal.isStopped
        if removal.isStopped { return false }
        try remove(name, at: directory)
        return true
    }
}

/// One removal. A hostile image may hold directories ten thousand deep: below `maximumDepth` a directory is moved up
/// into the top one and emptied from there, so that stack and descriptors stay few.
private struct TreeRemoval {
    static let maximumDepth = 64

    let top: Int32
    let device: UInt64
    /// Entries that may still be removed; nil: all.
    var budget: Int?
    var moved = 0
    private(set) var isStopped = false

    /// Of a file that takes the file system long to give back.
    private static let largeFile: Int64 = 8 << 20

    init(top: Int32, device: UInt64, budget: Int?) {
        self.top = top
        self.device = device
        self.budget = budget
    }

    /// Whether the budget allows for one entry more; from the first that it does not, nothing is removed.
    private mutating func affords(_ entry: Directory.Entry, in directory: Int32) -> Bool {
        guard let left = budget else { return true }
        let isLarge =
            entry.type == UInt8(DT_REG)
            && (try? File.status(entry.bytes, at: directory))?.size ?? 0 > TreeRemoval.largeFile
        if left <= 0 || isLarge { isStopped = true } else { budget = left - 1 }
        return !isStopped
    }

    mutating func empty(_ directory: Int32, depth: Int) throws(Errno) {
        for entry in try Directory.entries(directory) {
            guard affords(entry, in: directory) else { return }
            if entry.type != UInt8(DT_DIR) {
                do throws(Errno) {
                    try File.unlink(entry.bytes, at: directory)
                    continue
                } catch {
                    // EISDIR on Linux, EPERM by POSIX: a file system that does not tell types in readdir.
                    if error != .isDirectory, error != .notPermitted { throw error }
                }
            }
            try removeDirectory(entry.bytes, at: directory, depth: depth)
        }
    }

    private mutating func removeDirectory(_ name: PathBytes, at directory: Int32, depth: Int) throws(Errno) {
        do throws(Errno) {
            try Directory.remove(name, at: directory)
            return
        } catch {
            if error != .notEmpty { throw error }
        }
        if depth == TreeRemoval.maximumDepth {
            guard let refuge = PathBytes(Array(".removing-\(Random.hex(bytes: 8))".utf8)) else { throw Errno.invalid }
            try File.rename(name, at: directory, to: refuge, at: top, noReplace: true)
            moved += 1
            return
        }
        let child = try File.open(name, O_RDONLY | O_DIRECTORY, at: directory)
        if try File.status(child.raw).device != device { throw Errno.busy }
        try empty(child.raw, depth: depth + 1)
        if isStopped { return }
        try Directory.remove(name, at: directory)
    }
}
