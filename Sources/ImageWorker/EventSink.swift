internal import FoundationEssentials
internal import Images
internal import Synchronization
internal import Sys

/// Writes events to the parent, one JSON object a line, from any thread.
final class EventSink: Sendable {
    private let output: Int32
    private let interruption: Interruption
    private let lock = Mutex(())

    /// `output` is borrowed.
    init(output: Int32, interruption: Interruption) {
        self.output = output
        self.interruption = interruption
    }

    /// A parent that is gone wants nothing more: the work ends.
    func send(_ event: WorkerEvent) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard let data = try? encoder.encode(event) else { return }
        let line = Array(data) + [UInt8(ascii: "\n")]
        // Held across the write so that lines do not mix: the pipe's reader is the only one who can hold it up.
        let written = lock.withLock { _ in
            (try? File.write(output, line)) != nil
        }
        if !written { interruption.request() }
    }
}
