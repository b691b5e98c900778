/// A stream that lends its bytes piece by piece, so that they are written to a file from where they were inflated.
protocol ChunkSource {
    /// The next bytes, never empty, valid until the next call; nil is the end.
    mutating func next() throws(LayerError) -> UnsafeRawBufferPointer?
}

/// Chunks of a `ByteSource`, read into a buffer of its own.
struct BufferedChunks<Base: ByteSource>: ChunkSource {
    private(set) var base: Base
    private let buffer: RawBuffer

    init(_ base: Base, size: Int = 256 << 10) {
        self.base = base
        self.buffer = RawBuffer(count: size)
    }

    mutating func next() throws(LayerError) -> UnsafeRawBufferPointer? {
        let count = try base.read(into: buffer.bytes)
        return count == 0 ? nil : UnsafeRawBufferPointer(rebasing: buffer.bytes[..<count])
    }
}
