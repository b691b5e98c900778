internal import Sys

/// Has the disk begin with a large file while more of it comes. The sync at the layer's end would else find all of it still
/// to write, and the disk idle until then. Small files stay the kernel's: it writes many of them in one go.
struct WriteBehind {
    /// Bytes after which it is worth a system call: whole extents, which neighbours do not break up.
    private static let step: Int64 = 8 << 20
    private static let smallest: Int64 = 256 << 10

    private let fd: Int32
    private var position: Int64 = 0
    private var begun: Int64 = 0

    /// Borrows `fd`, a file that is written from its beginning.
    init(_ fd: Int32) { self.fd = fd }

    mutating func wrote(_ count: Int) {
        position += Int64(count)
        if position - begun >= WriteBehind.step { begin() }
    }

    mutating func finish() {
        if position - begun >= WriteBehind.smallest { begin() }
    }

    private mutating func begin() {
        File.beginWriting(fd, at: begun, count: position - begun)
        begun = position
    }
}
