internal import Glibc
internal import Sys

/// Bytes on their way from one descriptor to another. Waits for either end only in the caller's poll, so that a slow
/// reader never keeps signals or the container's exit from being seen.
struct Pump {
    /// -1 when ended.
    private(set) var source: Int32
    private let sink: Int32
    private let sinkIsFile: Bool
    private var buffer = [UInt8](repeating: 0, count: 64 << 10)
    private var pending = 0..<0

    init(from source: Int32, to sink: Int32) {
        self.source = source
        self.sink = sink
        let kind = (try? File.status(sink))?.kind
        sinkIsFile = kind == .regular || kind == .characterDevice && !Terminal.isTerminal(sink)
    }

    var isDone: Bool { source < 0 && pending.isEmpty }

    /// What to wait for: room when something is pending, else news.
    var pollItem: PollItem {
        pending.isEmpty ? PollItem(source, .readable) : PollItem(sink, .writable)
    }

    /// Does what `item` is ready for. False when the sink's reader is gone: nothing more can be delivered.
    mutating func advance(_ item: PollItem) -> Bool {
        guard !item.ready.isEmpty else { return true }
        if pending.isEmpty {
            fill()
            return true
        }
        return drain()
    }

    mutating func end() {
        source = -1
        pending = 0..<0
    }

    private mutating func fill() {
        do throws(Errno) {
            let fd = source
            let count = try check {
                buffer.withUnsafeMutableBytes { Glibc.read(fd, $0.baseAddress, $0.count) }
            }
            pending = 0..<count
            if count == 0 { source = -1 }
        } catch .again {
            return
        } catch {
            // EIO: the last holder of the pseudo-terminal's other end is gone (pty(7)), its end of file.
            source = -1
        }
    }

    private mutating func drain() -> Bool {
        // POLLOUT promises room for PIPE_BUF bytes; more could block, and the sink may be shared, so it can't be made
        // non-blocking. A file never blocks.
        let limit = sinkIsFile ? pending.count : min(pending.count, Int(PIPE_BUF))
        let range = pending.lowerBound..<pending.lowerBound + limit
        do throws(Errno) {
            let fd = sink
            let count = try check {
                buffer.withUnsafeBytes { Glibc.write(fd, $0.baseAddress.map { $0 + range.lowerBound }, range.count) }
            }
            pending = pending.lowerBound + count..<pending.upperBound
            return true
        } catch .again {
            return true
        } catch {
            end()
            return false
        }
    }
}
