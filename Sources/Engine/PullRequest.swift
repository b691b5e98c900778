package import OCI

/// What the user asked of `pull`.
package struct PullRequest: Sendable, Hashable {
    /// A name, or `oci:DIR[:TAG]`, `oci-archive:FILE[:TAG]`, `docker-archive:FILE[:TAG]`, as typed.
    package var source: String
    package var allTags = false
    package var platform: Platform?
    package var registryRules = RegistryRules()
    package var access = RegistryAccess()

    package init(source: String) { self.source = source }
}

/// What `rmi` did, in order.
package enum ImageRemoval: Sendable, Hashable {
    /// A name or a name with digest, in familiar form.
    case untagged(String)
    case deleted(Digest)
}
