internal import CLinux
internal import Glibc
internal import Images
internal import Layers
internal import OCI
internal import Registry
internal import Sys

/// What is checked, found in the store before a stranger's byte is read.
struct CheckDraft: Sendable {
    let makings: ImageMakings
    let chain: [Digest]
    /// Layers that were looked at already.
    let known: Set<Digest>
    let repairs: Bool

    init(_ request: CheckRequest, _ store: ImageStore) throws(WorkerError) {
        let (image, makings) = try lift(WorkerError.store) { () throws(StoreError) in
            guard let image = try store.resolve("\(request.image)") else { throw .noSuchImage(request.image.short) }
            return (image, try store.makings(of: image))
        }
        self.makings = makings
        chain = image.layers.map(\.chainID)
        known = Set(request.known)
        repairs = request.repairs
    }
}

/// Holds an image's layers against their blobs: each is extracted once more, by the way of a pull, into the area, and
/// compared name by name with what the store has. What is damaged is replaced by what was extracted.
struct Check {
    private let draft: CheckDraft
    private let store: StoreClient
    /// nil where nothing may be fetched.
    private let client: RegistryClient?
    private let format: OnDiskFormat
    private let owners: LayerOwners
    private let sink: EventSink
    private let interruption: Interruption

    init(
        _ draft: CheckDraft, store: StoreClient, client: RegistryClient?, format: OnDiskFormat, owners: LayerOwners,
        sink: EventSink, interruption: Interruption
    ) {
        self.draft = draft
        self.store = store
        self.client = client
        self.format = format
        self.owners = owners
        self.sink = sink
        self.interruption = interruption
    }

    func run() throws(WorkerError) {
        guard try store.open(config: draft.makings.config) else {
            throw .source("image", reason: "it lacks layers")
        }
        for place in draft.chain.indices where !draft.known.contains(draft.chain[place]) {
            try interruption.check()
            sink.send(.checked(try check(place)))
        }
    }

    private func check(_ place: Int) throws(WorkerError) -> CheckedLayer {
        var result = CheckedLayer(chainID: draft.chain[place], faults: [], isRepaired: false)
        var made: Made?
        if let blob = draft.makings.blobs[place] {
            do throws(WorkerError) {
                made = try extract(place, from: try open(blob), descriptor: blob.descriptor)
            } catch .interrupted {
                throw .interrupted
            } catch {
                result.faults.append("its blob: \(error)")
            }
        } else {
            result.faults.append("its blob was not kept, so its files can't be compared")
        }
        // Wrong bytes can only be had anew where they came from.
        if made == nil, draft.repairs { made = try fetch(place, &result.faults) }
        guard let made else { return result }
        result.faults += try compare(made, place)
        if draft.repairs, !result.faults.isEmpty {
            try store.replace(made.tree, place: place, blob: made.isFetched ? made.blob : nil)
            result.isRepaired = true
        }
        return result
    }

    // MARK: Steps

    /// A layer's files in the area, and the blob beside them where it was fetched.
    private struct Made {
        let tree: StagedTree
        /// When its files began to be made.
        let began: FileTime
        /// By what it is compressed with.
        let blob: Descriptor
        var isFetched = false
    }

    private func open(_ blob: LayerBlob) throws(WorkerError) -> SharedFile {
        SharedFile(
            try system("open", blob.path) { () throws(Errno) in try File.open(blob.path, O_RDONLY | O_NOFOLLOW) })
    }

    private func extract(
        _ place: Int, from file: SharedFile, descriptor: Descriptor, into staged: StagedTree? = nil
    ) throws(WorkerError) -> Made {
        let tree = if let staged { staged } else { try store.stage() }
        defer { withExtendedLifetime((file, tree)) {} }
        let began = try system("stat", "staging") { () throws(Errno) in try File.status(tree.diff.raw).changed }
        var limits = ExtractionLimits()
        limits.owners = owners
        let lowers = OpenLayers(draft.makings.layers[..<place].map(\.diff))
        var source = InterruptibleSource(file.descriptor.raw, name: "blob", interruption)
        let result: LayerResult
        do throws(LayerError) {
            result = try applyLayer(
                &source, expectedDiffID: draft.makings.diffIDs[place], digestAlgorithm: descriptor.digest.algorithm,
                into: tree.diff.raw, format: format, limits: limits, compressedSize: descriptor.size,
                lowers: { () throws(LayerError) in try lowers.open() })
        } catch {
            try interruption.check()
            throw .layer(shown: descriptor.digest.short, error)
        }
        guard result.compressedDigest == descriptor.digest else {
            throw .blob(
                shown: descriptor.digest.short, reason: "its digest is \(result.compressedDigest)")
        }
        return Made(
            tree: tree, began: began,
            blob: Descriptor(
                mediaType: result.compression.layerType, digest: descriptor.digest, size: descriptor.size))
    }

    /// The blob from the registry that the image came from; nil, with the reason among the faults, where that can't be.
    private func fetch(_ place: Int, _ faults: inout [String]) throws(WorkerError) -> Made? {
        guard let client else {
            faults.append("it can't be fetched: the image came from no registry")
            return nil
        }
        guard let wanted = draft.makings.blobs[place]?.descriptor ?? draft.makings.named[safe: place] else {
            faults.append("it can't be fetched: no manifest names it")
            return nil
        }
        do throws(WorkerError) {
            let tree = try store.stage()
            let file = SharedFile(try tree.makeBlob())
            try lift(WorkerError.registry) { () throws(RegistryError) in
                try client.download(wanted, to: file.descriptor.raw, from: 0) { _ in }
            }
            var made = try extract(place, from: file, descriptor: wanted, into: tree)
            made.isFetched = true
            return made
        } catch .interrupted {
            throw .interrupted
        } catch {
            faults.append("\(error)")
            return nil
        }
    }

    private func compare(_ made: Made, _ place: Int) throws(WorkerError) -> [String] {
        let path = draft.makings.layers[place].diff
        let found = try system("open", path) { () throws(Errno) in try Directory.open(path) }
        defer { withExtendedLifetime(made) {} }
        let comparison = try lift({ .layer(shown: draft.chain[place].short, $0) }) { () throws(LayerError) in
            try TreeComparison.compare(found.raw, with: made.tree.diff.raw, madeSince: made.began)
        }
        let more = comparison.count - comparison.differences.count
        return comparison.differences + (more > 0 ? ["and \(more) more"] : [])
    }
}

extension Array {
    fileprivate subscript(safe index: Int) -> Element? { indices.contains(index) ? self[index] : nil }
}
