internal import Glibc
internal import Sys

extension UnionTree {
    /// The directory's part in the upper layer, copied up with those above it where there is none yet.
    @discardableResult
    func upper(of directory: UnionDirectory) throws(Errno) -> UnionDirectory.OpenDirectory {
        if directory.isRemoved { throw .noEntry }
        if let upper = directory.upper { return upper }
        guard let parent = directory.parent, let source = directory.lowers.first else { throw .noEntry }
        let target = try upper(of: parent)
        try place(directory.name, in: target) { (temporary) throws(Errno) in
            try Directory.make(temporary, mode: 0o700, at: work.fd)
            let copy = try File.open(temporary, O_RDONLY | O_DIRECTORY, at: work.fd)
            try copyAttributes(of: try File.status(source.raw), from: source.raw, to: copy.raw)
        }
        let made = try open(directory.name, in: target)
        directory.gained(made)
        return made
    }

    /// Brings what a lower layer has at `name` into the upper one, whole. `contents` false is for a file that will be
    /// emptied at once. Names of one file in a lower layer become files of their own, as overlayfs has it without an index.
    func copyUp(
        _ name: PathBytes, _ entry: Entry, in directory: UnionDirectory, contents: Bool = true
    ) throws(Errno) {
        if entry.upper != nil { return }
        guard let lower = entry.lowers.first else { throw .noEntry }
        if lower.status.isDirectory {
            try upper(of: try self.directory(name, in: directory))
            return
        }
        let target = try upper(of: directory)
        let source = directory.lowers[lower.index]
        try place(name, in: target) { (temporary) throws(Errno) in
            switch lower.status.kind {
            case .regular: try copyFile(name, in: source, to: temporary, contents: contents)
            case .link:
                try File.symlink(try File.readLink(name, at: source.raw), temporary, at: work.fd)
                try copyAttributes(of: lower.status, name, from: source.raw, to: temporary)
            default:
                try File.makeNode(
                    temporary, mode: lower.status.kind.typeBits | 0o600, major: lower.status.major,
                    minor: lower.status.minor, at: work.fd)
                try copyAttributes(of: lower.status, name, from: source.raw, to: temporary)
            }
        }
    }

    /// Makes an object in the work directory and gives it its place in `target`, whose times stay as they are.
    private func place(
        _ name: PathBytes, in target: UnionDirectory.OpenDirectory, _ make: (PathBytes) throws(Errno) -> Void
    ) throws(Errno) {
        let before = try File.status(target.raw)
        let temporary = try work.freshName()
        do throws(Errno) {
            try make(temporary)
            try move(temporary, to: name, in: target)
        } catch {
            work.discard(temporary)
            // Its directory was removed, or the name deleted, by somebody who holds another tree.
            throw error == .exists ? .stale : error
        }
        try File.setTimes(target.raw, accessed: .set(before.accessed), modified: .set(before.modified))
    }

    /// Without privilege the directory that is moved and the one that takes it must be writable for their owner, whom
    /// overlayfs's own credentials spare that.
    private func move(
        _ temporary: PathBytes, to name: PathBytes, in target: UnionDirectory.OpenDirectory
    ) throws(Errno) {
        do throws(Errno) {
            try File.rename(temporary, at: work.fd, to: name, at: target.raw, .noReplace)
        } catch .accessDenied {
            let moved = try File.status(temporary, at: work.fd)
            let mode = try File.status(target.raw).mode
            try File.setMode(target.raw, mode | 0o700)
            defer { try? File.setMode(target.raw, mode) }
            if moved.isDirectory { try File.setMode(temporary, at: work.fd, moved.mode | 0o700) }
            try File.rename(temporary, at: work.fd, to: name, at: target.raw, .noReplace)
            if moved.isDirectory { try File.setMode(name, at: target.raw, moved.mode) }
        }
    }

    private func copyFile(
        _ name: PathBytes, in source: UnionDirectory.OpenDirectory, to temporary: PathBytes, contents: Bool
    ) throws(Errno) {
        let original = try File.open(name, O_RDONLY | O_NONBLOCK | O_NOCTTY, at: source.raw)
        // Of the file that was opened, whatever has the name.
        let status = try File.status(original.raw)
        guard status.isRegular else { throw .stale }
        let copy = try File.open(temporary, O_WRONLY | O_CREAT | O_EXCL, mode: 0o600, at: work.fd)
        if contents { try File.copyContents(from: original.raw, to: copy.raw) }
        try copyAttributes(of: status, from: original.raw, to: copy.raw)
        if isDurable { try File.sync(copy.raw) }
        try copy.close()
        _ = consume original
    }

    // MARK: Attributes. The owner comes first: a change of it clears set-id bits and capabilities.

    func copyAttributes(of status: FileStatus, from source: Int32, to target: Int32) throws(Errno) {
        try File.setOwner(target, user: status.uid, group: status.gid)
        for name in try ExtendedAttributes.names(source) where isCopied(name) {
            guard let value = try ExtendedAttributes.get(source, name) else { continue }
            do throws(Errno) {
                try ExtendedAttributes.set(target, name, value)
            } catch {
                if error != .notSupported || decidesAccess(name) { throw error }
            }
        }
        try File.setMode(target, status.mode)
        try File.setTimes(target, accessed: .set(status.accessed), modified: .set(status.modified))
    }

    private func copyAttributes(
        of status: FileStatus, _ name: PathBytes, from source: Int32, to temporary: PathBytes
    ) throws(Errno) {
        try File.setOwner(temporary, at: work.fd, user: status.uid, group: status.gid)
        for attribute in try ExtendedAttributes.names(name, at: source) where isCopied(attribute) {
            guard let value = try ExtendedAttributes.get(name, at: source, attribute) else { continue }
            do throws(Errno) {
                try ExtendedAttributes.set(temporary, at: work.fd, attribute, value)
            } catch {
                if error != .notSupported || decidesAccess(attribute) { throw error }
            }
        }
        if status.kind != .link { try File.setMode(temporary, at: work.fd, status.mode) }
        try File.setTimes(
            temporary, at: work.fd, accessed: .set(status.accessed), modified: .set(status.modified))
    }

    /// Not overlayfs's own, which are about their layer, and no label: the kernel gives those by where a file is made.
    private func isCopied(_ attribute: PathBytes) -> Bool {
        !isPrivate(attribute) && attribute != PathBytes("security.selinux")
    }

    /// A copy without these would be open to others than the original.
    private func decidesAccess(_ attribute: PathBytes) -> Bool {
        attribute.hasPrefix("security.") || attribute.hasPrefix("system.posix_acl_")
    }
}

extension FileStatus.Kind {
    /// As in a mode (inode(7)).
    var typeBits: UInt32 {
        switch self {
        case .regular: S_IFREG
        case .directory: S_IFDIR
        case .link: S_IFLNK
        case .fifo: S_IFIFO
        case .socket: S_IFSOCK
        case .characterDevice: S_IFCHR
        case .blockDevice: S_IFBLK
        }
    }
}
