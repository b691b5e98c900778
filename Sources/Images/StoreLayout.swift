internal import OCI

/// Where everything is below the data root: docker's names and meanings.
package struct StoreLayout: Sendable, Hashable {
    package let root: String

    package init(root: String) {
        var root = root
        while root.count > 1, root.hasSuffix("/") { root.removeLast() }
        self.root = root
    }

    var records: String { root + "/image/overlay2" }
    var repositories: String { records + "/repositories.json" }
    var configs: String { records + "/imagedb/content/sha256" }
    var metadata: String { records + "/imagedb/metadata/sha256" }
    var manifests: String { records + "/manifests" }
    package var layerRecords: String { records + "/layerdb" }
    package var layers: String { root + "/overlay2" }
    var links: String { layers + "/l" }
    /// Staging: an entry here is garbage as soon as its lock is free.
    package var staging: String { root + "/tmp" }
    /// Blobs that are being fetched, or were when the fetch broke off.
    package var blobs: String { staging + "/blobs" }
    /// Which endpoints were ill a short while ago.
    package var endpoints: String { staging + "/endpoints.json" }
    package var locks: String { root + "/locks" }

    func config(_ id: Digest) -> String { "\(configs)/\(id.hex)" }
    func metadata(_ id: Digest) -> String { "\(metadata)/\(id.hex)" }
    /// Its time is when the image was used last.
    func lastUse(_ id: Digest) -> String { "\(metadata(id))/used" }
    func manifestDirectory(_ digest: Digest) -> String { "\(manifests)/\(digest.algorithm.rawValue)" }
    func manifest(_ digest: Digest) -> String { "\(manifestDirectory(digest))/\(digest.hex)" }
    func layerRecord(_ chainID: Digest) -> String { "\(layerRecords)/\(chainID.algorithm.rawValue)/\(chainID.hex)" }
    func layer(_ cacheID: String) -> String { "\(layers)/\(cacheID)" }

    /// Directories in the order in which they are made. The modes are docker's, whatever the umask: a local user can
    /// reach nothing inside, setuid programs of layers least of all.
    var directories: [(path: String, mode: UInt32)] {
        [
            (root + "/image", 0o700), (records, 0o700),
            (records + "/imagedb", 0o700), (records + "/imagedb/content", 0o700), (configs, 0o700),
            (records + "/imagedb/metadata", 0o700), (metadata, 0o700),
            (manifests, 0o700), (manifests + "/sha256", 0o700), (manifests + "/sha512", 0o700),
            (layerRecords, 0o700), (layerRecords + "/sha256", 0o700), (layerRecords + "/sha512", 0o700),
            (layers, 0o710), (links, 0o710),
            (staging, 0o700), (blobs, 0o700), (locks, 0o700),
        ]
    }
}
