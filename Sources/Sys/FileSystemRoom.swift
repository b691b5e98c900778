internal import Glibc

/// How much of a file system is free (statvfs(3)).
package struct FileSystemRoom: Sendable {
    private let bytes: (free: UInt64, all: UInt64)
    private let inodes: (free: UInt64, all: UInt64)

    package init(_ path: String) throws(Errno) {
        var status = statvfs()
        try check { statvfs(path, &status) }
        let unit = UInt64(status.f_frsize)
        bytes = (
            UInt64(status.f_bavail).multipliedReportingOverflow(by: unit).partialValue,
            UInt64(status.f_blocks).multipliedReportingOverflow(by: unit).partialValue
        )
        inodes = (UInt64(status.f_favail), UInt64(status.f_files))
    }

    /// Whether what is free is less than a fifth, and less than 16 GiB or a million inodes: not enough for a large image.
    package var isLow: Bool {
        bytes.free < min(bytes.all / 5, 16 << 30)
            // A file system that makes inodes as it needs them has none to count.
            || (inodes.all > 0 && inodes.free < min(inodes.all / 5, 1 << 20))
    }
}
