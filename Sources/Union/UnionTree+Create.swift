internal import Glibc
package import Sys

extension UnionTree {
    package func makeDirectory(_ name: PathBytes, mode: UInt32, in directory: UnionDirectory) throws(Errno) {
        try make(name, in: directory, isDirectory: true) { (target, name) throws(Errno) in
            try Directory.make(name, mode: mode, at: target)
        }
    }

    package func symlink(
        _ target: PathBytes, _ name: PathBytes, in directory: UnionDirectory
    ) throws(Errno) {
        try make(name, in: directory) { (place, name) throws(Errno) in
            try File.symlink(target, name, at: place)
        }
    }

    /// mknod(2). EPERM for a device 0:0: that would be a whiteout.
    package func makeNode(
        _ name: PathBytes, _ kind: FileStatus.Kind, mode: UInt32, major: UInt32 = 0, minor: UInt32 = 0,
        in directory: UnionDirectory
    ) throws(Errno) {
        if case .present = try find(name, in: directory) { throw .exists }
        if kind == .directory || kind == .link { throw kind == .directory ? .notPermitted : .invalid }
        if kind == .characterDevice, major == 0, minor == 0 { throw .notPermitted }
        try make(name, in: directory) { (place, name) throws(Errno) in
            try File.makeNode(
                name, mode: kind.typeBits | mode & 0o7777, major: major, minor: minor, at: place)
        }
    }

    /// link(2): `name` in `source` gets the further name `newName` in `directory`.
    package func link(
        _ name: PathBytes, in source: UnionDirectory, to newName: PathBytes, in directory: UnionDirectory
    ) throws(Errno) {
        let entry = try require(name, in: source)
        if case .present = try find(newName, in: directory) { throw .exists }
        if try top(of: entry, in: source).status.isDirectory { throw .notPermitted }
        try copyUp(name, entry, in: source)
        let from = try upper(of: source)
        try make(newName, in: directory) { (place, newName) throws(Errno) in
            try File.link(name, at: from.raw, to: newName, at: place)
        }
    }

    /// A new regular file, open with `flags`.
    func makeFile(
        _ name: PathBytes, _ flags: Int32, mode: UInt32, in directory: UnionDirectory
    ) throws(Errno) -> OwnedFD {
        try make(name, in: directory) { (place, name) throws(Errno) in
            try File.open(name, flags | O_CREAT | O_EXCL, mode: mode, at: place)
        }
    }

    /// Makes what is not there. Where the upper layer says that the name is deleted, the new object takes that place by one
    /// rename, and a directory hides what is below.
    private func make<R: ~Copyable>(
        _ name: PathBytes, in directory: UnionDirectory, isDirectory: Bool = false,
        _ body: (_ place: Int32, _ name: PathBytes) throws(Errno) -> R
    ) throws(Errno) -> R {
        guard case .absent(let isWhiteout) = try find(name, in: directory) else { throw .exists }
        let target = try upper(of: directory)
        if !isWhiteout {
            let result = try body(target.raw, name)
            if isDirectory, !directory.lowers.isEmpty {
                // Spares later look-ups the lower layers, where there is nothing of it.
                try? markOpaque(name, at: target.raw)
            }
            return result
        }
        let mould = try Mould(for: target, in: work)
        defer { mould.discard(work) }
        let temporary = try work.freshName()
        do throws(Errno) {
            let result = try body(mould.fd, temporary)
            if isDirectory { try markOpaque(temporary, at: mould.fd) }
            try File.rename(
                temporary, at: mould.fd, to: name, at: target.raw, isDirectory ? .exchange : [])
            if isDirectory { try? File.unlink(temporary, at: mould.fd) }
            return result
        } catch {
            try? Directory.removeTree(temporary, at: mould.fd)
            throw error
        }
    }

    /// Makes a directory of the upper layer hide what is below its name.
    func markOpaque(_ name: PathBytes, at directory: Int32) throws(Errno) {
        do throws(Errno) {
            try ExtendedAttributes.set(name, at: directory, marks.opaque, OverlayMarks.opaqueValue)
        } catch .accessDenied {
            // Without privilege `user.*` is only for what may be written to.
            let mode = try File.status(name, at: directory).mode
            try File.setMode(name, at: directory, mode | 0o700)
            defer { try? File.setMode(name, at: directory, mode) }
            try ExtendedAttributes.set(name, at: directory, marks.opaque, OverlayMarks.opaqueValue)
        }
    }
}

/// Where an object is made that is to inherit from a directory (acl(5), setgid) without being in it yet.
private struct Mould {
    let fd: Int32
    private let own: UnionDirectory.OpenDirectory?
    private let name: PathBytes?

    private static let defaultACL = PathBytes("system.posix_acl_default")
    private static let setgid: UInt32 = 0o2000

    init(for target: UnionDirectory.OpenDirectory, in work: WorkDirectory) throws(Errno) {
        let status = try File.status(target.raw)
        let acl = try ExtendedAttributes.get(target.raw, Mould.defaultACL)
        if acl == nil, status.mode & Mould.setgid == 0 {
            (fd, own, name) = (work.fd, nil, nil)
            return
        }
        let name = try work.freshName()
        try Directory.make(name, mode: 0o700, at: work.fd)
        let made = UnionDirectory.OpenDirectory(try File.open(name, O_RDONLY | O_DIRECTORY, at: work.fd))
        if status.mode & Mould.setgid != 0 {
            try File.setOwner(made.raw, user: UInt32.max, group: status.gid)
            try File.setMode(made.raw, 0o700 | Mould.setgid)
        }
        if let acl { try ExtendedAttributes.set(made.raw, Mould.defaultACL, acl) }
        (fd, own, self.name) = (made.raw, made, name)
    }

    func discard(_ work: WorkDirectory) {
        if let name { work.discard(name) }
    }
}
