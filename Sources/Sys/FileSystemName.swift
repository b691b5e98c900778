internal import CLinux
internal import Glibc

/// The kernel's name of the file system that holds a path (statfs(2), magic.h).
package enum FileSystemName {
    private static let names: [UInt: String] = [
        0xEF53: "extfs", 0x5846_5342: "xfs", 0x9123_683E: "btrfs", 0x0102_1994: "tmpfs", 0x794c_7630: "overlayfs",
        0x2fc1_2fc1: "zfs", 0x6969: "nfs", 0x6573_5546: "fuse", 0xF2F5_2010: "f2fs",
    ]

    package static func of(_ path: String) -> String? {
        var status = statfs()
        guard statfs(path, &status) == 0 else { return nil }
        let magic = UInt(truncatingIfNeeded: status.f_type) & 0xffff_ffff
        return names[magic] ?? "0x" + String(magic, radix: 16)
    }
}
