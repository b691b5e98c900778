internal import Images
internal import OCI
internal import Sys

/// Brings the layers of one image into the store.
struct LayerFetch {
    let store: StoreClient
    let request: WorkerRequest
    let sink: EventSink
    let interruption: Interruption

    func run(_ manifest: SourceManifest, _ config: ImageConfig) throws(WorkerError) {
        let slots = try slots(manifest.layers, config.rootfs.diffIDs)
        announce(slots, manifest.layers)
        let pipeline = LayerPipeline(
            store: store, slots: slots, request: request, interruption: interruption)
        do throws(WorkerError) {
            try pipeline.run()
            for text in pipeline.notes { sink.send(.warning(text)) }
        } catch {
            if !error.keepsFetched { pipeline.dropBlobs() }
            throw error
        }
    }

    /// Claims what is missing, bottom-up (the lock order). Layers that another pull is making are waited for: they are
    /// there then, or ours to make when it failed.
    private func slots(_ layers: [SourceLayer], _ diffIDs: [Digest]) throws(WorkerError) -> [LayerSlot] {
        var slots: [LayerSlot] = []
        var blobs: [Digest: Blob] = [:]
        for (index, layer) in layers.enumerated() {
            if let directory = try claim(index, layer) {
                slots.append(.present(directory: directory))
                // Of a pull that died, when another one has made the layer since.
                BlobFetch.drop(layer, in: store.blobs)
                continue
            }
            // The same blob may be there several times, as empty layers are: one file serves all.
            let blob = layer.digest.flatMap { blobs[$0] } ?? Blob(layer)
            if let digest = layer.digest { blobs[digest] = blob }
            let progress = Progress(sink, id: layer.shown, total: layer.size)
            slots.append(
                .missing(LayerJob(index: index, diffID: diffIDs[index], blob: blob, progress: progress)))
        }
        return slots
    }

    /// The directory of the layer's files where it is there; nil when it is ours to make.
    private func claim(_ place: Int, _ layer: SourceLayer) throws(WorkerError) -> String? {
        var hasTold = false
        while true {
            try interruption.check()
            switch try store.claim(place) {
            case .present(let directory): return directory
            case .absent: return nil
            case .busy: break
            }
            if !hasTold {
                sink.send(.debug("layer \(layer.shown) is being pulled by another process, waiting for it"))
                hasTold = true
            }
            Pause.milliseconds(20)
        }
    }

    private func announce(_ slots: [LayerSlot], _ layers: [SourceLayer]) {
        var queued = 0
        for (slot, layer) in zip(slots, layers) {
            switch slot {
            case .present: sink.send(.layer(id: layer.shown, state: .alreadyExists))
            case .missing: sink.send(.layer(id: layer.shown, state: .pulling))
            }
        }
        for (slot, layer) in zip(slots, layers) {
            guard case .missing = slot else { continue }
            queued += 1
            if queued > request.maximumDownloads { sink.send(.layer(id: layer.shown, state: .waiting)) }
        }
    }
}
