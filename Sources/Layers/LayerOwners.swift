internal import Sys

/// Which users and groups a layer's files can be given.
package enum LayerOwners: Sendable, Hashable {
    /// Any: for root.
    case any
    /// Those of a user namespace, from 0 up to these.
    case below(users: UInt32, groups: UInt32)
    /// The namespace has one ID, and all becomes its: an image's other users own nothing then.
    case one

    /// The owner that a member gets for the one that it names; nil where there is none for it.
    func owner(user: UInt32, group: UInt32) -> (user: UInt32, group: UInt32)? {
        switch self {
        case .any: (user, group)
        case .below(let users, let groups): user < users && group < groups ? (user, group) : nil
        case .one: (0, 0)
        }
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
        if owner == (entry.user, entry.group) { return entry }
        summary.otherOwners += 1
        var result = entry
        (result.user, result.group) = owner
        return result
    }
}
