internal import Images
internal import Layers
internal import OCI
internal import Sys

/// A layer's blob while it arrives: one thread appends to a file and says how far it is, any number read behind it. The
/// disk is the pipe between them, so a slow reader costs no memory and a broken pull keeps what it fetched.
final class Blob: Sendable {
    struct State: Sendable {
        /// The file to read; nil until it is open.
        var file: LocalBytes?
        /// Bytes that may be read.
        var available: Int64 = 0
        /// All bytes are there. Whether they are right is found by who reads them.
        var isComplete = false
        var failure: WorkerError?
        /// Counts how often the file was begun anew: who reads it begins again as well.
        var generation = 0
        /// The file still has bytes of an earlier pull.
        var isResumed = false
    }

    let layer: SourceLayer
    let state: Monitor<State>

    init(_ layer: SourceLayer) {
        self.layer = layer
        state = Monitor(State())
    }

    func fail(_ error: WorkerError) { state.update { $0.failure = $0.failure ?? error } }

    /// Throws the bytes away: they are counted from 0 again.
    func beginAnew() {
        state.update {
            $0.generation += 1
            $0.available = 0
            $0.isComplete = false
            $0.isResumed = false
        }
    }

    /// Waits until the file is open, and tells which generation of its bytes the caller then reads.
    func open() throws(WorkerError) -> (file: LocalBytes, generation: Int) {
        let result = state.wait { state -> Result<(LocalBytes, Int), WorkerError>? in
            if let failure = state.failure { return .failure(failure) }
            return state.file.map { .success(($0, state.generation)) }
        }
        return try result.get()
    }

    /// Whether a reader that choked shall hear first if the bytes were wrong: always where an earlier pull began them;
    /// else only when not much is missing, for a hostile server may send for ever.
    var isWorthWaiting: Bool { state.read { $0.isResumed || layer.size - $0.available < 64 << 20 } }

    /// Waits until all bytes are there; false when the file was begun anew instead.
    func isComplete(_ generation: Int) throws(WorkerError) -> Bool {
        let result = state.wait { state -> Result<Bool, WorkerError>? in
            if let failure = state.failure { return .failure(failure) }
            if state.generation != generation { return .success(false) }
            return state.isComplete ? .success(true) : nil
        }
        return try result.get()
    }

    /// Why the blob is not what its descriptor promises, given what came out of reading it; nil when it is.
    func fault(digest: Digest, size: Int64) -> String? {
        if size != layer.size { return "it has \(size) bytes, not \(layer.size)" }
        guard let expected = layer.digest, digest != expected else { return nil }
        return "its digest is \(digest), not \(expected)"
    }
}

/// Reads a blob behind the one who writes it; the end comes when all its bytes are there.
struct FollowingSource: ByteSource {
    private let blob: Blob
    private let file: LocalBytes
    private let generation: Int
    private let interruption: Interruption
    private let progress: @Sendable (Int64) -> Void
    private var position: Int64 = 0

    init(
        _ blob: Blob, file: LocalBytes, generation: Int, interruption: Interruption,
        progress: @escaping @Sendable (Int64) -> Void
    ) {
        self.blob = blob
        self.file = file
        self.generation = generation
        self.interruption = interruption
        self.progress = progress
    }

    mutating func read(into buffer: UnsafeMutableRawBufferPointer) throws(LayerError) -> Int {
        if interruption.isRequested { throw .source("interrupted") }
        let room = try readable()
        if room == 0 { return 0 }
        let count = Int(min(Int64(buffer.count), room))
        let part = UnsafeMutableRawBufferPointer(rebasing: buffer[..<count])
        let got: Int
        do throws(Errno) {
            got = try File.read(file.file.raw, into: part, at: file.offset + position)
        } catch {
            throw .system(operation: "read", entry: file.name, error)
        }
        if got == 0 { throw .source("\(file.name) became shorter while it was read") }
        position += Int64(got)
        progress(position)
        return got
    }

    /// How many bytes are there behind the position; 0 is the end.
    private func readable() throws(LayerError) -> Int64 {
        let result = blob.state.wait { [position, generation] state -> Result<Int64, LayerError>? in
            if let failure = state.failure { return .failure(.source("\(failure)")) }
            if state.generation != generation { return .failure(.source("the blob was begun anew")) }
            if state.available > position { return .success(state.available - position) }
            return state.isComplete ? .success(0) : nil
        }
        return try result.get()
    }

    /// The digest of the whole blob, read alone: for telling damaged bytes from a damaged layer.
    static func digest(
        of blob: Blob, file: LocalBytes, generation: Int, _ algorithm: Digest.Algorithm, interruption: Interruption
    ) throws(LayerError) -> (digest: Digest, size: Int64) {
        var source = HashingSource(
            FollowingSource(blob, file: file, generation: generation, interruption: interruption) { _ in }, algorithm)
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 << 10, alignment: 64)
        defer { buffer.deallocate() }
        while try source.read(into: buffer) > 0 {}
        return (source.digest, source.count)
    }
}
