package import OCI

/// An image as the store holds it.
package struct Image: Sendable, Hashable {
    /// The sha256 of the config's bytes.
    package let id: Digest
    package let config: ImageConfig
    /// Bottom first.
    package let layers: [LayerDirectory]
    /// `name:tag`, sorted.
    package let names: [Reference]
    /// `name@digest`, sorted.
    package let digests: [Reference]
    /// The digest of the manifest that the image was pulled by; nil when it came without one.
    package let manifestDigest: Digest?
    /// Bytes of all layers' files, as the tar streams had them.
    package let size: Int64

    /// RFC 3339, as the config has it.
    package var created: String? { config.created }
}

/// One layer's directory, complete and synced.
package struct LayerDirectory: Sendable, Hashable {
    package let chainID: Digest
    /// The name below `overlay2/`.
    package let cacheID: String
    /// Absolute path of the directory to mount.
    package let diff: String
    /// `l/SHORT`: a short way to `diff`, relative to `overlay2/`.
    package let link: String
    /// Bytes of the files in it.
    package let size: Int64
}
