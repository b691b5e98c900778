package import OCI

/// What removing images one after another would come to, as `ImageStore.prune` does it; nothing is touched.
package struct PrunePreview: Sendable {
    package private(set) var images: [Digest: Image]
    /// Bytes of the layers of all that are still there, each layer once.
    package private(set) var layerBytes: Int64
    private let uses: ImageUses
    /// Layer → how many images have it.
    private var holders: [Digest: Int] = [:]
    /// Layers that containers stand on.
    private var held: Set<Digest> = []

    package init(_ listing: ImageStore.Listing, _ uses: ImageUses) {
        self.uses = uses
        images = Dictionary(listing.images.map { ($0.id, $0) }) { first, _ in first }
        layerBytes = listing.layerBytes
        for image in listing.images {
            let chain = image.layers.map(\.chainID)
            for layer in chain { holders[layer, default: 0] += 1 }
            for (index, layer) in chain.enumerated() where uses.topLayers.contains(layer) {
                held.formUnion(chain[...index])
            }
        }
    }

    /// The lines of one removal; none where something needs the image.
    package mutating func remove(_ id: Digest, tagged: Bool) -> [RemovalLine] {
        guard let image = images[id],
            let plan = RemovalPlan(pruning: RemovalPlan.Subject(image, uses.containers[id] ?? []), tagged: tagged)
        else { return [] }
        images[id] = nil
        var lines = plan.untagged.map(RemovalLine.untagged) + [.deleted(id)]
        for layer in image.layers { holders[layer.chainID, default: 1] -= 1 }
        for layer in image.layers.reversed() {
            // A layer that stays needs all those below it.
            if holders[layer.chainID] != 0 || held.contains(layer.chainID) { break }
            layerBytes = layerBytes.subtractingReportingOverflow(layer.size).partialValue
            lines.append(.deleted(layer.chainID))
        }
        return lines
    }
}

extension ImageStore.Listing {
    /// Bytes of all images' layers, each once.
    package var layerBytes: Int64 {
        var seen: Set<Digest> = []
        return images.flatMap(\.layers).reduce(0) { sum, layer in
            seen.insert(layer.chainID).inserted ? sum.addingReportingOverflow(layer.size).partialValue : sum
        }
    }
}
