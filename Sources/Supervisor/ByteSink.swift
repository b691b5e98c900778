internal import Glibc
internal import Sys

/// Bytes on their way to a descriptor of the caller's, which may be shared and so can't be made non-blocking.
struct ByteSink {
    private(set) var fd: Int32
    private let isFile: Bool
    private var pending: [UInt8] = []
    private var start = 0

    init(_ fd: Int32) {
        self.fd = fd
        let kind = (try? File.status(fd))?.kind
        isFile = kind == .regular || kind == .characterDevice && !Terminal.isTerminal(fd)
    }

    var isEmpty: Bool { start == pending.count }
    /// False when its reader is gone: nothing more can be delivered.
    var isOpen: Bool { fd >= 0 }

    mutating func put(_ bytes: [UInt8]) {
        if !isOpen { return }
        pending = bytes
        start = 0
    }

    mutating func drain() {
        guard !isEmpty else { return }
        // POLLOUT promises room for PIPE_BUF bytes; more could block. A file never blocks.
        let count = isFile ? pending.count - start : min(pending.count - start, Int(PIPE_BUF))
        do throws(Errno) {
            let (fd, start) = (fd, start)
            self.start += try check {
                pending.withUnsafeBytes { Glibc.write(fd, $0.baseAddress.map { $0 + start }, count) }
            }
        } catch .again {
            return
        } catch {
            fd = -1
            start = pending.count
        }
    }
}
