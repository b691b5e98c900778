internal import FoundationEssentials
internal import Images
internal import Synchronization
internal import Sys

/// Takes events from any thread: to the caller, one JSON object a line, or to the keeper.
final class EventSink: Sendable {
    /// The caller's descriptor, or -1.
    let output: Int32
    private let deliver: @Sendable (WorkerEvent) -> Bool
    private let interruption: Interruption

    /// Writes lines; `output` is borrowed.
    init(output: Int32, interruption: Interruption) {
        self.output = output
        self.interruption = interruption
        let lock = Mutex(())
        deliver = { event in
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            guard let data = try? encoder.encode(event) else { return true }
            let line = Array(data) + [UInt8(ascii: "\n")]
            // Held across the write so that lines do not mix: the pipe's reader is the only one who can hold it up.
            return lock.withLock { _ in (try? File.write(output, line)) != nil }
        }
    }

    init(_ client: StoreClient, interruption: Interruption) {
        output = -1
        self.interruption = interruption
        deliver = { client.send(.event($0)) }
    }

    /// A reader that is gone wants nothing more: the work ends.
    func send(_ event: WorkerEvent) {
        if !deliver(event) { interruption.request() }
    }
}
