internal import Glibc
internal import Sys

/// Bytes on their way from one descriptor to another. Waits for either end only in the caller's poll, so that a slow
/// reader never keeps signals or the container's exit from being seen.
struct Pump {
    /// -1 when ended.
    private(set) var source: Int32
    private var sink: ByteSink
    /// Looked for in what passes; nil: nothing is.
    private var keys: DetachKeys?
    /// The user typed them.
    private(set) var isDetached = false

    init(from source: Int32, to sink: Int32, keys: DetachKeys? = nil) {
        self.source = source
        self.sink = ByteSink(sink)
        self.keys = keys
    }

    var isDone: Bool { source < 0 && sink.isEmpty }

    /// What to wait for: room when something is pending, else news.
    var pollItem: PollItem {
        sink.isEmpty ? PollItem(source, .readable) : PollItem(sink.fd, .writable)
    }

    /// Does what `item` is ready for. False when the sink's reader is gone: nothing more can be delivered.
    mutating func advance(_ item: PollItem) -> Bool {
        guard !item.ready.isEmpty else { return true }
        if sink.isEmpty { fill() } else { sink.drain() }
        if !sink.isOpen { end() }
        return sink.isOpen
    }

    private mutating func fillByKeys() throws(Errno) -> Bool {
        var typed = [UInt8](repeating: 0, count: 4096)
        let fd = source
        let count = try check { read(fd, &typed, typed.count) }
        if let (passed, detached) = keys?.filter(Array(typed[..<count])) {
            sink.put(passed)
            isDetached = detached
        }
        return count > 0
    }

    mutating func end() {
        source = -1
        sink.close()
    }

    private mutating func fill() {
        do throws(Errno) {
            if try keys == nil ? !sink.fill(from: source) : !fillByKeys() { source = -1 }
        } catch .again {
            return
        } catch {
            // EIO: the last holder of the pseudo-terminal's other end is gone (pty(7)), its end of file.
            source = -1
        }
    }
}
