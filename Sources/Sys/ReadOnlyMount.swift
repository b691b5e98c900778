internal import Glibc

extension File {
    /// Whether the mount that an open file was reached by, or its file system, is read-only (fstatvfs(3)).
    package static func isOnReadOnlyMount(_ fd: Int32) throws(Errno) -> Bool {
        var status = statvfs()
        try check { fstatvfs(fd, &status) }
        return status.f_flag & UInt(ST_RDONLY) != 0
    }
}
