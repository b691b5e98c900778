internal import Images
internal import Layers

extension WorkerRequest {
    /// How layers say what is deleted.
    var format: OnDiskFormat { ids == nil ? .overlay : .overlayUserXattr }

    /// Whom files may belong to.
    var owners: LayerOwners {
        guard let ids else { return .any }
        return ids.users <= 1 ? .one : .below(users: ids.users, groups: ids.groups)
    }
}
