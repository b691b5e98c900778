internal import Glibc
internal import Sys

/// A directory that lies on overlayfs, as all of a container's do: no device 0:0 can be made in it.
package enum OverlayDisk {
    /// Calls `body` with its path; it is unmounted and removed afterwards. Needs root.
    package static func with<R>(_ body: (String) throws -> R) throws -> R {
        let scratch = try Scratch()
        // For users who have a directory of their own in it.
        try Sys.check { chmod(scratch.path, 0o755) }
        for name in ["lower", "upper", "work", "disk"] { try scratch.directory(name) }
        let options = "lowerdir=\(scratch("lower")),upperdir=\(scratch("upper")),workdir=\(scratch("work"))"
        try Tool.check("mount", ["-t", "overlay", "overlay", "-o", options, scratch("disk")])
        defer { _ = try? Tool.run("umount", ["-l", scratch("disk")]) }
        return try body(scratch("disk"))
    }
}
