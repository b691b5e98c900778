internal import CLinux
internal import Glibc

/// Calls on files, relative to a directory descriptor (AT_FDCWD: the working directory). Names are close-on-exec.
package enum File {
    package static let workingDirectory: Int32 = AT_FDCWD

    package static func open(
        _ path: String, _ flags: Int32, mode: UInt32 = 0, at directory: Int32 = AT_FDCWD
    ) throws(Errno) -> OwnedFD {
        OwnedFD(adopting: try check { clinux_open(directory, path, flags | O_CLOEXEC, mode) })
    }

    /// How openat2(2) walks a path.
    package struct Resolve: OptionSet, Sendable {
        package let rawValue: UInt64
        package init(rawValue: UInt64) { self.rawValue = rawValue }

        package static let noCrossDevice = Resolve(rawValue: UInt64(CLINUX_RESOLVE_NO_XDEV))
        package static let noMagicLinks = Resolve(rawValue: UInt64(CLINUX_RESOLVE_NO_MAGICLINKS))
        package static let noSymlinks = Resolve(rawValue: UInt64(CLINUX_RESOLVE_NO_SYMLINKS))
        package static let beneath = Resolve(rawValue: UInt64(CLINUX_RESOLVE_BENEATH))
        package static let inRoot = Resolve(rawValue: UInt64(CLINUX_RESOLVE_IN_ROOT))
        /// Below the directory, whatever links are there.
        package static let inside = Resolve(rawValue: beneath.rawValue | noSymlinks.rawValue)
    }

    /// openat2(2): `directory` is the root that `resolve` speaks of.
    package static func open(
        _ path: String, _ flags: Int32, mode: UInt32 = 0, at directory: Int32, resolve: Resolve
    ) throws(Errno) -> OwnedFD {
        let how = UInt64(UInt32(bitPattern: flags | O_CLOEXEC))
        while true {
            do {
                let fd = try check { clinux_openat2(directory, path, how, UInt64(mode), resolve.rawValue) }
                return OwnedFD(adopting: fd)
            } catch .again {
                // A rename raced with the walk of ".."; the man page asks to try again.
                continue
            }
        }
    }

    package static func status(_ fd: Int32) throws(Errno) -> FileStatus {
        var result = stat()
        try check { fstat(fd, &result) }
        return FileStatus(result)
    }

    package static func status(
        _ path: String, at directory: Int32 = AT_FDCWD, follow: Bool = false
    ) throws(Errno) -> FileStatus {
        var result = stat()
        try check { fstatat(directory, path, &result, follow ? 0 : AT_SYMLINK_NOFOLLOW) }
        return FileStatus(result)
    }

    package static func exists(_ path: String, at directory: Int32 = AT_FDCWD) -> Bool {
        (try? status(path, at: directory)) != nil
    }

    package static func rename(
        _ from: String, at fromDirectory: Int32 = AT_FDCWD, to: String, at toDirectory: Int32 = AT_FDCWD,
        noReplace: Bool = false
    ) throws(Errno) {
        // RENAME_NOREPLACE of renameat2(2).
        try check { clinux_renameat2(fromDirectory, from, toDirectory, to, noReplace ? 1 : 0) }
    }

    /// Two names change what they mean in one step (RENAME_EXCHANGE of renameat2(2)).
    package static func exchange(_ one: String, _ other: String) throws(Errno) {
        try check { clinux_renameat2(AT_FDCWD, one, AT_FDCWD, other, 2) }
    }

    package static func unlink(_ path: String, at directory: Int32 = AT_FDCWD) throws(Errno) {
        try check { unlinkat(directory, path, 0) }
    }

    package static func symlink(_ target: String, _ path: String, at directory: Int32 = AT_FDCWD) throws(Errno) {
        try check { symlinkat(target, directory, path) }
    }

    package static func readLink(_ path: String, at directory: Int32 = AT_FDCWD) throws(Errno) -> String {
        // A link's target is at most PATH_MAX bytes; SYMLINK_MAX is not defined on Linux.
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = try check { readlinkat(directory, path, &buffer, buffer.count) }
        return String(decoding: buffer.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    package static func sync(_ fd: Int32) throws(Errno) {
        try check { fsync(fd) }
    }

    /// syncfs(2): all dirty data of the file system that holds `fd`.
    package static func syncFileSystem(_ fd: Int32) throws(Errno) {
        try check { syncfs(fd) }
    }

    /// Asks the disk to begin with those bytes now (sync_file_range(2)): nothing is durable by that, but a later sync has less
    /// to wait for. `count` 0 is all behind `offset`. Advice: what can't be written the sync reports.
    package static func beginWriting(_ fd: Int32, at offset: Int64, count: Int64) {
        _ = clinux_begin_writing(fd, offset, count)
    }
}
