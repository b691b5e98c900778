internal import Glibc
package import Sys

/// The whole union copied into a plain directory, for programs that must have one.
package struct Materialised: Sendable {
    /// No file was changed by anybody else before this (a change time, inode(7)).
    package let stamp: FileTime
    /// What could not be made without privilege: devices. Nothing is missed that is not here.
    package let skipped: [String]
}

extension UnionTree {
    /// Fills the empty directory `target`, borrowed, with what the union shows: owners, modes, times, attributes, holes, and
    /// several names of one file as such. Files share their blocks with the layers where the file system can, and are never
    /// links to a layer's file, which a program could write through. Nothing of overlayfs's own is in it.
    package func materialise(into target: Int32) throws(Errno) -> Materialised {
        var copy = PlainCopy(tree: self, target: target)
        let status = try status(of: root)
        try copy.fill(target, from: root, path: [])
        try copyShownAttributes(of: status, root, to: target)
        if isDurable { try File.syncFileSystem(target) }
        return Materialised(stamp: try stamp(target), skipped: copy.skipped)
    }

    /// The change time that a file gets now, by the clock of its file system.
    private func stamp(_ target: Int32) throws(Errno) -> FileTime {
        let before = try File.status(target)
        try File.setTimes(target, accessed: .set(before.accessed), modified: .set(before.modified))
        return try File.status(target).changed
    }

    /// Owner before the rest: a change of it clears set-id bits and capabilities.
    func copyShownAttributes(of status: FileStatus, _ directory: UnionDirectory, to target: Int32) throws(Errno) {
        try File.setOwner(target, user: status.uid, group: status.gid)
        for name in try attributes(of: directory) {
            guard let value = try attribute(name, of: directory) else { continue }
            try ExtendedAttributes.set(target, name, value)
        }
        try File.setMode(target, status.mode)
        try File.setTimes(target, accessed: .set(status.accessed), modified: .set(status.modified))
    }
}

/// One walk of a union that copies.
private struct PlainCopy {
    let tree: UnionTree
    let target: Int32
    private(set) var skipped: [String] = []
    /// Where a file of several names was put first.
    private var first: [FileIdentity: [PathBytes]] = [:]
    private static let maximumDepth = 256

    init(tree: UnionTree, target: Int32) {
        self.tree = tree
        self.target = target
    }

    mutating func fill(_ copy: Int32, from directory: UnionDirectory, path: [PathBytes]) throws(Errno) {
        if path.count > PlainCopy.maximumDepth { throw .nameTooLong }
        for name in try tree.names(in: directory) {
            let status = try tree.status(name, in: directory)
            if status.isDirectory {
                try Directory.make(name, mode: 0o700, at: copy)
                let made = try File.open(name, O_RDONLY | O_DIRECTORY, at: copy)
                let child = try tree.directory(name, in: directory)
                try fill(made.raw, from: child, path: path + [name])
                try tree.copyShownAttributes(of: status, child, to: made.raw)
            } else if try !link(name, status, in: copy, path) {
                try make(name, status, in: copy, from: directory, path)
            }
        }
    }

    /// A further name of a file that is there already.
    private mutating func link(
        _ name: PathBytes, _ status: FileStatus, in copy: Int32, _ path: [PathBytes]
    ) throws(Errno) -> Bool {
        guard status.links > 1 else { return false }
        let identity = FileIdentity(status)
        guard let known = first[identity], let last = known.last else {
            first[identity] = path + [name]
            return false
        }
        var parent = try Directory.open(".", at: target)
        for part in known.dropLast() {
            let next = try File.open(part, O_RDONLY | O_DIRECTORY, at: parent.raw)
            parent = next
        }
        try File.link(last, at: parent.raw, to: name, at: copy)
        return true
    }

    private mutating func make(
        _ name: PathBytes, _ status: FileStatus, in copy: Int32, from directory: UnionDirectory, _ path: [PathBytes]
    ) throws(Errno) {
        switch status.kind {
        case .regular:
            let source = try tree.open(name, O_RDONLY, in: directory)
            let made = try File.open(name, O_WRONLY | O_CREAT | O_EXCL, mode: 0o600, at: copy)
            try File.copyContents(from: source.raw, to: made.raw)
            try made.close()
        case .link: try File.symlink(try tree.readLink(name, in: directory), name, at: copy)
        default:
            do throws(Errno) {
                try File.makeNode(
                    name, mode: status.kind.typeBits | 0o600, major: status.major, minor: status.minor, at: copy)
            } catch .notPermitted {
                skipped.append((path + [name]).map(\.description).joined(separator: "/"))
                first[FileIdentity(status)] = nil
                return
            }
        }
        try File.setOwner(name, at: copy, user: status.uid, group: status.gid)
        for attribute in try tree.attributes(of: name, in: directory) {
            guard let value = try tree.attribute(attribute, of: name, in: directory) else { continue }
            try ExtendedAttributes.set(name, at: copy, attribute, value)
        }
        if status.kind != .link { try File.setMode(name, at: copy, status.mode) }
        try File.setTimes(name, at: copy, accessed: .set(status.accessed), modified: .set(status.modified))
    }
}

/// One file, whatever its names.
package struct FileIdentity: Hashable {
    private let device: UInt64
    private let inode: UInt64

    package init(_ status: FileStatus) {
        device = status.device
        inode = status.inode
    }
}
