internal import CLinux
internal import Glibc
internal import Sys

/// Files of every kind outside of what a test may touch: a hostile archive or image that reaches one is seen, also when
/// it puts back what it found.
package final class Canary: Sendable {
    private let scratch: Scratch
    private let before: TreeListing
    private let inodes: [String]

    package var path: String { scratch.path }

    package init() throws {
        scratch = try Scratch()
        try scratch.file("file", "do not touch\n", mode: 0o640)
        try scratch.file("directory/inside", "nor this\n")
        try scratch.file("setuid", "#!/bin/false\n", mode: 0o4755)
        try scratch.directory("empty", mode: 0o700)
        try File.symlink("file", scratch("link"))
        let (fifo, file, twin) = (scratch("fifo"), scratch("file"), scratch("twin"))
        try check { mkfifo(fifo, 0o600) }
        try check { Glibc.link(file, twin) }
        try check { setxattr(file, "user.canary", "sings", 5, 0) }
        before = try TreeListing(scratch.path)
        inodes = try Canary.inodes(scratch.path)
    }

    /// What has changed: bytes, kinds, modes, owners, times, xattrs, links; inodes and the time of their last change.
    /// Empty is well.
    package func changes() throws -> [String] {
        let now = try Canary.inodes(scratch.path)
        let touched = Set(now).symmetricDifference(inodes).sorted().map { "touched: \($0)" }
        return try TreeListing(scratch.path).differences(from: before) + touched
    }

    /// Name, inode, links and ctime of all.
    private static func inodes(_ path: String) throws -> [String] {
        try Tool.check("find", [path, "-printf", "%P inode %i links %n changed %C@\\n"]).lines
    }
}
