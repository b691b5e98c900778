internal import CLinux
internal import Glibc

extension File {
    /// Reads up to `bytes.count` at `offset`, without moving the file's position (pread(2)); 0 means end of file.
    package static func read(
        _ fd: Int32, into bytes: UnsafeMutableRawBufferPointer, at offset: Int64
    ) throws(Errno) -> Int {
        try check { pread(fd, bytes.baseAddress, bytes.count, off_t(offset)) }
    }

    /// The `count` bytes at `offset`; fewer where the file ends before.
    package static func bytes(_ fd: Int32, at offset: Int64, count: Int) throws(Errno) -> [UInt8] {
        var failure: Errno?
        let result = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            do throws(Errno) {
                while filled < count {
                    let rest = UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[filled...])
                    let got = try read(fd, into: rest, at: offset + Int64(filled))
                    if got == 0 { return }
                    filled += got
                }
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        return result
    }

    /// Cuts or extends to `size` bytes (ftruncate(2)).
    package static func truncate(_ fd: Int32, to size: Int64) throws(Errno) {
        try check { ftruncate(fd, off_t(size)) }
    }
}

extension File {
    /// A second descriptor of the same open file, close-on-exec; `fd` is borrowed.
    package static func duplicate(_ fd: Int32) throws(Errno) -> OwnedFD {
        OwnedFD(adopting: try check { clinux_fcntl(fd, F_DUPFD_CLOEXEC, 3) })
    }
}
