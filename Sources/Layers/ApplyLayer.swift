package import OCI
internal import Sys

/// What one layer turned out to be, all of it checked.
package struct LayerResult: Sendable, Hashable {
    package let diffID: Digest
    /// Sum of the regular files' sizes, as docker counts a layer.
    package let size: UInt64
    package let entries: UInt64
    package let compression: Compression
    /// Of the bytes as they came.
    package let compressedDigest: Digest
    package let compressedSize: Int64
    package let leftOutDevices: UInt64
    package let otherOwners: UInt64
}

/// One layer from its blob to a verified tree: hash, inflate and hash on the calling thread, extraction on a second
/// one. The caller compares `compressedDigest` and `compressedSize` with the descriptor.
///
/// Memory, whatever the layer holds: `ChunkPipe.bound` (2 MiB) and `Inflater.inputBound` (256 KiB) of buffers, 0.1 MiB
/// for gzip's state or the window for zstd (128 MiB at most), three extended headers of 1 MiB each, and
/// `ExtractionLimits.directoryListSize`.
///
/// - Parameters:
///   - compressed: read to its end on success.
///   - declared: what the media type says; nil accepts any of the three.
///   - into: as for `LayerExtractor`.
///   - lowers: as for `LayerExtractor`; called on the second thread.
package func applyLayer<S: ByteSource>(
    _ compressed: inout S, expectedDiffID: Digest, declared: Compression? = nil,
    digestAlgorithm: Digest.Algorithm = .sha256, into directory: Int32, format: OnDiskFormat,
    limits: ExtractionLimits = ExtractionLimits(), compressedSize: Int64,
    lowers: @escaping @Sendable () throws(LayerError) -> [Int32]
) throws(LayerError) -> LayerResult {
    let pipe = ChunkPipe()
    let outcome = ExtractionOutcome()
    let thread = try startThread {
        outcome.result = extractAll(
            from: pipe, into: directory, format: format, limits: limits, compressedSize: compressedSize,
            lowers: lowers)
        pipe.abandon()
    }
    var tar = HashingSource(
        Inflater(HashingSource(compressed, digestAlgorithm), declared: declared), expectedDiffID.algorithm)
    pump(&tar, into: pipe)
    thread.join()
    compressed = tar.base.base.base
    guard let result = outcome.result else { throw .source("extraction thread ended without a result") }
    let summary = try result.get()
    let diffID = tar.digest
    if diffID != expectedDiffID { throw .diffID(expected: expectedDiffID, found: diffID) }
    return LayerResult(
        diffID: diffID, size: summary.bytes, entries: summary.entries, compression: tar.base.compression ?? .plain,
        compressedDigest: tar.base.base.digest, compressedSize: tar.base.base.count,
        leftOutDevices: summary.leftOutDevices, otherOwners: summary.otherOwners)
}

/// Written by the extracting thread, read after it was joined: `pthread_join` orders the two.
final class ExtractionOutcome: @unchecked Sendable {
    var result: Result<ExtractionSummary, LayerError>?
}

func startThread(_ body: @escaping @Sendable () -> Void) throws(LayerError) -> JoinableThread {
    do throws(Errno) {
        return try JoinableThread(body)
    } catch {
        throw .system(operation: "start thread for", entry: "layer", error)
    }
}

/// Fills whole slots: the fewer hand-overs, the fewer wake-ups.
func pump<S: ByteSource>(_ tar: inout S, into pipe: ChunkPipe) {
    do throws(LayerError) {
        while let slot = pipe.vacant() {
            var filled = 0
            var ended = false
            while filled < slot.count, !ended {
                let count = try tar.read(into: UnsafeMutableRawBufferPointer(rebasing: slot[filled...]))
                ended = count == 0
                filled += count
            }
            if filled > 0 { pipe.commit(filled) }
            if ended { break }
        }
        pipe.end(nil)
    } catch {
        pipe.end(error)
    }
}

func extractAll(
    from pipe: ChunkPipe, into directory: Int32, format: OnDiskFormat, limits: ExtractionLimits, compressedSize: Int64,
    lowers: @escaping () throws(LayerError) -> [Int32]
) -> Result<ExtractionSummary, LayerError> {
    do throws(LayerError) {
        var extractor = try LayerExtractor(
            into: directory, format: format, limits: limits, compressedSize: compressedSize, lowers: lowers)
        var chunks = PipedChunks(pipe: pipe)
        return .success(try extractor.extract(chunks: &chunks))
    } catch {
        return .failure(error)
    }
}
