package import OCI

/// An image whose layers are to be held against their blobs.
package struct CheckRequest: Sendable, Codable, Hashable {
    package var image: Digest
    /// Chain IDs of layers that were looked at already.
    package var known: [Digest]
    /// Whether what is damaged is made anew, out of the blob or, where the request names a source, what is fetched.
    package var repairs: Bool

    package init(image: Digest, known: [Digest], repairs: Bool) {
        self.image = image
        self.known = known
        self.repairs = repairs
    }
}

/// What became of one layer.
package struct CheckedLayer: Sendable, Codable, Hashable {
    package var chainID: Digest
    /// What is wrong with its files and its blob; empty where nothing is.
    package var faults: [String]
    package var isRepaired: Bool

    package init(chainID: Digest, faults: [String], isRepaired: Bool) {
        self.chainID = chainID
        self.faults = faults
        self.isRepaired = isRepaired
    }
}
