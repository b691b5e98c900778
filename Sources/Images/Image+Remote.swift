package import OCI

extension Image {
    /// An image that only its registry has: no layer of it is here.
    package init(remote name: Reference, config: ImageConfig, id: Digest, digest: Digest, size: Int64) {
        self.init(
            id: id, config: config, layers: [], names: name.digest == nil ? [name] : [],
            digests: [Reference(domain: name.domain, path: name.path, tag: nil, digest: digest)],
            manifestDigest: digest, size: size)
    }
}
