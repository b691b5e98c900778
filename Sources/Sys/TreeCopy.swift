internal import CLinux
internal import Glibc

extension Directory {
    /// Copies all below the directory `source` into the directory `target`: owner, mode, times, extended attributes,
    /// links, nodes; the top directory's own owner and mode as well. Links are never followed. Names that `target` has
    /// already make it fail with EEXIST.
    package static func copyTree(from source: Int32, to target: Int32) throws(Errno) {
        for entry in try entries(source) { try copy(entry.name, from: source, to: target) }
        let status = try File.status(source)
        try copyAttributes(from: source, to: target)
        try check { fchown(target, status.uid, status.gid) }
        try check { fchmod(target, status.mode) }
        let times = [status.accessed.raw, status.modified.raw]
        try check { futimens(target, times) }
    }

    private static func copy(_ name: String, from source: Int32, to target: Int32) throws(Errno) {
        let status = try File.status(name, at: source)
        switch status.kind {
        case .directory:
            try make(name, mode: 0o700, at: target)
            let flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW
            let from = try File.open(name, flags, at: source)
            let to = try File.open(name, flags, at: target)
            try copyTree(from: from.raw, to: to.raw)
            return
        case .regular:
            try copyFile(name, status, from: source, to: target)
            return
        case .link:
            try File.symlink(try File.readLink(name, at: source), name, at: target)
            try check { fchownat(target, name, status.uid, status.gid, AT_SYMLINK_NOFOLLOW) }
        default:
            try makeNode(name, like: status, at: target)
            try check { fchownat(target, name, status.uid, status.gid, AT_SYMLINK_NOFOLLOW) }
            try check { fchmodat(target, name, status.mode, 0) }
        }
        let times = [status.accessed.raw, status.modified.raw]
        try check { utimensat(target, name, times, AT_SYMLINK_NOFOLLOW) }
    }

    private static func makeNode(_ name: String, like status: FileStatus, at target: Int32) throws(Errno) {
        let type: UInt32 =
            switch status.kind {
            case .fifo: S_IFIFO
            case .socket: S_IFSOCK
            case .blockDevice: S_IFBLK
            default: S_IFCHR
            }
        try check { mknodat(target, name, type | 0o600, clinux_makedev(status.major, status.minor)) }
    }

    private static func copyFile(_ name: String, _ status: FileStatus, from source: Int32, to target: Int32)
        throws(Errno)
    {
        let from = try File.open(name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, at: source)
        let to = try File.open(name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode: 0o600, at: target)
        var chunk = [UInt8](repeating: 0, count: 256 << 10)
        while true {
            let count = try check { chunk.withUnsafeMutableBytes { Glibc.read(from.raw, $0.baseAddress, $0.count) } }
            if count == 0 { break }
            try File.write(to.raw, Array(chunk[..<count]))
        }
        // Owner before mode and attributes: chown clears setuid bits and file capabilities.
        try check { fchown(to.raw, status.uid, status.gid) }
        try check { fchmod(to.raw, status.mode) }
        try copyAttributes(from: from.raw, to: to.raw)
        let times = [status.accessed.raw, status.modified.raw]
        try check { futimens(to.raw, times) }
        try to.close()
    }

    /// All but overlayfs's own (trusted.overlay.*), which mean nothing elsewhere.
    private static func copyAttributes(from source: Int32, to target: Int32) throws(Errno) {
        var names = [CChar](repeating: 0, count: 64 << 10)
        let size = names.count
        let count: Int
        do throws(Errno) {
            count = try check { flistxattr(source, &names, size) }
        } catch .notSupported {
            return
        }
        for name in names.prefix(count).split(separator: 0) {
            let key = String(decoding: name.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            if key.hasPrefix("trusted.overlay.") { continue }
            var value = [UInt8](repeating: 0, count: 64 << 10)
            let room = value.count
            let length = try check { fgetxattr(source, key, &value, room) }
            try check { fsetxattr(target, key, value, length, 0) }
        }
    }
}
