internal import CLinux
internal import Glibc
internal import Sys

/// Files of every kind outside of what a test may touch: a hostile archive or image that reaches one is seen.
package final class Canary: Sendable {
    private let scratch: Scratch
    private let before: TreeListing

    package var path: String { scratch.path }

    package init() throws {
        scratch = try Scratch()
        try scratch.file("file", "do not touch\n", mode: 0o640)
        try scratch.file("directory/inside", "nor this\n")
        try scratch.file("setuid", "#!/bin/false\n", mode: 0o4755)
        try scratch.directory("empty", mode: 0o700)
        try File.symlink("file", scratch("link"))
        let fifo = scratch("fifo")
        try check { mkfifo(fifo, 0o600) }
        before = try TreeListing(scratch.path)
    }

    /// What has changed; empty is well.
    package func changes() throws -> [String] {
        try TreeListing(scratch.path).differences(from: before)
    }
}
