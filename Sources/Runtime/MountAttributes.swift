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

/// The options of one `Spec.Mount` (runtime spec, config.md#mounts), told apart.
struct MountOptions {
    var set: MountAttributes = []
    var clear: MountAttributes = []
    var propagation: Propagation?
    var propagationIsRecursive = false
    var isBind = false
    var bindIsRecursive = false
    /// What is left for the file system itself.
    var data: [MountOption] = []

    init(_ options: [String]) {
        for option in options where !take(option) {
            let parts = option.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            data.append(MountOption(String(parts[0]), parts.count == 2 ? String(parts[1]) : nil))
        }
    }

    private mutating func take(_ option: String) -> Bool {
        if let (attribute, on) = MountOptions.attributes[option] {
            apply(attribute, on)
            return true
        }
        if let (kind, recursive) = MountOptions.propagations[option] {
            propagation = kind
            propagationIsRecursive = recursive
            return true
        }
        switch option {
        case "bind": isBind = true
        case "rbind":
            isBind = true
            bindIsRecursive = true
        // Defaults, words for the caller's tools, and SELinux labels on a machine without SELinux.
        case "defaults", "relatime", "async", "nomand", "z", "Z", "copy", "nocopy", "": break
        default: return false
        }
        return true
    }

    private mutating func apply(_ attribute: MountAttributes, _ on: Bool) {
        if on {
            // A later word wins over an earlier one.
            clear.subtract(attribute)
            set.formUnion(attribute)
            if !attribute.isDisjoint(with: .atimeField) { clear.formUnion(.atimeField) }
        } else {
            set.subtract(attribute)
            // `rw` is the default's name, not a wish to write through a host mount that is read-only.
            if attribute == .readOnly { return }
            clear.formUnion(attribute.isDisjoint(with: .atimeField) ? attribute : .atimeField)
        }
    }

    private static let attributes: [String: (MountAttributes, Bool)] = [
        "ro": (.readOnly, true), "rro": (.readOnly, true), "rw": (.readOnly, false), "rrw": (.readOnly, false),
        "nosuid": (.noSuid, true), "suid": (.noSuid, false), "nodev": (.noDev, true), "dev": (.noDev, false),
        "noexec": (.noExec, true), "exec": (.noExec, false), "noatime": (.noAtime, true),
        "atime": (.noAtime, false), "strictatime": (.strictAtime, true), "nostrictatime": (.strictAtime, false),
        "nodiratime": (.noDirAtime, true), "diratime": (.noDirAtime, false),
        "nosymfollow": (.noSymFollow, true), "symfollow": (.noSymFollow, false),
    ]

    private static let propagations: [String: (Propagation, Bool)] = [
        "private": (.private, false), "rprivate": (.private, true), "slave": (.slave, false),
        "rslave": (.slave, true), "shared": (.shared, false), "rshared": (.shared, true),
        "unbindable": (.unbindable, false), "runbindable": (.unbindable, true),
    ]
}
