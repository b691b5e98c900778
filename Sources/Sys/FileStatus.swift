internal import CLinux
internal import Glibc

/// What stat(2) tells of a file. A value of our own: C's structure belongs to whichever of two modules was read first.
package struct FileStatus: Sendable, Hashable {
    package enum Kind: Sendable, Hashable {
        case regular, directory, link, fifo, socket, characterDevice, blockDevice
    }

    package let kind: Kind
    /// Permission bits, with setuid, setgid and sticky.
    package let mode: UInt32
    package let uid: UInt32
    package let gid: UInt32
    package let size: Int64
    package let inode: UInt64
    /// The file system that holds the file.
    package let device: UInt64
    package let links: UInt64
    /// The device that the file stands for.
    package let major: UInt32
    package let minor: UInt32
    package let accessed: FileTime
    package let modified: FileTime
    /// Of the last change of anything about the file; no program can set it.
    package let changed: FileTime
    /// Units of 512 bytes that are allocated.
    package let blocks: Int64

    init(_ raw: stat) {
        kind =
            switch raw.st_mode & S_IFMT {
            case S_IFDIR: .directory
            case S_IFLNK: .link
            case S_IFIFO: .fifo
            case S_IFSOCK: .socket
            case S_IFCHR: .characterDevice
            case S_IFBLK: .blockDevice
            default: .regular
            }
        mode = raw.st_mode & 0o7777
        uid = raw.st_uid
        gid = raw.st_gid
        size = Int64(raw.st_size)
        inode = UInt64(raw.st_ino)
        device = UInt64(raw.st_dev)
        links = UInt64(raw.st_nlink)
        major = clinux_major(raw.st_rdev)
        minor = clinux_minor(raw.st_rdev)
        accessed = FileTime(seconds: Int64(raw.st_atim.tv_sec), nanoseconds: Int64(raw.st_atim.tv_nsec))
        modified = FileTime(seconds: Int64(raw.st_mtim.tv_sec), nanoseconds: Int64(raw.st_mtim.tv_nsec))
        changed = FileTime(seconds: Int64(raw.st_ctim.tv_sec), nanoseconds: Int64(raw.st_ctim.tv_nsec))
        blocks = Int64(raw.st_blocks)
    }

    /// The same file, not only the same contents.
    package func isSameFile(as other: FileStatus) -> Bool { inode == other.inode && device == other.device }

    package var isDirectory: Bool { kind == .directory }
    package var isRegular: Bool { kind == .regular }

    /// A character device 0:0, one of the two forms of overlayfs's whiteout: `OverlayMarks.isWhiteout` knows both.
    package var isWhiteout: Bool { kind == .characterDevice && major == 0 && minor == 0 }
}

/// A file's time stamp.
package struct FileTime: Sendable, Hashable, Comparable {
    package let seconds: Int64
    /// 0 to 999,999,999.
    package let nanoseconds: Int64

    package init(seconds: Int64, nanoseconds: Int64) {
        self.seconds = seconds
        self.nanoseconds = nanoseconds
    }

    package static func < (left: FileTime, right: FileTime) -> Bool {
        (left.seconds, left.nanoseconds) < (right.seconds, right.nanoseconds)
    }

    var raw: timespec { timespec(tv_sec: Int(seconds), tv_nsec: Int(nanoseconds)) }
}
