internal import Glibc

extension File {
    /// The next run of data of a file of `size` bytes at or behind `position` (lseek(2), SEEK_DATA); an empty one at the
    /// end. On a file system that knows no holes all is data. Moves the file's position.
    package static func nextData(
        _ fd: Int32, from position: Int64, size: Int64
    ) -> (start: Int64, end: Int64) {
        let start = lseek(fd, off_t(position), SEEK_DATA)
        // ENXIO: nothing but a hole is left.
        if start < 0 { return Errno.current.rawValue == ENXIO ? (size, size) : (position, size) }
        let end = lseek(fd, start, SEEK_HOLE)
        return (min(Int64(start), size), end < 0 ? size : min(Int64(end), size))
    }
}
