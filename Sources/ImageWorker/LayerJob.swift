internal import Images
internal import OCI
internal import Sys

/// One layer that the store lacks.
final class LayerJob: Sendable {
    /// Its place in the image, 0 at the bottom.
    let index: Int
    let diffID: Digest
    let blob: Blob
    let progress: Progress

    init(index: Int, diffID: Digest, blob: Blob, progress: Progress) {
        self.index = index
        self.diffID = diffID
        self.blob = blob
        self.progress = progress
    }
}

/// A layer's place in the image: there already, or to be made.
enum LayerSlot: Sendable {
    case present(directory: String)
    case missing(LayerJob)
}

/// A layer whose files are all in staging.
struct ExtractedLayer: Sendable {
    let tree: StagedTree
    /// Bytes of its files.
    let size: Int64
    let blob: KeeperRequest.Blob
}
