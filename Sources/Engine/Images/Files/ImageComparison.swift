internal import Sys
internal import Union

/// What one image's files have that another's have not, file by file: kinds, modes, owners, devices, links, attributes and
/// contents. Times don't count. Sorted by path, a directory before what is in it; of one that is deleted its own path alone.
struct ImageComparison {
    private let before: ImageTree
    private let after: ImageTree
    private var changes: [FileChange] = []
    /// What is being looked at, for the error's text.
    private(set) var current: [UInt8] = []

    init(_ before: ImageTree, _ after: ImageTree) {
        self.before = before
        self.after = after
    }

    mutating func run() throws(Errno) -> [FileChange] {
        try compare(before.view.root, after.view.root, [], depth: 0)
        return changes
    }

    private mutating func compare(
        _ old: UnionDirectory?, _ new: UnionDirectory, _ path: [UInt8], depth: Int
    ) throws(Errno) {
        if depth > ImageTree.maximumDepth { throw .nameTooLong }
        // The images share these layers.
        if let old, try old.isSame(as: new) { return }
        let newNames = try after.view.names(in: new)
        let oldNames = try old.map { directory throws(Errno) in Set(try before.view.names(in: directory)) } ?? []
        let all = newNames + oldNames.subtracting(newNames)
        let present = Set(newNames)
        for name in all.sorted(by: { $0.bytes.lexicographicallyPrecedes($1.bytes) }) {
            let below = path + [UInt8(ascii: "/")] + name.bytes
            current = below
            guard present.contains(name) else {
                add(.deleted, below)
                continue
            }
            try visit(name, oldNames.contains(name) ? old : nil, new, below, depth: depth)
        }
    }

    /// `old` is nil where it has no such name.
    private mutating func visit(
        _ name: PathBytes, _ old: UnionDirectory?, _ new: UnionDirectory, _ path: [UInt8], depth: Int
    ) throws(Errno) {
        let status = try after.view.status(name, in: new)
        guard let old else {
            add(.added, path)
            if status.isDirectory { try compare(nil, try after.view.directory(name, in: new), path, depth: depth + 1) }
            return
        }
        let former = try before.view.status(name, in: old)
        guard status.isDirectory else {
            if try !isSame(name, former, old, status, new) { add(.changed, path) }
            return
        }
        let place = changes.count
        add(.changed, path)
        let child = try after.view.directory(name, in: new)
        let oldChild = former.isDirectory ? try before.view.directory(name, in: old) : nil
        try compare(oldChild, child, path, depth: depth + 1)
        guard changes.count == place + 1, let oldChild else { return }
        let (mine, theirs) = (try attributes(before, oldChild), try attributes(after, child))
        if ImageComparison.hasSameOwner(former, status), mine == theirs { changes.removeLast() }
    }

    private func isSame(
        _ name: PathBytes, _ former: FileStatus, _ old: UnionDirectory, _ status: FileStatus, _ new: UnionDirectory
    ) throws(Errno) -> Bool {
        if former.isSameFile(as: status) { return true }
        guard former.kind == status.kind, ImageComparison.hasSameOwner(former, status) else { return false }
        switch status.kind {
        case .link: return try before.view.readLink(name, in: old) == after.view.readLink(name, in: new)
        case .regular:
            guard former.size == status.size else { return false }
            let (mine, theirs) = (try attributes(before, name, old), try attributes(after, name, new))
            return mine == theirs ? try hasSameContents(name, old, new) : false
        default: return former.major == status.major && former.minor == status.minor
        }
    }

    private static func hasSameOwner(_ one: FileStatus, _ other: FileStatus) -> Bool {
        // A link's mode means nothing.
        one.uid == other.uid && one.gid == other.gid && (one.kind == .link || one.mode == other.mode)
    }

    private func attributes(
        _ tree: ImageTree, _ name: PathBytes, _ directory: UnionDirectory
    ) throws(Errno) -> [PathBytes: [UInt8]] {
        var result: [PathBytes: [UInt8]] = [:]
        for attribute in try tree.view.attributes(of: name, in: directory) {
            result[attribute] = try tree.view.attribute(attribute, of: name, in: directory)
        }
        return result
    }

    private func attributes(_ tree: ImageTree, _ directory: UnionDirectory) throws(Errno) -> [PathBytes: [UInt8]] {
        var result: [PathBytes: [UInt8]] = [:]
        for attribute in try tree.view.attributes(of: directory) {
            result[attribute] = try tree.view.attribute(attribute, of: directory)
        }
        return result
    }

    private func hasSameContents(
        _ name: PathBytes, _ old: UnionDirectory, _ new: UnionDirectory
    ) throws(Errno) -> Bool {
        let one = try before.view.read(name, in: old)
        let other = try after.view.read(name, in: new)
        let step = 1 << 20
        var offset: Int64 = 0
        while true {
            let mine = try File.bytes(one.raw, at: offset, count: step)
            guard try File.bytes(other.raw, at: offset, count: step) == mine else { return false }
            if mine.count < step { return true }
            offset += Int64(step)
        }
    }

    private mutating func add(_ kind: FileChange.Kind, _ path: [UInt8]) {
        guard let bytes = PathBytes(path) else { return }
        changes.append(FileChange(kind: kind, path: bytes))
    }
}
