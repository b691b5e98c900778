package import OCI

/// An image and the names with tags, canonical, that are meant of it.
package struct NamedImage: Sendable, Codable, Hashable {
    package var id: Digest
    package var names: [String]

    package init(id: Digest, names: [String]) {
        self.id = id
        self.names = names
    }
}

/// Images to be written as one archive to descriptor 3.
package struct SaveRequest: Sendable, Codable, Hashable {
    package var images: [NamedImage]
    /// What messages call the archive.
    package var output: String

    package init(images: [NamedImage], output: String) {
        self.images = images
        self.output = output
    }
}

/// Images to be read from descriptor 3: an archive of docker's or of OCI's layout, compressed or not, a file or a pipe.
package struct LoadRequest: Sendable, Codable, Hashable {
    /// What messages call it.
    package var input: String
    /// Whether a name moves from an image that was pulled under it.
    package var movesNames: Bool

    package init(input: String, movesNames: Bool) {
        self.input = input
        self.movesNames = movesNames
    }
}

/// An image to be made of the tar on descriptor 3.
package struct ImportRequest: Sendable, Codable, Hashable {
    /// What messages call it.
    package var input: String
    /// But for the layer.
    package var config: ImageConfig
    /// nil for none.
    package var name: String?

    package init(input: String, config: ImageConfig, name: String?) {
        self.input = input
        self.config = config
        self.name = name
    }
}

extension WorkerRequest {
    /// Where the file is that a request reads or writes.
    package static let fileDescriptor: Int32 = 3
}

/// Images to be given to a registry.
package struct PushRequest: Sendable, Codable, Hashable {
    /// All of one repository.
    package var images: [NamedImage]

    package init(images: [NamedImage]) { self.images = images }
}
