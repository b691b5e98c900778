internal import Glibc
internal import Sys

/// Bytes on their way to a descriptor of the caller's, which may be shared and so can't be made non-blocking.
struct ByteSink {
    private(set) var fd: Int32
    private let isFile: Bool
    private var bytes: [UInt8] = []
    private var pending = 0..<0

    /// Read at once.
    private static let chunk = 64 << 10

    init(_ fd: Int32) {
        self.fd = fd
        let kind = (try? File.status(fd))?.kind
        isFile = kind == .regular || kind == .characterDevice && !Terminal.isTerminal(fd)
    }

    var isEmpty: Bool { pending.isEmpty }
    /// False when its reader is gone: nothing more can be delivered.
    var isOpen: Bool { fd >= 0 }

    /// Takes `bytes`; only when empty.
    mutating func put(_ bytes: [UInt8]) {
        if !isOpen { return }
        self.bytes = bytes
        pending = 0..<bytes.count
    }

    /// Takes what can be read from `source`; only when empty. False at its end.
    mutating func fill(from source: Int32) throws(Errno) -> Bool {
        if bytes.count != ByteSink.chunk { bytes = [UInt8](repeating: 0, count: ByteSink.chunk) }
        let count = try check { bytes.withUnsafeMutableBytes { Glibc.read(source, $0.baseAddress, $0.count) } }
        pending = 0..<count
        return count > 0
    }

    mutating func drain() {
        guard !isEmpty else { return }
        // POLLOUT promises room for PIPE_BUF bytes; more could block. A file never blocks.
        let count = isFile ? pending.count : min(pending.count, Int(PIPE_BUF))
        let (fd, start) = (fd, pending.lowerBound)
        do throws(Errno) {
            let written = try check {
                bytes.withUnsafeBytes { Glibc.write(fd, $0.baseAddress.map { $0 + start }, count) }
            }
            pending = start + written..<pending.upperBound
        } catch .again {
            return
        } catch {
            close()
        }
    }

    /// Drops what was not delivered; nothing more is.
    mutating func close() {
        fd = -1
        pending = 0..<0
    }
}
