internal import Glibc
internal import Images
internal import Layers
internal import OCI
internal import Sys

/// Makes an image of what a container changed. The upper directory goes through a tar, whose digest is the layer's diff
/// ID, into a new layer's files by the way that a pulled layer takes: what the image shows here is what others see who
/// get it. The keeper makes it visible, durable before it is named.
struct Commit {
    let request: CommitRequest
    let store: StoreClient
    /// The directory of all layers.
    let layers: String
    let interruption: Interruption
    let format: OnDiskFormat
    let owners: LayerOwners

    func run() throws(WorkerError) {
        let tree = try store.stage()
        let file = try tree.makeBlob()
        let writer = try lift({ .transfer($0) }) { () throws(LayerError) in
            try BlobWriter(file.raw, name: "blob", compresses: true)
        }
        let summary = try pack(into: tree, keeping: writer)
        let blob = try lift({ .transfer($0) }) { () throws(LayerError) in try writer.finish() }
        _ = consume file
        try interruption.check()
        var config = request.config
        let isEmpty = summary.members == 0
        if isEmpty {
            if let last = config.history?.indices.last { config.history?[last].emptyLayer = true }
        } else {
            guard let digest = summary.digest else { throw .breach("a layer without a digest") }
            config.rootfs.diffIDs.append(digest)
        }
        if try !store.open(config: try config.encoded()) {
            try claimAll(config.rootfs.diffIDs.count, new: isEmpty ? nil : (tree, blob), size: summary.size)
        }
        try interruption.check()
        _ = try store.record([], names: try names())
    }

    private func pack(into tree: StagedTree, keeping blob: BlobWriter) throws(WorkerError) -> TransferSummary {
        var options = PackingOptions()
        options.owner = owners.packed
        options.marks = .layer
        options.format = format
        var limits = ExtractionLimits.ownFiles
        limits.owners = owners
        options.excluded = Set(request.excluded.compactMap { PathBytes(Path.parts($0).joined(separator: "/").utf8) })
        let upper = "\(layers)/\(request.container)/diff"
        let directory = try system("open", upper) { () throws(Errno) in try Directory.open(upper) }
        let lowers = OpenLayers(request.lowers)
        do throws(LayerError) {
            return try TransferSource.contents(directory.raw).extract(
                into: tree.diff.raw, format: format, options, limits: limits, keeping: blob
            ) { () throws(LayerError) in try lowers.open() }
        } catch {
            throw .layer(shown: "of container \(request.container.prefix(12))", error)
        }
    }

    /// All layers but the new one are there: the container's record keeps them.
    private func claimAll(_ count: Int, new: (tree: StagedTree, blob: Descriptor)?, size: UInt64) throws(WorkerError) {
        for place in 0..<count {
            switch try claim(place) {
            case .present: continue
            case .absent:
                guard let new, place == count - 1 else {
                    throw .source("layer \(place + 1) of the container's image", reason: "it is not there any more")
                }
                try store.commit(
                    new.tree, place: place, size: Int64(clamping: size),
                    blob: KeeperRequest.Blob(new.blob, isFetched: false))
            case .busy: continue
            }
        }
    }

    private func claim(_ place: Int) throws(WorkerError) -> StoreClient.Claim {
        while true {
            let claim = try store.claim(place)
            if case .busy = claim {
                // Another commit of the same files.
                try interruption.check()
                Pause.milliseconds(20)
                continue
            }
            return claim
        }
    }

    private func names() throws(WorkerError) -> [Reference] {
        guard let name = request.name else { return [] }
        return [
            try lift({ .request("\($0)") }) { () throws(ReferenceError) in try Reference(parsing: name).tagged }
        ]
    }
}

/// The directories of the layers below, opened when one of them is needed.
final class OpenLayers: Sendable {
    private let paths: [String]
    private let opened = Monitor<[Int32]>([])

    /// Bottom first.
    init(_ paths: [String]) { self.paths = paths }

    /// Top first.
    func open() throws(LayerError) -> [Int32] {
        for path in paths.reversed() {
            do throws(Errno) {
                let descriptor = try Directory.open(path).release()
                opened.update { $0.append(descriptor) }
            } catch {
                throw .system(operation: "open", entry: path, error)
            }
        }
        return opened.read { $0 }
    }
}

extension ExtractionLimits {
    /// For files that were on this machine before: they may be as many and as large as they are. How deep and how long
    /// names may be stays as it is.
    static var ownFiles: ExtractionLimits {
        var limits = ExtractionLimits()
        limits.entries = .max
        limits.expandedSize = .max
        limits.ratioFloor = .max
        limits.lookups = .max
        limits.directoryListSize = 1 << 30
        return limits
    }
}
