package import OCI
internal import Sys

/// Where a stream of bytes goes.
package protocol ByteSink {
    /// Takes all of `bytes`; blocks until there is room.
    mutating func write(_ bytes: UnsafeRawBufferPointer) throws(LayerError)
    /// Hands on what is held back; to be called once, behind the last byte.
    mutating func finish() throws(LayerError)
}

/// A file or a pipe, written in large pieces.
package struct FileSink: ByteSink {
    private static let capacity = 256 << 10

    private let fd: Int32
    private let name: String
    private let buffer = RawBuffer(count: capacity)
    private var filled = 0

    /// Borrows `fd`; `name` is for messages.
    package init(_ fd: Int32, name: String) {
        self.fd = fd
        self.name = name
    }

    package mutating func write(_ bytes: UnsafeRawBufferPointer) throws(LayerError) {
        if filled + bytes.count > buffer.bytes.count { try flush() }
        if bytes.count >= buffer.bytes.count { return try put(bytes) }
        UnsafeMutableRawBufferPointer(rebasing: buffer.bytes[filled...]).copyMemory(from: bytes)
        filled += bytes.count
    }

    package mutating func finish() throws(LayerError) { try flush() }

    private mutating func flush() throws(LayerError) {
        try put(UnsafeRawBufferPointer(rebasing: buffer.bytes[..<filled]))
        filled = 0
    }

    private func put(_ bytes: UnsafeRawBufferPointer) throws(LayerError) {
        do throws(Errno) {
            try File.write(fd, bytes)
        } catch {
            throw .system(operation: "write", entry: name, error)
        }
    }
}

/// Passes a stream on and computes its digest and length.
package struct HashingSink<Base: ByteSink>: ByteSink {
    private(set) package var base: Base
    private var hasher = DigestHasher(.sha256)
    private(set) package var count: Int64 = 0

    package init(_ base: Base) { self.base = base }

    /// Of all bytes so far.
    package var digest: Digest { hasher.finish() }

    package mutating func write(_ bytes: UnsafeRawBufferPointer) throws(LayerError) {
        hasher.update(bytes)
        count += Int64(bytes.count)
        try base.write(bytes)
    }

    package mutating func finish() throws(LayerError) { try base.finish() }
}

/// The filling end of a `ChunkPipe`.
struct PipeSink: ByteSink {
    private let pipe: ChunkPipe
    private var slot: UnsafeMutableRawBufferPointer?
    private var filled = 0

    init(_ pipe: ChunkPipe) { self.pipe = pipe }

    mutating func write(_ bytes: UnsafeRawBufferPointer) throws(LayerError) {
        var rest = bytes
        while !rest.isEmpty {
            guard let slot = slot ?? pipe.vacant() else {
                // The reader's own error is what counts.
                throw .source("nobody reads the archive any more")
            }
            self.slot = slot
            let count = min(rest.count, slot.count - filled)
            UnsafeMutableRawBufferPointer(rebasing: slot[filled...])
                .copyMemory(from: UnsafeRawBufferPointer(rebasing: rest[..<count]))
            filled += count
            rest = UnsafeRawBufferPointer(rebasing: rest[count...])
            if filled == slot.count { handOver() }
        }
    }

    mutating func finish() throws(LayerError) {
        if filled > 0 { handOver() }
    }

    private mutating func handOver() {
        pipe.commit(filled)
        slot = nil
        filled = 0
    }
}
