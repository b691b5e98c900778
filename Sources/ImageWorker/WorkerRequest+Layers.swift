internal import Glibc
internal import Images
internal import Layers
internal import Sys

extension WorkerRequest {
    /// What layers say with what is deleted.
    var marks: OverlayMarks { ids == nil ? .trusted : .user }

    var format: OnDiskFormat { marks == .trusted ? .overlay : .overlayUserXattr }

    /// Whom files may belong to.
    var owners: LayerOwners {
        guard let ids else { return .any }
        // None: without a namespace.
        return switch ids.users {
        case 0: .own(user: geteuid(), group: getegid())
        case 1: .one
        default: .below(users: ids.users, groups: ids.groups)
        }
    }
}
