package import OCI

/// Files that `runimg-image` moves between two trees, or between a tree and a tar. The worker gets both ends as open
/// descriptors, and can reach nothing else: 3 is the source, 4 the destination.
package struct TransferRequest: Sendable, Codable, Hashable {
    package static let sourceDescriptor: Int32 = 3
    package static let targetDescriptor: Int32 = 4

    package enum Source: Sendable, Codable, Hashable {
        /// The file or directory that descriptor 3 is, under this name.
        case item(name: [UInt8])
        /// What is in the directory that descriptor 3 is.
        case contents
        /// A tar that somebody wrote.
        case tar
    }

    package enum Target: String, Sendable, Codable, Hashable {
        /// The directory that descriptor 4 is, with what it has already.
        case tree
        case tar
    }

    package struct Owner: Sendable, Codable, Hashable {
        package var user: UInt32
        package var group: UInt32

        package init(user: UInt32, group: UInt32) {
            self.user = user
            self.group = group
        }
    }

    package var source: Source
    package var target: Target
    /// Who owns what is written; nil keeps the owners. A file that changes hands loses its set-id bits.
    package var owner: Owner?
    /// The caller's process: the worker ends with it.
    package var parent: Int32

    package init(source: Source, target: Target, parent: Int32) {
        self.source = source
        self.target = target
        self.parent = parent
    }
}

/// An image to be made of what a container changed.
package struct CommitRequest: Sendable, Codable, Hashable {
    /// The container, whose upper directory is `overlay2/ID/diff`.
    package var container: String
    /// The directories of the layers below, bottom first.
    package var lowers: [String]
    /// The image's config but for the new layer; the last entry of its history is that layer's.
    package var config: ImageConfig
    /// Paths that are not part of the image: mount points of the engine's own.
    package var excluded: [String]
    /// The image's name; nil for none.
    package var name: String?

    package init(container: String, lowers: [String], config: ImageConfig, excluded: [String], name: String?) {
        self.container = container
        self.lowers = lowers
        self.config = config
        self.excluded = excluded
        self.name = name
    }
}
