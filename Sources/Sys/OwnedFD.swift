internal import CLinux
internal import Glibc

/// A file descriptor that has exactly one owner and is closed when the owner is gone.
package struct OwnedFD: ~Copyable, Sendable {
    /// The number, for calls that borrow the descriptor.
    package let raw: Int32

    /// Takes over `raw`, which nobody else may close.
    package init(adopting raw: Int32) { self.raw = raw }

    deinit { _ = Glibc.close(raw) }

    /// Closes now and reports what a deferred write says (close(2)); EINTR means closed on Linux.
    package consuming func close() throws(Errno) {
        let fd = raw
        discard self
        if Glibc.close(fd) != 0, Errno.current != .interrupted { throw Errno.current }
    }

    /// Gives the number away, unclosed.
    package consuming func release() -> Int32 {
        let fd = raw
        discard self
        return fd
    }

    /// A second descriptor of the same open file, close-on-exec.
    package borrowing func duplicate() throws(Errno) -> OwnedFD {
        let fd = raw
        return OwnedFD(adopting: try check { clinux_fcntl(fd, F_DUPFD_CLOEXEC, 3) })
    }
}

/// Both ends of pipe2(2), close-on-exec.
package struct Pipe: ~Copyable {
    package let reader: OwnedFD
    package let writer: OwnedFD

    package init() throws(Errno) {
        var ends: (Int32, Int32) = (-1, -1)
        let status = withUnsafeMutableBytes(of: &ends) { bytes in
            pipe2(bytes.assumingMemoryBound(to: Int32.self).baseAddress, O_CLOEXEC)
        }
        if status != 0 { throw Errno.current }
        reader = OwnedFD(adopting: ends.0)
        writer = OwnedFD(adopting: ends.1)
    }

    /// One end; the other is closed.
    package consuming func keepReader() -> OwnedFD { reader }
    package consuming func keepWriter() -> OwnedFD { writer }
}
