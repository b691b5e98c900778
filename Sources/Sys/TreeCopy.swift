internal import CLinux
internal import Glibc

extension Directory {
    /// Copies all below the directory `source` into the directory `target`: owner, mode, times, extended attributes,
    /// links, nodes; the top directory's own owner and mode as well. Links are never followed. Names that `target` has
    /// already make it fail with EEXIST.
    package static func copyTree(from source: Int32, to target: Int32) throws(Errno) {
        for entry in try entries(source) { try copy(entry.bytes, from: source, to: target) }
        try copyMetadata(try File.status(source), from: source, to: target)
    }

    /// Gives the directory `target` owner, mode, times and extended attributes of the directory `source`.
    package static func copyMetadata(from source: Int32, to target: Int32) throws(Errno) {
        try copyMetadata(try File.status(source), from: source, to: target)
    }

    private static func copy(_ name: PathBytes, from source: Int32, to target: Int32) throws(Errno) {
        let status = try File.status(name, at: source)
        switch status.kind {
        case .directory:
            try make(name, mode: 0o700, at: target)
            let from = try File.open(name, O_RDONLY | O_DIRECTORY, at: source)
            let to = try File.open(name, O_RDONLY | O_DIRECTORY, at: target)
            try copyTree(from: from.raw, to: to.raw)
        case .regular:
            let from = try File.open(name, O_RDONLY | O_NONBLOCK, at: source)
            let to = try File.open(name, O_WRONLY | O_CREAT | O_EXCL, mode: 0o600, at: target)
            try File.copyContents(from: from.raw, to: to.raw)
            try copyMetadata(status, from: from.raw, to: to.raw)
            try to.close()
        case .link:
            try File.symlink(try File.readLink(name, at: source), name, at: target)
            try File.setOwner(name, at: target, user: status.uid, group: status.gid)
            try File.setTimes(name, at: target, modified: status.modified)
        default:
            try makeNode(name, like: status, at: target)
            try File.setOwner(name, at: target, user: status.uid, group: status.gid)
            try File.setMode(name, at: target, status.mode)
            try File.setTimes(name, at: target, modified: status.modified)
        }
    }

    private static func makeNode(_ name: PathBytes, like status: FileStatus, at target: Int32) throws(Errno) {
        let type: UInt32 =
            switch status.kind {
            case .fifo: S_IFIFO
            case .socket: S_IFSOCK
            case .blockDevice: S_IFBLK
            default: S_IFCHR
            }
        try File.makeNode(name, mode: type | 0o600, major: status.major, minor: status.minor, at: target)
    }

    /// Owner before mode and attributes: chown clears setuid bits and file capabilities.
    private static func copyMetadata(_ status: FileStatus, from source: Int32, to target: Int32) throws(Errno) {
        try File.setOwner(target, user: status.uid, group: status.gid)
        try File.setMode(target, status.mode)
        try copyAttributes(from: source, to: target)
        let times = [status.accessed.raw, status.modified.raw]
        try check { futimens(target, times) }
    }

    /// All but overlayfs's own, which mean nothing elsewhere.
    private static func copyAttributes(from source: Int32, to target: Int32) throws(Errno) {
        do throws(Errno) {
            for name in try ExtendedAttributes.names(source) {
                if OverlayMarks.allCases.contains(where: { name.hasPrefix($0.prefix) }) { continue }
                guard let value = try ExtendedAttributes.get(source, name) else { continue }
                try ExtendedAttributes.set(target, name, value)
            }
        } catch .notSupported {
            return
        }
    }
}
