internal import CLinux
internal import Glibc

/// Mounts that are attached nowhere until they are moved to their place (fsmount(2), open_tree(2), move_mount(2)): made in
/// one mount namespace, they can be attached in another.
package enum DetachedMount {
    /// A new file system with these parameters, in their order; a parameter without a value is a flag.
    package static func filesystem(
        _ type: String, _ parameters: [(name: String, value: String?)], readOnly: Bool
    ) throws(Errno) -> OwnedFD {
        let context = OwnedFD(adopting: try check { fsopen(type, UInt32(FSOPEN_CLOEXEC)) })
        let raw = context.raw
        for (name, value) in parameters {
            let command = value == nil ? FSCONFIG_SET_FLAG : FSCONFIG_SET_STRING
            try check { fsconfig(raw, UInt32(command.rawValue), name, value, 0) }
        }
        try check { fsconfig(raw, UInt32(FSCONFIG_CMD_CREATE.rawValue), nil, nil, 0) }
        let attributes = readOnly ? UInt32(MOUNT_ATTR_RDONLY) : 0
        let mount = OwnedFD(adopting: try check { fsmount(raw, UInt32(FSMOUNT_CLOEXEC), attributes) })
        _ = consume context
        return mount
    }

    /// A copy of the mount that `path` is on, from there on; with `recursive` the mounts below too.
    package static func copy(of path: String, recursive: Bool = false) throws(Errno) -> OwnedFD {
        let flags = UInt32(OPEN_TREE_CLONE) | UInt32(O_CLOEXEC) | (recursive ? 0x8000 : 0)
        return OwnedFD(adopting: try check { open_tree(AT_FDCWD, path, flags) })
    }

    /// A copy of the mount that is the root of the mount namespace `namespace`, borrowed (setns(2)). Only for use inside
    /// `PrivateMounts.with`, whose thread is in that namespace afterwards.
    package static func root(of namespace: Int32) throws(Errno) -> OwnedFD {
        try check { setns(namespace, CLONE_NEWNS) }
        return try copy(of: "/")
    }

    /// Devices and set-id bits mean nothing in the mount from here on (mount_setattr(2)).
    package static func disarm(_ mount: Int32) throws(Errno) {
        let set = UInt64(MOUNT_ATTR_NOSUID) | UInt64(MOUNT_ATTR_NODEV)
        try check { clinux_mount_setattr(mount, "", UInt32(AT_EMPTY_PATH), set, 0) }
    }

    /// Attaches `mount` at the directory `target`; both borrowed.
    package static func attach(_ mount: Int32, to target: Int32) throws(Errno) {
        let flags = UInt32(MOVE_MOUNT_F_EMPTY_PATH) | UInt32(MOVE_MOUNT_T_EMPTY_PATH)
        try check { move_mount(mount, "", target, "", flags) }
    }

    /// umount2(2), no link followed. `lazily`: also where it is in use; what uses it keeps it until then (MNT_DETACH).
    package static func unmount(_ path: String, lazily: Bool) throws(Errno) {
        try check { umount2(path, Int32(UMOUNT_NOFOLLOW) | (lazily ? Int32(MNT_DETACH) : 0)) }
    }
}
