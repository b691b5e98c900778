package import OCI

/// Which images are to go, unless something needs them.
package struct ImagePruneRequest: Sendable, Hashable {
    /// In this order.
    package var ids: [Digest]
    /// Also those that have a tag.
    package var tagged: Bool
    /// Once the layers of all images take no more than so many bytes, the rest stays.
    package var keepBytes: Int64?
    /// Only tells what would go.
    package var dryRun = false

    package init(ids: [Digest], tagged: Bool, keepBytes: Int64? = nil) {
        self.ids = ids
        self.tagged = tagged
        self.keepBytes = keepBytes
    }
}
