internal import Images
internal import OCI
internal import Sys

/// Brings the layers of one image into the store.
struct LayerFetch {
    let store: ImageStore
    let maximumDownloads: Int
    let sink: EventSink
    let interruption: Interruption

    /// The image's layers, bottom first, held.
    func run(_ manifest: SourceManifest, _ config: ImageConfig, isKnown: Bool) throws(WorkerError) -> [HeldLayer] {
        let diffIDs = config.rootfs.diffIDs
        let chain = Digest.chain(of: diffIDs)
        if isKnown, let held = try knownLayers(chain) { return held }
        let slots = try slots(manifest.layers, diffIDs, chain)
        announce(slots, manifest.layers)
        let pipeline = LayerPipeline(
            store: store, slots: slots, maximumDownloads: maximumDownloads, interruption: interruption)
        var made: [Digest] = []
        do throws(WorkerError) {
            return try pipeline.run { made.append($0.directory.chainID) }
        } catch {
            if !error.keepsFetched {
                pipeline.dropBlobs()
                try? store.removeUnused(made)
            }
            throw error
        }
    }

    /// All layers of an image that is in the store; nil when one of them is not.
    private func knownLayers(_ chain: [Digest]) throws(WorkerError) -> [HeldLayer]? {
        try lift(WorkerError.store) { () throws(StoreError) in
            var held: [HeldLayer] = []
            for chainID in chain {
                guard let layer = try store.hold(chainID) else { return nil }
                held.append(layer)
            }
            return held
        }
    }

    /// Claims what is missing, bottom-up (the lock order). Layers that another pull is making are waited for: they are
    /// there then, or ours to make when it failed.
    private func slots(
        _ layers: [SourceLayer], _ diffIDs: [Digest], _ chain: [Digest]
    ) throws(WorkerError) -> [LayerSlot] {
        var slots: [LayerSlot] = []
        var blobs: [Digest: Blob] = [:]
        for (index, layer) in layers.enumerated() {
            switch try claim(chain[index], layer) {
            case .present(let held):
                slots.append(.present(held))
                // Of a pull that died, when another one has made the layer since.
                BlobFetch.drop(layer, in: store.layout.blobs)
            case .absent(let claim):
                // The same blob may be there several times, as empty layers are: one file serves all.
                let blob = layer.digest.flatMap { blobs[$0] } ?? Blob(layer)
                if let digest = layer.digest { blobs[digest] = blob }
                let progress = Progress(sink, id: layer.shown, total: layer.size)
                slots.append(
                    .missing(
                        LayerJob(index: index, diffID: diffIDs[index], claim: claim, blob: blob, progress: progress)))
            }
        }
        return slots
    }

    private func claim(_ chainID: Digest, _ layer: SourceLayer) throws(WorkerError) -> LayerState {
        var hasTold = false
        while true {
            try interruption.check()
            let state = try lift(WorkerError.store) { () throws(StoreError) in
                try store.claim(chainID, wait: false)
            }
            if let state { return state }
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
            if queued > maximumDownloads { sink.send(.layer(id: layer.shown, state: .waiting)) }
        }
    }
}
