internal import Rootfs

/// MOUNT_ATTR_* of mount_setattr(2).
package struct MountAttributes: OptionSet, Hashable, Sendable {
    package let rawValue: UInt64
    package init(rawValue: UInt64) { self.rawValue = rawValue }

    package static let readOnly = MountAttributes(rawValue: 0x1)
    package static let noSuid = MountAttributes(rawValue: 0x2)
    package static let noDev = MountAttributes(rawValue: 0x4)
    package static let noExec = MountAttributes(rawValue: 0x8)
    package static let noAtime = MountAttributes(rawValue: 0x10)
    package static let strictAtime = MountAttributes(rawValue: 0x20)
    /// The field of the access time's setting: changing it means clearing the whole field.
    package static let atimeField = MountAttributes(rawValue: 0x70)
    package static let noDirAtime = MountAttributes(rawValue: 0x80)
    package static let noSymFollow = MountAttributes(rawValue: 0x200000)

    private static let words: [(MountAttributes, String)] = [
        (.readOnly, "ro"), (.noSuid, "nosuid"), (.noDev, "nodev"), (.noExec, "noexec"), (.noAtime, "noatime"),
        (.strictAtime, "strictatime"), (.noDirAtime, "nodiratime"), (.noSymFollow, "nosymfollow"),
    ]

    /// ` (ro,nosuid)`, or nothing.
    var text: String {
        let names = MountAttributes.words.filter { contains($0.0) }.map(\.1)
        return names.isEmpty ? "" : " (\(names.joined(separator: ",")))"
    }
}

/// MS_PRIVATE and the like, of mount(2).
package enum Propagation: UInt64, Hashable, Sendable, CustomStringConvertible {
    case unbindable = 0x20000
    case `private` = 0x40000
    case slave = 0x80000
    case shared = 0x100000

    package var description: String {
        switch self {
        case .unbindable: "unbindable"
        case .private: "private"
        case .slave: "slave"
        case .shared: "shared"
        }
    }
}
