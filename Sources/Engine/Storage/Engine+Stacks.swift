internal import Images
internal import OCI
internal import Rootfs
internal import Sys

extension Engine {
    /// The container's own layer above `layers`, the topmost first.
    func stack(of record: ContainerRecord, _ layers: [String]) -> LayerStack {
        let id = record.id
        return LayerStack(
            base: images.layout.layers, layers: layers, upper: containers.upper(id), work: containers.work(id),
            mountPoint: containers.merged(id))
    }

    /// Layers, the topmost first, with nothing to write to; to be mounted at `point`.
    func view(of layers: [String], at point: String, by driver: StorageDriver? = nil) throws(EngineError) -> RootfsMount
    {
        var all = layers
        // overlayfs wants two directories where none is written to.
        if all.count == 1 { all.append(try emptyDirectory()) }
        return try compose(
            LayerStack(base: images.layout.layers, layers: all, writable: nil, mountPoint: point), by: driver)
    }

    /// `shown`: where the files are together already.
    func volumeSeeder(_ image: Image, shown: String? = nil) -> VolumeSeeder {
        let layers = Array(image.layers.reversed().map(\.diff))
        return VolumeSeeder(mounts: !isEmulated) { point, use throws(EngineError) in
            if let shown {
                return try use(RootfsMount(step: .bind(source: shown), mountPoint: point, readOnly: true))
            }
            return try withDriver { driver throws(EngineError) in
                try withView(of: layers, at: point, by: driver, image.id.short, use)
            }
        }
    }

    /// Where images are mounted, and an empty directory on the file system of the layers.
    var mountPoints: String { dataRoot + "/mounts" }

    private func emptyDirectory() throws(EngineError) -> String {
        let path = mountPoints + "/empty"
        try system { () throws(SystemFailure) in try Directory.makePath(path, mode: 0o700) }
        return path
    }
}
