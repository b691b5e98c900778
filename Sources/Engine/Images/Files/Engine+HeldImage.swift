internal import Images
internal import Sys
internal import Union

extension Engine {
    /// Calls `body` with an image whose layers stay until it is done, however long that takes: a removal meanwhile takes the
    /// image, and the next one the layers.
    func withHeldImage<T>(_ name: String, _ body: (Image) throws(EngineError) -> T) throws(EngineError) -> T {
        try store { () throws(StoreError) in try ImageStore.checkName(name) }
        // Before the lease, which would make a store where there is none.
        guard try find(name) != nil else { throw .store(ImageStore.missing(name)) }
        let lease = try lease()
        guard let image = try find(name) else { throw .store(ImageStore.missing(name)) }
        var held: [HeldLayer] = []
        for layer in image.layers {
            let found = try store { () throws(StoreError) in try images.hold(layer.chainID) }
            guard let found else {
                throw .store(.missingLayer(image: image.id, chainID: layer.chainID, path: layer.diff))
            }
            held.append(found)
        }
        // Not longer: removals wait for it.
        _ = consume lease
        defer { withExtendedLifetime(held) {} }
        return try body(image)
    }

    /// The layers' directories as one tree, without a mount. `name` is for messages.
    func tree(of layers: ArraySlice<LayerDirectory>, _ name: String) throws(EngineError) -> ImageTree {
        OpenFilesLimit.raise()
        return try call("open the layers of", name) { () throws(Errno) in
            let directories = try OpenDirectories(layers.reversed().map(\.diff))
            return ImageTree(try UnionView(directories.numbers, marks: marks))
        }
    }
}
