internal import Images
internal import Layers
internal import OCI
internal import Sys

/// The copy of a blob that comes from a file and is to be kept. What was fetched lies where it is kept already.
final class BlobCopy {
    let writer: BlobWriter?
    private let file: OwnedFD?
    private let shown: String
    private let compresses: Bool

    init(of layer: SourceLayer, in tree: StagedTree) throws(WorkerError) {
        shown = layer.shown
        guard case .local(let bytes) = layer.content else {
            writer = nil
            file = nil
            compresses = false
            return
        }
        let start = try system("read", bytes.name) { () throws(Errno) in
            try File.bytes(bytes.file.raw, at: bytes.offset, count: min(16, Int(clamping: bytes.length)))
        }
        // Where nobody said what the blob is, as in docker's archives, it need not be a plain tar.
        compresses = layer.digest == nil && Compression.of(start) == .plain
        let made = try tree.makeBlob()
        writer = try lift({ .layer(shown: layer.shown, $0) }) { [raw = made.raw, compresses] () throws(LayerError) in
            try BlobWriter(raw, name: "blob", compresses: compresses)
        }
        file = consume made
    }

    /// What the copy is; nil where there is none. `compression` is that of the source.
    func finish(_ compression: Compression) throws(WorkerError) -> Descriptor? {
        guard let writer else { return nil }
        // The writer borrows its number.
        defer { withExtendedLifetime(self) {} }
        return try lift({ .layer(shown: shown, $0) }) { () throws(LayerError) in
            try writer.finish(compresses ? .gzip : compression)
        }
    }
}
