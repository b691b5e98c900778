internal import Images
internal import OCI
internal import Sys

extension Engine {
    /// The layers of some images, each once: what made it, who has it, and what of it is hidden.
    package func layers(of names: [String]) throws(EngineError) -> LayerTree {
        var shown = ShownFiles()
        var tree = LayerTree()
        try collect(names[...], [], &shown, &tree)
        return tree
    }

    /// One image after the other, so that all are held when the last one has been found.
    private func collect(
        _ names: ArraySlice<String>, _ held: [Image], _ shown: inout ShownFiles, _ tree: inout LayerTree
    ) throws(EngineError) {
        guard let name = names.first else { return try measure(held, shown, &tree) }
        try withHeldImage(name) { image throws(EngineError) in
            if held.contains(where: { $0.id == image.id }) {
                return try collect(names.dropFirst(), held, &shown, &tree)
            }
            let files = try self.tree(of: image.layers[...], name)
            var more = shown
            try call("look through", "image \(name)") { () throws(Errno) in try more.add(files) }
            shown = more
            tree.images.append(
                LayerTree.Member(id: image.id, name: Engine.label(image), top: image.layers.last?.chainID))
            try collect(names.dropFirst(), held + [image], &shown, &tree)
        }
    }

    private func measure(_ images: [Image], _ shown: ShownFiles, _ tree: inout LayerTree) throws(EngineError) {
        let all = try store { () throws(StoreError) in try self.images.list().images }
        var holders: [Digest: [String]] = [:]
        for image in all {
            for layer in image.layers { holders[layer.chainID, default: []].append(Engine.label(image)) }
        }
        var seen: Set<Digest> = []
        for image in images {
            var steps = (image.config.history ?? []).filter { $0.emptyLayer != true }[...]
            var parent: Digest?
            for (layer, diffID) in zip(image.layers, image.config.rootfs.diffIDs) {
                let step = steps.popFirst()
                defer { parent = layer.chainID }
                guard seen.insert(layer.chainID).inserted else { continue }
                var entry = LayerTree.Layer(chainID: layer.chainID, diffID: diffID, parent: parent)
                entry.createdBy = step?.createdBy ?? ""
                entry.created = step?.created.flatMap(Timestamp.seconds)
                entry.size = layer.size
                entry.holders = (holders[layer.chainID] ?? []).sorted()
                let contents = try call("look through", layer.diff) { () throws(Errno) in
                    let directory = try Directory.open(layer.diff)
                    return try LayerContents(directory.raw, shown: shown)
                }
                (entry.hidden, entry.hiddenFiles, entry.parts) = (contents.hidden, contents.hiddenFiles, contents.list)
                tree.layers.append(entry)
            }
        }
    }

    private static func label(_ image: Image) -> String { image.names.first?.familiar ?? image.id.short }
}
