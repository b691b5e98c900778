internal import Images
internal import Synchronization
internal import Sys

/// Tells the parent how far one layer is, at most ten times a second.
final class Progress: Sendable {
    private static let interval: Int64 = 100_000_000

    private struct State {
        var lastSent: Int64 = 0
        /// Extraction runs behind the download; it is shown only once that is over.
        var isFetched = false
    }

    private let sink: EventSink
    private let id: String
    private let total: Int64
    private let state = Mutex(State())

    init(_ sink: EventSink, id: String, total: Int64) {
        self.sink = sink
        self.id = id
        self.total = total
    }

    func send(_ state: WorkerEvent.LayerState) { sink.send(.layer(id: id, state: state)) }

    func fetching(_ current: Int64) {
        if isDue(extracting: false) { send(.downloading(current: current, total: total)) }
    }

    /// All bytes are there; they are checked as they are extracted.
    func verifying() {
        state.withLock { $0.isFetched = true }
        send(.verifying)
    }

    /// They were right.
    func fetched() { send(.downloaded) }

    func extracting(_ current: Int64) {
        if isDue(extracting: true) { send(.extracting(current: current, total: total)) }
    }

    func pushing(_ current: Int64) {
        if isDue(extracting: false) { send(.pushing(current: current, total: total)) }
    }

    private func isDue(extracting: Bool) -> Bool {
        let now = Clock.monotonicNanoseconds
        return state.withLock { state in
            guard state.isFetched == extracting, now - state.lastSent >= Progress.interval else { return false }
            state.lastSent = now
            return true
        }
    }
}
