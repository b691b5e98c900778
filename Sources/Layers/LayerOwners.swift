internal import Sys

/// Which users and groups a layer's files can be given.
package enum LayerOwners: Sendable, Hashable {
    /// Any: for root.
    case any
    /// Those of a user namespace, from 0 up to these.
    case below(users: UInt32, groups: UInt32)
    /// The namespace has one ID, and all becomes its: an image's other users own nothing then.
    case one
    /// There is no namespace, and all belongs to this user, who has no other rights than an owner: those are always given,
    /// and no file capabilities.
    case own(user: UInt32, group: UInt32)

    /// The owner that a member gets for the one that it names; nil where there is none for it.
    func owner(user: UInt32, group: UInt32) -> (user: UInt32, group: UInt32)? {
        switch self {
        case .any: (user, group)
        case .below(let users, let groups): user < users && group < groups ? (user, group) : nil
        case .one: (0, 0)
        case .own(let user, let group): (user, group)
        }
    }

    /// What a tree's files belong to in a tar that is made of it.
    package var packed: PackingOptions.Owner {
        guard case .own(let user, let group) = self else { return .kept }
        return .rootFor(user: user, group: group)
    }

    /// Of a directory that no member describes.
    func impliedDirectory(_ time: FileTime) -> DeferredDirectories.Attributes {
        let (user, group) = owner(user: 0, group: 0) ?? (0, 0)
        return DeferredDirectories.Attributes(user: user, group: group, mode: 0o755, modified: time)
    }

    /// The mode that a member gets: its owner, without privilege, must be able to read it, and to change directories.
    func mode(_ mode: UInt32, isDirectory: Bool) -> UInt32 {
        guard case .own = self else { return mode }
        return mode | (isDirectory ? 0o700 : 0o600)
    }

    /// File capabilities can be given (capabilities(7)).
    var keepsCapabilities: Bool {
        if case .own = self { return false }
        return true
    }

    /// Device nodes can be made.
    var makesDevices: Bool { self == .any }
}

extension LayerExtractor {
    /// The member with the owner that it can have here.
    mutating func owned(_ entry: TarEntry) throws(LayerError) -> TarEntry {
        guard let owner = tree.limits.owners.owner(user: entry.user, group: entry.group) else {
            guard case .below(let users, let groups) = tree.limits.owners else { return entry }
            throw refused(
                entry,
                "it belongs to \(entry.user):\(entry.group), and your user namespace has users 0 to \(users - 1) and "
                    + "groups 0 to \(groups - 1); a longer range in /etc/subuid and /etc/subgid gives more, or pull as root"
            )
        }
        var result = entry
        result.mode = tree.limits.owners.mode(entry.mode, isDirectory: entry.kind == .directory)
        if owner == (entry.user, entry.group) { return result }
        // Where nothing is anybody's, root's files are no exception.
        if tree.limits.owners.keepsCapabilities || entry.user != 0 || entry.group != 0 { summary.otherOwners += 1 }
        (result.user, result.group) = owner
        return result
    }
}
