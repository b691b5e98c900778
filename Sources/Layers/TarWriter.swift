internal import Sys

/// Writes members one after the other, each with exactly as many bytes of data as its header says.
struct TarWriter<Sink: ByteSink> {
    private(set) var sink: Sink
    /// Bytes of the stream so far.
    private(set) var count: Int64 = 0
    /// Those of them that are extended headers.
    private(set) var extensions: Int64 = 0
    private let zeros = RawBuffer(count: 64 << 10)

    init(_ sink: Sink) {
        self.sink = sink
        zeros.bytes.initializeMemory(as: UInt8.self, repeating: 0)
    }

    /// A member without data, or the header of one whose data follows by `data` and `padding`.
    mutating func header(_ entry: TarEntry) throws(LayerError) {
        let bytes = try TarHeaderBlock.bytes(entry)
        extensions += Int64(bytes.count) - 512
        var failure: LayerError?
        bytes.withUnsafeBytes { buffer in
            do throws(LayerError) { try data(buffer) } catch { failure = error }
        }
        if let failure { throw failure }
    }

    mutating func data(_ bytes: UnsafeRawBufferPointer) throws(LayerError) {
        if bytes.isEmpty { return }
        try sink.write(bytes)
        count += Int64(bytes.count)
    }

    mutating func zeros(_ number: Int64) throws(LayerError) {
        var left = number
        while left > 0 {
            let piece = Int(min(left, Int64(zeros.bytes.count)))
            try data(UnsafeRawBufferPointer(rebasing: zeros.bytes[..<piece]))
            left -= Int64(piece)
        }
    }

    /// Fills the last block of a member's data.
    mutating func padding() throws(LayerError) { try zeros((512 - count % 512) % 512) }

    /// The two empty blocks that end a tar.
    mutating func finish() throws(LayerError) {
        try zeros(1024)
        try sink.finish()
    }
}
