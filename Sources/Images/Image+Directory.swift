internal import OCI

extension Image {
    /// A directory of the user's in an image's place: one layer, no configuration, and in no store.
    package init(directory path: String) {
        let own = Platform.current
        let name = Digest.of(Array(path.utf8))
        self.init(
            id: name, config: ImageConfig(os: own.os, architecture: own.architecture, diffIDs: []),
            layers: [LayerDirectory(chainID: name, cacheID: "", diff: path, link: path, size: 0)], names: [],
            digests: [], manifestDigest: nil, size: 0)
    }
}
