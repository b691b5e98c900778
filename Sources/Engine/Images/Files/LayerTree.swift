package import OCI

/// The layers of some images as the tree that they are, with what is in each.
package struct LayerTree: Sendable, Hashable {
    /// Below before above.
    package var layers: [Layer] = []
    package var images: [Member] = []

    package struct Layer: Sendable, Hashable {
        package var chainID: Digest
        package var diffID: Digest
        package var parent: Digest?
        /// The step that made it; empty where the builder wrote none.
        package var createdBy = ""
        /// Seconds since 1970.
        package var created: Int64?
        /// Bytes of its files.
        package var size: Int64 = 0
        /// Bytes and number of those files in it that none of the images shows: replaced or deleted by a later layer.
        package var hidden: Int64 = 0
        package var hiddenFiles = 0
        /// All images here that have it, by name or ID.
        package var holders: [String] = []
        /// Its directories, two names deep, the largest first.
        package var parts: [Part] = []

        package init(chainID: Digest, diffID: Digest, parent: Digest?) {
            self.chainID = chainID
            self.diffID = diffID
            self.parent = parent
        }
    }

    package struct Part: Sendable, Hashable {
        /// With a slash at its beginning; may have any characters but control characters.
        package var path: String
        package var bytes: Int64
        package var hidden: Int64

        package init(path: String, bytes: Int64, hidden: Int64) {
            self.path = path
            self.bytes = bytes
            self.hidden = hidden
        }
    }

    package struct Member: Sendable, Hashable {
        package var id: Digest
        package var name: String
        /// nil for an image without layers.
        package var top: Digest?

        package init(id: Digest, name: String, top: Digest?) {
            self.id = id
            self.name = name
            self.top = top
        }
    }

    package init() {}

    /// Bytes of all, and those that no image shows.
    package var size: Int64 { layers.reduce(0) { $0.addingReportingOverflow($1.size).partialValue } }
    package var hidden: Int64 { layers.reduce(0) { $0.addingReportingOverflow($1.hidden).partialValue } }

    package func children(of parent: Digest?) -> [Layer] { layers.filter { $0.parent == parent } }
    package func names(at layer: Digest) -> [String] { images.filter { $0.top == layer }.map(\.name) }
}
