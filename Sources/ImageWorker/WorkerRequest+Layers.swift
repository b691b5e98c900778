internal import Glibc
internal import Images
internal import Layers

extension WorkerRequest {
    /// How layers say what is deleted.
    var format: OnDiskFormat { ids == nil ? .overlay : .overlayUserXattr }

    /// Whom files may belong to.
    var owners: LayerOwners {
        guard let ids else { return .any }
        if ids.users > 1 { return .below(users: ids.users, groups: ids.groups) }
        let user = geteuid()
        return user == 0 ? .one : .own(user: user, group: getegid())
    }
}
