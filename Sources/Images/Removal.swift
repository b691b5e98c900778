package import OCI

/// A container that was made from an image.
package struct ImageUser: Sendable, Hashable {
    package let containerID: String
    package let isRunning: Bool

    package init(containerID: String, isRunning: Bool) {
        self.containerID = containerID
        self.isRunning = isRunning
    }
}

/// What containers keep from being removed.
package struct ImageUses: Sendable {
    /// Image ID → the containers made from it.
    package var containers: [Digest: [ImageUser]] = [:]
    /// The top layer (chain ID) of each container, also where its image was removed by force.
    package var topLayers: Set<Digest> = []
    /// Those of containers that run.
    package var runningLayers: Set<Digest> = []

    package init() {}
}

/// One line of `rmi`.
package enum RemovalLine: Sendable, Hashable, CustomStringConvertible {
    case untagged(Reference)
    /// An image ID or a chain ID.
    case deleted(Digest)

    package var description: String {
        switch self {
        case .untagged(let name): "Untagged: \(name.familiar)"
        case .deleted(let digest): "Deleted: \(digest)"
        }
    }
}

/// What removing one name or ID comes to: decided from values alone, in docker's order and words.
struct RemovalPlan: Equatable {
    var untagged: [Reference] = []
    var deletesImage = false

    struct Subject {
        let id: Digest
        let tags: [Reference]
        let digests: [Reference]
        let users: [ImageUser]

        init(_ id: Digest, _ repositories: Repositories, _ uses: ImageUses) {
            let names = repositories.names(of: id)
            self.id = id
            tags = names.tags
            digests = names.digests
            users = uses.containers[id] ?? []
        }

        init(_ image: Image, _ users: [ImageUser]) {
            (id, tags, digests) = (image.id, image.names, image.digests)
            self.users = users
        }

        var names: [Reference] { (tags + digests).sorted { $0.familiar < $1.familiar } }
    }

    /// `name` is nil when the image was given by its ID; `typed` is what the user wrote.
    init(_ subject: Subject, name: Reference?, typed: String, force: Bool) throws(StoreError) {
        if let name {
            try self.init(subject, untag: name, typed: typed, force: force)
        } else {
            try self.init(byID: subject, force: force)
        }
    }

    /// Of an image that nobody asked for by name; nil: it stays.
    init?(pruning subject: Subject, tagged: Bool) {
        guard subject.users.isEmpty, tagged || subject.tags.isEmpty else { return nil }
        untagged = subject.names
        deletesImage = true
    }

    private init(_ subject: Subject, untag name: Reference, typed: String, force: Bool) throws(StoreError) {
        if !force, RemovalPlan.isSingle(subject), let user = subject.users.first {
            throw .conflict(
                "unable to remove repository reference \"\(typed)\" (must force) - container "
                    + "\(user.containerID.prefix(12)) is using its referenced image \(subject.id.short)")
        }
        untagged = [name]
        var remaining = subject.names.filter { $0 != name }
        let repository = name.repository
        // With its last tag a repository gives up the digests as well.
        if name.digest == nil, !remaining.contains(where: { $0.digest == nil && $0.repository == repository }) {
            untagged += remaining.filter { $0.repository == repository }
            remaining.removeAll { $0.repository == repository }
        }
        guard remaining.isEmpty else { return }
        // The name is gone whatever holds the image: with force a container may keep an unnamed image.
        deletesImage = !subject.users.contains(where: \.isRunning) && (force || subject.users.isEmpty)
    }

    private init(byID subject: Subject, force: Bool) throws(StoreError) {
        if let user = subject.users.first(where: \.isRunning) {
            throw .conflict(
                "unable to delete \(subject.id.short) (cannot be forced) - image is being used by running container "
                    + "\(user.containerID.prefix(12))")
        }
        if !force {
            if !subject.names.isEmpty, !RemovalPlan.isSingle(subject) {
                throw .conflict(
                    "unable to delete \(subject.id.short) (must be forced) - image is referenced in multiple repositories"
                )
            }
            if let user = subject.users.first {
                throw .conflict(
                    "unable to delete \(subject.id.short) (must be forced) - image is being used by stopped container "
                        + "\(user.containerID.prefix(12))")
            }
        }
        untagged = subject.names
        deletesImage = true
    }

    /// At most one tag, and all names in one repository.
    static func isSingle(_ subject: Subject) -> Bool {
        guard subject.tags.count <= 1, let first = subject.names.first else { return false }
        return subject.names.allSatisfy { $0.repository == first.repository }
    }
}
