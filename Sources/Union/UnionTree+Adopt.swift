internal import Glibc
package import Sys

extension UnionTree {
    /// Makes the union show what `changed` does, a tree that was materialised from this union and worked on since: the upper
    /// directory is then the one that a mount would have. What `materialise` could not make is not missed: `skipped`.
    ///
    /// A file whose change time is before `stamp`, in directories of that kind, is the same if its size and time are. Of others the contents are
    /// compared, and only what differs goes into the upper layer. After an end at any point a further call brings the rest.
    package func adopt(_ changed: Int32, since stamp: FileTime, skipped: [String] = []) throws(Errno) {
        var adoption = Adoption(tree: self, stamp: stamp, skipped: Set(skipped))
        try adoption.adopt(Adoption.Level(changed: changed, directory: root, path: "", depth: 0, isSuspect: false))
        try adoption.adoptRoot(try File.status(changed), changed)
    }
}

/// One walk of both trees.
private struct Adoption {
    let tree: UnionTree
    let stamp: FileTime
    let skipped: Set<String>
    /// Where the first name of a file of several is in the union.
    private var first: [FileIdentity: (directory: UnionDirectory, name: PathBytes)] = [:]
    private static let maximumDepth = 256

    init(tree: UnionTree, stamp: FileTime, skipped: Set<String>) {
        self.tree = tree
        self.stamp = stamp
        self.skipped = skipped
    }

    /// One directory of both.
    struct Level {
        /// Borrowed.
        let changed: Int32
        let directory: UnionDirectory
        let path: String
        let depth: Int
        /// It, or one above it, may have come from elsewhere by a rename, which leaves what is inside with the times that
        /// it had. The top can't be renamed.
        let isSuspect: Bool
    }

    mutating func adopt(_ level: Level) throws(Errno) {
        if level.depth > Adoption.maximumDepth { throw .nameTooLong }
        var found: [PathBytes: FileStatus] = [:]
        for name in try Directory.names(level.changed) {
            let status = try File.status(name, at: level.changed)
            // A device that no union can have: it would be a whiteout.
            if !status.isWhiteout { found[name] = status }
        }
        for name in try tree.names(in: level.directory) where found[name] == nil {
            if skipped.contains(level.path + name.description) { continue }
            try remove(name, from: level.directory, depth: level.depth)
        }
        for (name, status) in found.sorted(by: { $0.key.bytes.lexicographicallyPrecedes($1.key.bytes) }) {
            if status.isDirectory {
                try adoptDirectory(name, status, level)
            } else {
                try adoptFile(name, status, level)
            }
        }
    }

    private mutating func adoptDirectory(_ name: PathBytes, _ status: FileStatus, _ level: Level) throws(Errno) {
        let directory = level.directory
        let child = try File.open(name, O_RDONLY | O_DIRECTORY, at: level.changed)
        var old = try existing(name, in: directory)
        if let other = old, !other.isDirectory {
            try tree.unlink(name, in: directory)
            old = nil
        }
        if old == nil { try tree.makeDirectory(name, mode: 0o700, in: directory) }
        let isSuspect = level.isSuspect || status.changed >= stamp
        try adopt(
            Level(
                changed: child.raw, directory: try tree.directory(name, in: directory),
                path: level.path + name.description + "/", depth: level.depth + 1, isSuspect: isSuspect))
        _ = consume child
        if old == nil || isSuspect {
            try adoptAttributes(of: name, status, of: level.changed, into: directory)
        } else if try tree.status(name, in: directory).modified != status.modified {
            // Something was done inside that was not done there: another name of a file came or went.
            try tree.setTimes(
                name, in: directory, accessed: .set(status.accessed), modified: .set(status.modified))
        }
    }

    private mutating func adoptFile(_ name: PathBytes, _ status: FileStatus, _ level: Level) throws(Errno) {
        let (changed, directory) = (level.changed, level.directory)
        let old = try existing(name, in: directory)
        if status.links > 1, let known = first[FileIdentity(status)] {
            if try isSame(known, name, in: directory) { return }
            if old != nil { try remove(name, from: directory, depth: level.depth) }
            try tree.link(known.name, in: known.directory, to: name, in: directory)
            return
        }
        if status.links > 1 { first[FileIdentity(status)] = (directory, name) }
        if let old, !level.isSuspect, status.changed < stamp, isUnchanged(old, status) { return }
        if let old {
            if try isEqual(name, old, status, of: changed, in: directory) {
                try adoptAttributes(of: name, status, of: changed, into: directory)
                return
            }
            try remove(name, from: directory, depth: level.depth)
        }
        try make(name, status, of: changed, in: directory)
        try adoptAttributes(of: name, status, of: changed, into: directory)
    }

    /// What every write leaves another of, also where somebody has set the clock back.
    private func isUnchanged(_ old: FileStatus, _ new: FileStatus) -> Bool {
        old.kind == new.kind && old.size == new.size && old.modified == new.modified
    }

    private func existing(_ name: PathBytes, in directory: UnionDirectory) throws(Errno) -> FileStatus? {
        do throws(Errno) {
            return try tree.status(name, in: directory)
        } catch .noEntry {
            return nil
        }
    }

