internal import CLinux
internal import Glibc
package import OCI
internal import Sys

/// An image that is checked: its config and what each layer should be made of.
package struct ImageMakings: Sendable {
    package let config: [UInt8]
    package let diffIDs: [Digest]
    package let layers: [LayerDirectory]
    /// nil where none is kept.
    package let blobs: [LayerBlob?]
    /// As the image's manifest names them; empty where no manifest is here.
    package let named: [Descriptor]
}

extension ImageStore {
    /// What files of layers are called that others took the place of, for as long as containers may run on them.
    private static let replaced = "replaced-"

    package func makings(of image: Image) throws(StoreError) -> ImageMakings {
        guard let (bytes, config) = try readConfig(image.id) else { throw .noSuchImage(image.id.short) }
        var named: [Descriptor] = []
        for digest in try readManifestDigests(image.id) where named.isEmpty {
            guard let document = try manifest(digest), Digest.of(document, digest.algorithm) == digest,
                let manifest = try? Manifest.decode(document), manifest.layers.count == image.layers.count
            else { continue }
            named = manifest.layers
        }
        return ImageMakings(
            config: bytes, diffIDs: config.rootfs.diffIDs, layers: image.layers,
            // A descriptor that can't be read is as good as none.
            blobs: image.layers.map { (try? blob(of: $0.chainID)) ?? nil }, named: named)
    }

    /// Puts the tree of that number in the place of a layer's files, durably, and a blob that comes with it in the place of
    /// its blob. A container that runs keeps the files that it has: they stay beside the layer until `removeReplaced`.
    package func replace(
        _ layer: LayerDirectory, by number: UInt32, of area: PullArea, _ blob: StagedBlob?
    ) throws(StoreError) {
        let directory = layout.layer(layer.cacheID)
        let spare = "\(directory)/\(ImageStore.replaced)\(Random.hex(bytes: 8))"
        try attempt("mend", directory) { () throws(Errno) in
            try File.rename(
                PullArea.layerName(number), at: area.directory, to: spare, at: File.workingDirectory, noReplace: true)
            let tree = try File.open(spare, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
            try File.syncFileSystem(tree.raw)
            try File.exchange(spare, layer.diff)
            try Directory.sync(directory)
        }
        if let blob { try replace(blob, of: layer.chainID) }
    }

    private func replace(_ blob: StagedBlob, of chainID: Digest) throws(StoreError) {
        let record = layout.layerRecord(chainID)
        let staging = try makeStaging("layer")
        let path = staging.path
        defer { try? Directory.removeTree(path) }
        try attempt("mend", record) { () throws(Errno) in
            _ = try keep(blob, in: path)
            try File.syncFileSystem(staging.raw)
            for name in ["blob", "blob.json"] { try File.rename("\(path)/\(name)", to: "\(record)/\(name)") }
            try Directory.sync(record)
        }
    }

    /// Removes files of layers that others took the place of, where no running container has them.
    package func removeReplaced(uses: () throws(StoreError) -> ImageUses) throws(StoreError) {
        try locked(StoreLocks.images) { () throws(StoreError) in
            var busy: Set<Digest> = []
            for top in try uses().runningLayers {
                var chainID: Digest? = top
                while let current = chainID, busy.insert(current).inserted {
                    chainID = try readLine("\(layout.layerRecord(current))/parent").flatMap { try? Digest(parsing: $0) }
                }
            }
            for layer in try list().images.flatMap(\.layers) where !busy.contains(layer.chainID) {
                let directory = layout.layer(layer.cacheID)
                try attempt("remove replaced files in", directory) { () throws(Errno) in
                    for entry in try Directory.entries(directory) where entry.name.hasPrefix(ImageStore.replaced) {
                        try Directory.removeTree("\(directory)/\(entry.name)")
                    }
                }
            }
        }
    }
}
