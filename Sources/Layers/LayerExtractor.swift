internal import Sys

/// What a layer held.
package struct ExtractionSummary: Sendable, Hashable {
    /// Members of the tar, whiteouts included.
    package var entries: UInt64 = 0
    /// Sum of the regular files' sizes: docker's layer size.
    package var bytes: UInt64 = 0
    /// Device nodes that were left out, and members that got another owner (`LayerOwners`).
    package var leftOutDevices: UInt64 = 0
    package var otherOwners: UInt64 = 0
}

/// Writes the members of one layer's tar into a directory.
///
/// Nothing is written outside of it, whatever the names and links of the tar say; what cannot be kept exactly refuses
/// the layer. After an error the directory holds a part of the layer and is the caller's to remove. Making it durable
/// (one syncfs a layer) is the caller's too.
package struct LayerExtractor {
    let tree: LayerTree
    var summary = ExtractionSummary()
    var rootDescribed = false

    /// - Parameters:
    ///   - directory: the layer's `diff` directory, borrowed; empty, except with the format `.directory`.
    ///   - compressedSize: bytes of the blob, for the limit on the ratio.
    ///   - lowers: the `diff` directories of the layers below, top first, borrowed for the extractor's life. Called at
    ///     most once, when the layer needs something of theirs and at the latest before `extract` returns; it may
    ///     wait until they are complete, so layers must be started bottom first.
    package init(
        into directory: Int32, format: OnDiskFormat, limits: ExtractionLimits = ExtractionLimits(),
        compressedSize: Int64, lowers: @escaping () throws(LayerError) -> [Int32]
    ) throws(LayerError) {
        tree = try LayerTree(
            directory, format: format, limits: limits, compressedSize: compressedSize, lowers: lowers)
    }

    /// Extracts `tar`, uncompressed, and reads it to its end.
    package mutating func extract<S: ByteSource>(_ tar: inout S) throws(LayerError) -> ExtractionSummary {
        var chunks = BufferedChunks(tar)
        defer { tar = chunks.base }
        return try extract(chunks: &chunks)
    }

    mutating func extract<C: ChunkSource>(chunks: inout C) throws(LayerError) -> ExtractionSummary {
        var reader = TarReader(TarInput(chunks, budget: tree.budget), limits: tree.limits)
        defer { chunks = reader.input.source }
        while let entry = try reader.next() {
            summary.entries += 1
            try apply(entry, from: &reader)
        }
        try reader.drain()
        try finish()
        return summary
    }

    /// The root of a layer that does not describe it is the one below; then the directories get their times.
    private func finish() throws(LayerError) {
        try tree.hideBelowRoot()
        if tree.format.keepsWhiteouts, !rootDescribed {
            if let below = try tree.lowerView().root() {
                try tree.inherit(from: below, to: tree.root)
            } else {
                let plain = tree.limits.owners.impliedDirectory(tree.impliedTime)
                try tree.deferred.set(tree.root.path, plain, limits: tree.limits)
            }
        }
        try tree.deferred.apply(at: tree.root.fd)
    }
}