    private func isSame(
        _ known: (directory: UnionDirectory, name: PathBytes), _ name: PathBytes, in directory: UnionDirectory
    ) throws(Errno) -> Bool {
        guard let mine = try existing(name, in: directory) else { return false }
        return try tree.status(known.name, in: known.directory).isSameFile(as: mine)
    }

    /// Kind and contents; attributes are looked at by themselves.
    private func isEqual(
        _ name: PathBytes, _ old: FileStatus, _ new: FileStatus, of changed: Int32, in directory: UnionDirectory
    ) throws(Errno) -> Bool {
        guard old.kind == new.kind else { return false }
        switch new.kind {
        case .regular:
            // What was one file must not stay one where its names have become several, or the other way round.
            if old.size != new.size || old.links != new.links { return false }
            let mine = try tree.open(name, O_RDONLY, in: directory)
            let theirs = try File.open(name, O_RDONLY | O_NONBLOCK, at: changed)
            return try File.hasSameContents(mine.raw, theirs.raw)
        case .link: return try tree.readLink(name, in: directory) == File.readLink(name, at: changed)
        default: return (old.major, old.minor) == (new.major, new.minor)
        }
    }

    private func make(
        _ name: PathBytes, _ status: FileStatus, of changed: Int32, in directory: UnionDirectory
    ) throws(Errno) {
        switch status.kind {
        case .regular:
            let source = try File.open(name, O_RDONLY | O_NONBLOCK, at: changed)
            let copy = try tree.open(name, O_WRONLY | O_CREAT | O_EXCL, mode: 0o600, in: directory)
            try File.copyContents(from: source.raw, to: copy.raw)
            if tree.isDurable { try File.sync(copy.raw) }
            try copy.close()
        case .link: try tree.symlink(try File.readLink(name, at: changed), name, in: directory)
        default:
            try tree.makeNode(
                name, status.kind, mode: 0o600, major: status.major, minor: status.minor, in: directory)
        }
    }

    private func remove(_ name: PathBytes, from directory: UnionDirectory, depth: Int) throws(Errno) {
        if depth > Adoption.maximumDepth { throw .nameTooLong }
        guard try tree.status(name, in: directory).isDirectory else { return try tree.unlink(name, in: directory) }
        let inside = try tree.directory(name, in: directory)
        for entry in try tree.names(in: inside) { try remove(entry, from: inside, depth: depth + 1) }
        try tree.removeDirectory(name, in: directory)
    }

    // MARK: Attributes: only those that differ, so that nothing is copied up for nothing.

    private func adoptAttributes(
        of name: PathBytes, _ new: FileStatus, of changed: Int32, into directory: UnionDirectory
    ) throws(Errno) {
        let old = try tree.status(name, in: directory)
        if (old.uid, old.gid) != (new.uid, new.gid) {
            try tree.setOwner(name, in: directory, user: new.uid, group: new.gid)
        }
        let wanted = try ExtendedAttributes.names(name, at: changed)
        for attribute in try tree.attributes(of: name, in: directory) where !wanted.contains(attribute) {
            try tree.removeAttribute(attribute, of: name, in: directory)
        }
        for attribute in wanted {
            let value = try ExtendedAttributes.get(name, at: changed, attribute)
            guard let value, try tree.attribute(attribute, of: name, in: directory) != value else { continue }
            try tree.setAttribute(attribute, of: name, in: directory, value)
        }
        let now = try tree.status(name, in: directory)
        if now.mode != new.mode, new.kind != .link { try tree.setMode(name, in: directory, new.mode) }
        if now.modified != new.modified {
            try tree.setTimes(name, in: directory, accessed: .set(new.accessed), modified: .set(new.modified))
        }
    }

    func adoptRoot(_ new: FileStatus, _ changed: Int32) throws(Errno) {
        guard let upper = tree.root.upper else { return }
        if new.changed < stamp {
            try File.setTimes(upper.raw, accessed: .set(new.accessed), modified: .set(new.modified))
            return
        }
        let wanted = try ExtendedAttributes.names(changed)
        for attribute in try tree.attributes(of: tree.root) where !wanted.contains(attribute) {
            try ExtendedAttributes.remove(upper.raw, try tree.stored(attribute))
        }
        try File.setOwner(upper.raw, user: new.uid, group: new.gid)
        for attribute in wanted {
            guard let value = try ExtendedAttributes.get(changed, attribute) else { continue }
            try ExtendedAttributes.set(upper.raw, try tree.stored(attribute), value)
        }
        try File.setMode(upper.raw, new.mode)
        try File.setTimes(upper.raw, accessed: .set(new.accessed), modified: .set(new.modified))
    }
}

extension File {
    /// Compares two files of one size.
    fileprivate static func hasSameContents(_ first: Int32, _ second: Int32) throws(Errno) -> Bool {
        let count = 1 << 18
        var position: Int64 = 0
        while true {
            let mine = try bytes(first, at: position, count: count)
            if try mine != bytes(second, at: position, count: count) { return false }
            if mine.count < count { return true }
            position += Int64(count)
        }
    }
}
