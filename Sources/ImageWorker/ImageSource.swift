internal import Images
internal import OCI
internal import Sys

/// Where images come from: a registry, a layout, an archive. Each step checks what it hands out against its descriptor.
protocol ImageSource: Sendable {
    /// What to fetch, found with as little reading as can be.
    func targets() throws(WorkerError) -> [PullTarget]

    /// The target's manifest for `platform`.
    func manifest(_ target: PullTarget, platform: Platform) throws(WorkerError) -> SourceManifest

    /// The image's config, which `manifest` names.
    func config(_ manifest: SourceManifest) throws(WorkerError) -> [UInt8]
}

/// One image to fetch.
struct PullTarget: Hashable, Sendable {
    /// How its source finds it.
    var key: String
    /// What the line "TAG: Pulling from REPOSITORY" says.
    var tag: String
    var repository: String
    /// What the status line calls it.
    var shown: String
    /// Names that are recorded, `name@digest` aside.
    var names: [Reference]
    /// Where `name@digest` is recorded.
    var digestRepository: Reference?
}

/// A manifest and how its layers are reached.
struct SourceManifest: Sendable {
    /// Descriptor of the config; nil in an archive that has no descriptors, where `key` is its member.
    var config: Descriptor?
    var key = ""
    var layers: [SourceLayer]
    /// What the source calls the image by: of the index where there is one. nil when it came without a manifest.
    var digest: Digest?
    /// The manifest and then the index, as they were received.
    var documents: [(digest: Digest, bytes: [UInt8])] = []
    /// What the index said of the manifest.
    var platform: Platform?
}

/// A layer's bytes, compressed or not.
struct SourceLayer: Sendable {
    enum Content: Sendable {
        /// To be fetched into a file, from an offset on; hears of every byte that was written.
        case remote(Fetch)
        /// A part of a file.
        case local(LocalBytes)
    }

    /// Appends to the descriptor from `offset`, calling `progress` with the total so far.
    typealias Fetch =
        @Sendable (
            _ file: Int32, _ offset: Int64, _ progress: @escaping @Sendable (Int64) -> Void
        ) throws(WorkerError) -> Void

    /// Of the blob; nil where nobody said it.
    var digest: Digest?
    /// Bytes of the blob.
    var size: Int64
    /// What the layer is called in the output.
    var shown: String
    var mediaType: String?
    /// Told that the bytes were wrong; whether fetching them once more may bring others.
    var distrust: @Sendable () -> Bool = { false }
    var content: Content
}

/// Bytes of an open file that somebody else may read as well.
final class LocalBytes: Sendable {
    let file: OwnedFD
    let offset: Int64
    let length: Int64
    let name: String

    init(_ file: consuming OwnedFD, offset: Int64, length: Int64, name: String) {
        self.file = file
        self.offset = offset
        self.length = length
        self.name = name
    }
}
