package import OCI
package import Sys

/// One image as `images` lists it.
package struct ImageSummary: Sendable, Hashable {
    package var id: Digest
    /// Names with tags, in familiar form (`alpine:3.20`, `localhost:5000/a:b`).
    package var repoTags: [String] = []
    /// Names with manifest digests, in familiar form.
    package var repoDigests: [String] = []
    /// Seconds since 1970, of the image's making.
    package var created: Int64 = 0
    /// Bytes of all layers, unpacked.
    package var size: Int64 = 0
    package var labels: [String: String] = [:]
    /// Of a container made from it, or of its pull; nil where nobody knows.
    package var lastUsed: FileTime?
    /// The IDs of images that this one was made from here, nearest first.
    package var parent: Digest?

    /// Bytes of those layers that another image has as well; nil where nobody asked.
    package var sharedSize: Int64?
    /// How many containers were made from it; nil where nobody asked.
    package var containers: Int?

    package init(id: Digest) { self.id = id }
}
