internal import CLinux
internal import Glibc

/// The calls of `File` and `Directory` by exact bytes. None follows a link in the last component.
extension File {
    package static func open(
        _ path: PathBytes, _ flags: Int32, mode: UInt32 = 0, at directory: Int32
    ) throws(Errno) -> OwnedFD {
        OwnedFD(
            adopting: try path.withCString { (name) throws(Errno) in
                try check { clinux_open(directory, name, flags | O_CLOEXEC | O_NOFOLLOW, mode) }
            })
    }

    /// openat2(2): `directory` is the root that `resolve` speaks of.
    package static func open(
        _ path: PathBytes, _ flags: Int32, mode: UInt32 = 0, at directory: Int32, resolve: Resolve
    ) throws(Errno) -> OwnedFD {
        let how = UInt64(UInt32(bitPattern: flags | O_CLOEXEC | O_NOFOLLOW))
        while true {
            do {
                let fd = try path.withCString { (name) throws(Errno) in
                    try check { clinux_openat2(directory, name, how, UInt64(mode), resolve.rawValue) }
                }
                return OwnedFD(adopting: fd)
            } catch .again {
                continue
            }
        }
    }

    package static func status(_ path: PathBytes, at directory: Int32) throws(Errno) -> FileStatus {
        var result = stat()
        try path.withCString { (name) throws(Errno) in
            _ = try check { fstatat(directory, name, &result, AT_SYMLINK_NOFOLLOW) }
        }
        return FileStatus(result)
    }

    package static func rename(
        _ from: PathBytes, at fromDirectory: Int32, to: PathBytes, at toDirectory: Int32, noReplace: Bool = false
    ) throws(Errno) {
        try from.withCString { (old) throws(Errno) in
            try to.withCString { (new) throws(Errno) in
                // RENAME_NOREPLACE of renameat2(2).
                _ = try check { clinux_renameat2(fromDirectory, old, toDirectory, new, noReplace ? 1 : 0) }
            }
        }
    }

    package static func unlink(_ path: PathBytes, at directory: Int32) throws(Errno) {
        try path.withCString { (name) throws(Errno) in _ = try check { unlinkat(directory, name, 0) } }
    }

    package static func symlink(_ target: PathBytes, _ path: PathBytes, at directory: Int32) throws(Errno) {
        try target.withCString { (text) throws(Errno) in
            try path.withCString { (name) throws(Errno) in _ = try check { symlinkat(text, directory, name) } }
        }
    }

    /// linkat(2): a link that is the source is linked itself, not what it points to.
    package static func link(
        _ source: PathBytes, at sourceDirectory: Int32, to path: PathBytes, at directory: Int32
    ) throws(Errno) {
        try source.withCString { (old) throws(Errno) in
            try path.withCString { (new) throws(Errno) in
                _ = try check { linkat(sourceDirectory, old, directory, new, 0) }
            }
        }
    }

    package static func readLink(_ path: PathBytes, at directory: Int32) throws(Errno) -> PathBytes {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = try path.withCString { (name) throws(Errno) in
            try check { readlinkat(directory, name, &buffer, buffer.count) }
        }
        guard let target = PathBytes(buffer.prefix(count).map { UInt8(bitPattern: $0) }) else { throw Errno.invalid }
        return target
    }

    /// mknod(2): fifo, socket or device by the type bits of `mode`.
    package static func makeNode(
        _ path: PathBytes, mode: UInt32, major: UInt32 = 0, minor: UInt32 = 0, at directory: Int32
    ) throws(Errno) {
        let device = clinux_makedev(major, minor)
        try path.withCString { (name) throws(Errno) in _ = try check { mknodat(directory, name, mode, device) } }
    }

    package static func setOwner(
        _ path: PathBytes, at directory: Int32, user: UInt32, group: UInt32
    ) throws(Errno) {
        try path.withCString { (name) throws(Errno) in
            _ = try check { fchownat(directory, name, user, group, AT_SYMLINK_NOFOLLOW) }
        }
    }

    package static func setOwner(_ fd: Int32, user: UInt32, group: UInt32) throws(Errno) {
        try check { fchown(fd, user, group) }
    }

    package static func setMode(_ fd: Int32, _ mode: UInt32) throws(Errno) {
        try check { fchmod(fd, mode) }
    }

    /// A link is not followed and has no mode of its own: EOPNOTSUPP.
    package static func setMode(_ path: PathBytes, at directory: Int32, _ mode: UInt32) throws(Errno) {
        try path.withCString { (name) throws(Errno) in
            _ = try check { fchmodat(directory, name, mode, AT_SYMLINK_NOFOLLOW) }
        }
    }

    /// Access and modification time; the kernel clamps to what the file system can hold.
    package static func setTimes(_ fd: Int32, modified: FileTime) throws(Errno) {
        let times = [modified.raw, modified.raw]
        try check { futimens(fd, times) }
    }

    package static func setTimes(_ path: PathBytes, at directory: Int32, modified: FileTime) throws(Errno) {
        let times = [modified.raw, modified.raw]
        try path.withCString { (name) throws(Errno) in
            _ = try check { utimensat(directory, name, times, AT_SYMLINK_NOFOLLOW) }
        }
    }
}

extension Directory {
    package static func make(_ path: PathBytes, mode: UInt32, at directory: Int32) throws(Errno) {
        try path.withCString { (name) throws(Errno) in _ = try check { mkdirat(directory, name, mode) } }
    }

    package static func remove(_ path: PathBytes, at directory: Int32) throws(Errno) {
        try path.withCString { (name) throws(Errno) in _ = try check { unlinkat(directory, name, AT_REMOVEDIR) } }
    }

    /// All names but `.` and `..`.
    package static func names(_ fd: Int32) throws(Errno) -> [PathBytes] { try entries(fd).map(\.bytes) }
}
