internal import CLinux
internal import Glibc

/// The kernel's name of the file system that holds a path (statfs(2), magic.h).
package enum FileSystemName {
    private static let overlay = "overlayfs"

    private static func known(_ magic: UInt) -> String? {
        switch magic {
        case 0xEF53: "extfs"
        case 0x5846_5342: "xfs"
        case 0x9123_683E: "btrfs"
        case 0x0102_1994: "tmpfs"
        case 0x794c_7630: overlay
        case 0x2fc1_2fc1: "zfs"
        case 0x6969: "nfs"
        case 0x6573_5546: "fuse"
        case 0xF2F5_2010: "f2fs"
        default: nil
        }
    }

    package static func of(_ path: String) -> String? {
        var status = statfs()
        return statfs(path, &status) == 0 ? name(status) : nil
    }

    private static func name(_ status: statfs) -> String {
        let magic = UInt(truncatingIfNeeded: status.f_type) & 0xffff_ffff
        return known(magic) ?? "0x" + String(magic, radix: 16)
    }

    /// Whether the file behind the descriptor is on overlayfs, which makes no device 0:0: it would be a whiteout.
    package static func isOverlay(_ fd: Int32) -> Bool {
        var status = statfs()
        return fstatfs(fd, &status) == 0 && name(status) == overlay
    }

    /// The same of a path; false for one that leads to nothing.
    package static func isOverlay(_ path: String) -> Bool { of(path) == overlay }
}
