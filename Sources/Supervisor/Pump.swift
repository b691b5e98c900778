internal import Sys

/// Bytes on their way from one descriptor to another. Waits for either end only in the caller's poll, so that a slow
/// reader never keeps signals or the container's exit from being seen.
struct Pump {
    /// -1 when ended.
    private(set) var source: Int32
    private var sink: ByteSink

    init(from source: Int32, to sink: Int32) {
        self.source = source
        self.sink = ByteSink(sink)
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

    mutating func end() {
        source = -1
        sink.close()
    }

    private mutating func fill() {
        do throws(Errno) {
            if try !sink.fill(from: source) { source = -1 }
        } catch .again {
            return
        } catch {
            // EIO: the last holder of the pseudo-terminal's other end is gone (pty(7)), its end of file.
            source = -1
        }
    }
}
