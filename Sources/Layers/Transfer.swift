package import OCI
internal import Sys

/// From where members come: a tree that is packed on the way, or a tar that somebody else wrote.
package enum TransferSource: Sendable {
    /// An open file of any kind (O_PATH, or a directory), borrowed, and its name in the tar.
    case item(Int32, name: [UInt8])
    /// All below an open directory, borrowed.
    case contents(Int32)
    /// An uncompressed or compressed tar, borrowed.
    case tar(Int32, name: String)
}

/// Extracts a tar, compressed or not, by the same reader as a layer's, and has its contents, uncompressed, kept as a blob.
package func extractTar<Source: ByteSource & Sendable>(
    _ source: Source, into directory: Int32, format: OnDiskFormat, limits: ExtractionLimits, keeping blob: BlobWriter
) throws(LayerError) -> TransferSummary {
    let pipe = ChunkPipe()
    let outcome = ExtractionOutcome()
    let thread = try startThread {
        outcome.result = extractAll(
            from: pipe, into: directory, format: format, limits: limits, compressedSize: .max,
            lowers: { () throws(LayerError) in [] })
        pipe.abandon()
    }
    var tar = HashingSource(KeepingSource(Inflater(source, accepts: .archives), blob))
    pump(&tar, into: pipe)
    thread.join()
    guard let result = outcome.result else { throw .source("extraction thread ended without a result") }
    return TransferSummary(bytes: tar.count, members: 0, size: try result.get().bytes, digest: tar.digest)
}

/// What a transfer moved.
package struct TransferSummary: Sendable, Hashable {
    /// Bytes of the tar.
    package var bytes: Int64
    /// The same without extended headers, which is what docker's tar would have.
    package var plainBytes: Int64 = 0
    /// Members of it.
    package var members: UInt64
    /// Sum of the regular files' sizes, where they were extracted.
    package var size: UInt64
    /// Of the tar, uncompressed; nil where nobody needs it.
    package var digest: Digest?
}

extension TransferSource {
    /// Writes the members to `output`, which is borrowed.
    package func pack(to output: Int32, name: String, _ options: PackingOptions) throws(LayerError) -> TransferSummary {
        var packer = TreePacker(FileSink(output, name: name), options)
        try fill(&packer)
        return TransferSummary(bytes: packer.writer.count, members: packer.members, size: 0)
    }

    fileprivate func fill<Sink: ByteSink>(_ packer: inout TreePacker<Sink>) throws(LayerError) {
        switch self {
        case .item(let item, let name): try packer.pack(item, as: name)
        case .contents(let directory): try packer.packContents(of: directory)
        case .tar: throw .source("a tar is not packed")
        }
        try packer.finish()
    }

    /// Extracts the members into `directory`, borrowed, on a second thread. A tree is packed and read again by the same
    /// strict reader as a stranger's tar: there is one way in which files are made. `blob` gets the tar, uncompressed.
    package func extract(
        into directory: Int32, format: OnDiskFormat, _ options: PackingOptions, limits: ExtractionLimits,
        keeping blob: BlobWriter? = nil,
        lowers: @escaping @Sendable () throws(LayerError) -> [Int32]
    ) throws(LayerError) -> TransferSummary {
        let pipe = ChunkPipe()
        let outcome = ExtractionOutcome()
        let thread = try startThread {
            outcome.result = extractAll(
                from: pipe, into: directory, format: format, limits: limits, compressedSize: .max, lowers: lowers)
            pipe.abandon()
        }
        var summary = TransferSummary(bytes: 0, members: 0, size: 0)
        do throws(LayerError) {
            summary = try send(to: pipe, options, blob)
            pipe.end(nil)
        } catch {
            pipe.end(error)
        }
        thread.join()
        guard let result = outcome.result else { throw .source("extraction thread ended without a result") }
        summary.size = try result.get().bytes
        return summary
    }

    private func send(
        to pipe: ChunkPipe, _ options: PackingOptions, _ blob: BlobWriter?
    ) throws(LayerError) -> TransferSummary {
        if case .tar(let input, let name) = self {
            var tar = HashingSource(KeepingSource(Inflater(FileSource(input, name: name), accepts: .archives), blob))
            pump(&tar, into: pipe)
            return TransferSummary(bytes: tar.count, members: 0, size: 0, digest: tar.digest)
        }
        var packer = TreePacker(HashingSink(KeepingSink(PipeSink(pipe), blob)), options)
        try fill(&packer)
        return TransferSummary(
            bytes: packer.writer.count, plainBytes: packer.writer.count - packer.writer.extensions,
            members: packer.members, size: 0, digest: packer.writer.sink.digest)
    }
}
