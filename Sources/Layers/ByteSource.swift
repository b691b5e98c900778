package import OCI
internal import Sys

/// A stream of bytes.
package protocol ByteSource {
    /// Fills a part of `buffer`, which is not empty, and says how much; 0 is the end. Blocks until there is something.
    mutating func read(into buffer: UnsafeMutableRawBufferPointer) throws(LayerError) -> Int
}

/// A file from its current position to its end.
package struct FileSource: ByteSource {
    private let fd: Int32
    private let name: String

    /// Borrows `fd`; `name` is for messages.
    package init(_ fd: Int32, name: String) {
        self.fd = fd
        self.name = name
    }

    package mutating func read(into buffer: UnsafeMutableRawBufferPointer) throws(LayerError) -> Int {
        do throws(Errno) {
            return try File.read(fd, into: buffer)
        } catch {
            throw .system(operation: "read", entry: name, error)
        }
    }
}

/// Bytes in memory.
package struct MemorySource: ByteSource {
    private let bytes: [UInt8]
    private var position = 0

    package init(_ bytes: [UInt8]) { self.bytes = bytes }

    package mutating func read(into buffer: UnsafeMutableRawBufferPointer) throws(LayerError) -> Int {
        let count = min(buffer.count, bytes.count - position)
        buffer.copyBytes(from: bytes[position..<position + count])
        position += count
        return count
    }
}

/// Passes a stream on and computes its digest and length.
package struct HashingSource<Base: ByteSource>: ByteSource {
    private(set) package var base: Base
    private var hasher: DigestHasher
    private(set) package var count: Int64 = 0

    package init(_ base: Base, _ algorithm: Digest.Algorithm = .sha256) {
        self.base = base
        self.hasher = DigestHasher(algorithm)
    }

    /// Of all bytes read so far.
    package var digest: Digest { hasher.finish() }

    package mutating func read(into buffer: UnsafeMutableRawBufferPointer) throws(LayerError) -> Int {
        let got = try base.read(into: buffer)
        hasher.update(UnsafeRawBufferPointer(rebasing: buffer[..<got]))
        count += Int64(got)
        return got
    }
}

/// A heap block with one owner, freed with it.
final class RawBuffer {
    let bytes: UnsafeMutableRawBufferPointer

    init(count: Int) {
        bytes = .allocate(byteCount: count, alignment: 64)
    }

    deinit { bytes.deallocate() }
}
