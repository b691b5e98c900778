internal import CLinux
internal import Glibc

/// What becomes of a time stamp (utimensat(2)).
package enum TimeChange: Sendable, Hashable {
    case kept
    case now
    case set(FileTime)

    fileprivate var raw: timespec {
        switch self {
        // UTIME_OMIT and UTIME_NOW are macros that Swift can't read.
        case .kept: timespec(tv_sec: 0, tv_nsec: (1 << 30) - 2)
        case .now: timespec(tv_sec: 0, tv_nsec: (1 << 30) - 1)
        case .set(let time): time.raw
        }
    }
}

extension File {
    package static func setTimes(_ fd: Int32, accessed: TimeChange, modified: TimeChange) throws(Errno) {
        let times = [accessed.raw, modified.raw]
        try check { futimens(fd, times) }
    }

    /// Both times are now. A link is not followed.
    package static func touch(_ path: String) throws(Errno) {
        let times = [TimeChange.now.raw, TimeChange.now.raw]
        try check { utimensat(AT_FDCWD, path, times, AT_SYMLINK_NOFOLLOW) }
    }

    /// A link is not followed.
    package static func setTimes(
        _ path: PathBytes, at directory: Int32, accessed: TimeChange, modified: TimeChange
    ) throws(Errno) {
        let times = [accessed.raw, modified.raw]
        try path.withCString { (name) throws(Errno) in
            _ = try check { utimensat(directory, name, times, AT_SYMLINK_NOFOLLOW) }
        }
    }
}
