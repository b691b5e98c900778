internal import CLinux
internal import Glibc

extension File {
    /// Copies all of `source` into the empty file `target`; holes stay holes, and file systems that can share the
    /// blocks (ioctl_ficlone(2), copy_file_range(2)).
    package static func copyContents(from source: Int32, to target: Int32) throws(Errno) {
        if clinux_clone_file(source, target) == 0 { return }
        let size = off_t(try status(source).size)
        var position: off_t = 0
        while position < size {
            let start = lseek(source, position, SEEK_DATA)
            // ENXIO: nothing but a hole is left.
            if start < 0, Errno.current.rawValue == ENXIO { break }
            let data = start < 0 ? position : start
            let hole = start < 0 ? size : lseek(source, data, SEEK_HOLE)
            let end = hole < 0 ? size : min(hole, size)
            try copyRange(from: source, to: target, data, end)
            position = end
        }
        try check { ftruncate(target, size) }
    }

    private static func copyRange(from source: Int32, to target: Int32, _ start: off_t, _ end: off_t) throws(Errno) {
        var from = start
        var to = start
        while from < end {
            do throws(Errno) {
                let count = try check { copy_file_range(source, &from, target, &to, Int(end - from), 0) }
                if count == 0 { throw Errno.inputOutput }
            } catch {
                let cannot: [Errno] = [.crossDevice, .noSystemCall, .invalid, .notSupported]
                if !cannot.contains(error) { throw error }
                try copyThroughMemory(from: source, to: target, from, end)
                return
            }
        }
    }

    private static func copyThroughMemory(
        from source: Int32, to target: Int32, _ start: off_t, _ end: off_t
    ) throws(Errno) {
        var buffer = [UInt8](repeating: 0, count: 1 << 18)
        var position = start
        while position < end {
            let wanted = min(buffer.count, Int(end - position))
            let count = try check { pread(source, &buffer, wanted, position) }
            if count == 0 { throw Errno.inputOutput }
            var written = 0
            while written < count {
                written += try check {
                    buffer.withUnsafeBytes {
                        pwrite(
                            target, $0.baseAddress?.advanced(by: written), count - written, position + off_t(written))
                    }
                }
            }
            position += off_t(count)
        }
    }
}
