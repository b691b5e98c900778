internal import FoundationEssentials
internal import Images
internal import Layers
internal import OCI
internal import Sys

/// Makes an image of one layer out of somebody's tar, read once from descriptor 3.
struct Import {
    let request: ImportRequest
    let store: StoreClient
    let interruption: Interruption
    let format: OnDiskFormat
    let owners: LayerOwners

    func run() throws(WorkerError) {
        let tree = try store.stage()
        let file = try tree.makeBlob()
        let (summary, blob) = try lift({ .source(request.input, reason: "\($0)") }) { () throws(LayerError) in
            let writer = try BlobWriter(file.raw, name: "blob", compresses: true)
            return (try extract(into: tree, keeping: writer), try writer.finish())
        }
        try interruption.check()
        guard let digest = summary.digest else { throw .breach("a layer without a digest") }
        var config = request.config
        config.rootfs.diffIDs = [digest]
        if try !store.open(config: try config.encoded()) { try claim(tree, blob, size: summary.size) }
        try interruption.check()
        let names = try request.name.map { name throws(WorkerError) in
            try lift({ .request("\($0)") }) { () throws(ReferenceError) in try Reference(parsing: name).tagged }
        }
        _ = try store.record([], names: names.map { [$0] } ?? [])
    }

    private func extract(into tree: StagedTree, keeping writer: BlobWriter) throws(LayerError) -> TransferSummary {
        var limits = ExtractionLimits()
        limits.owners = owners
        let source = InterruptibleSource(WorkerRequest.fileDescriptor, name: request.input, interruption)
        return try extractTar(
            source, into: tree.diff.raw, format: format, limits: limits, keeping: writer)
    }

    private func claim(_ tree: StagedTree, _ blob: Descriptor, size: UInt64) throws(WorkerError) {
        while true {
            switch try store.claim(0) {
            case .present: return
            case .absent:
                return try store.commit(
                    tree, place: 0, size: Int64(clamping: size), blob: KeeperRequest.Blob(blob, isFetched: false))
            case .busy:
                // Somebody imports the same.
                try interruption.check()
                Pause.milliseconds(20)
            }
        }
    }
}

extension ImageConfig {
    /// Sorted keys: the same image makes the same bytes.
    func encoded() throws(WorkerError) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        do {
            return Array(try encoder.encode(self))
        } catch {
            throw .request("cannot encode the image's config: \(error)")
        }
    }
}
