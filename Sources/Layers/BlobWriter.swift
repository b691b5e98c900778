package import OCI
internal import Sys

/// Makes the blob of a layer while its bytes pass: of a plain tar gzip's, of anything else as it is.
package final class BlobWriter {
    /// One of the two; in place, so that no state is copied.
    private var plain: HashingSink<FileSink>?
    private var deflater: Deflater<HashingSink<FileSink>>?

    /// Borrows `fd`, an empty file; `name` is for messages.
    package init(_ fd: Int32, name: String, compresses: Bool) throws(LayerError) {
        let sink = HashingSink(FileSink(fd, name: name))
        if compresses { deflater = try Deflater(sink) } else { plain = sink }
    }

    func write(_ bytes: UnsafeRawBufferPointer) throws(LayerError) {
        try plain?.write(bytes)
        try deflater?.write(bytes)
    }

    /// Behind the last byte: what the file now holds, in OCI's terms. `compression` is that of bytes that were left as
    /// they are.
    package func finish(_ compression: Compression = .gzip) throws(LayerError) -> Descriptor {
        try plain?.finish()
        try deflater?.finish()
        guard let sink = deflater?.base ?? plain else { throw .source("a blob without an end") }
        return Descriptor(mediaType: compression.layerType, digest: sink.digest, size: sink.count)
    }
}

extension Compression {
    /// OCI's media type of a layer that is compressed so.
    package var layerType: String {
        switch self {
        case .plain: MediaType.ociLayer
        case .gzip: MediaType.ociLayer + "+gzip"
        case .zstd: MediaType.ociLayer + "+zstd"
        }
    }

    /// By the first bytes; nil where they are a format that layers do not have.
    package static func of(_ start: [UInt8]) -> Compression? {
        start.withUnsafeBytes { bytes in try? detect(bytes) }
    }
}

/// Passes a stream on, and lets a writer have it too.
package struct KeepingSource<Base: ByteSource>: ByteSource {
    private(set) package var base: Base
    private let writer: BlobWriter?

    package init(_ base: Base, _ writer: BlobWriter?) {
        self.base = base
        self.writer = writer
    }

    package mutating func read(into buffer: UnsafeMutableRawBufferPointer) throws(LayerError) -> Int {
        let got = try base.read(into: buffer)
        if got > 0 { try writer?.write(UnsafeRawBufferPointer(rebasing: buffer[..<got])) }
        return got
    }
}

/// The same for what is written.
struct KeepingSink<Base: ByteSink>: ByteSink {
    private(set) var base: Base
    private let writer: BlobWriter?

    init(_ base: Base, _ writer: BlobWriter?) {
        self.base = base
        self.writer = writer
    }

    mutating func write(_ bytes: UnsafeRawBufferPointer) throws(LayerError) {
        try writer?.write(bytes)
        try base.write(bytes)
    }

    mutating func finish() throws(LayerError) { try base.finish() }
}
