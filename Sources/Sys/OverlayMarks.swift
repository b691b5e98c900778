internal import CLinux
internal import Glibc

extension File {
    /// Whether the directory at `path` hides what lower layers have in it (kernel, overlayfs.rst).
    package static func isOpaque(_ path: String) -> Bool {
        for name in ["trusted.overlay.opaque", "user.overlay.opaque"] {
            var value: UInt8 = 0
            if lgetxattr(path, name, &value, 1) == 1, value == UInt8(ascii: "y") { return true }
        }
        return false
    }
}
