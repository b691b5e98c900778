internal import Rootfs

/// The options of one `Spec.Mount` (runtime spec 1.2, config.md#linux-mount-options), told apart. A plain word is about
/// the mount itself, one with an `r` before it about the mounts below as well.
struct MountOptions {
    /// What a word changes: bits that are set and bits that are cleared.
    struct Change: Hashable {
        var set: MountAttributes = []
        var clear: MountAttributes = []

        var isEmpty: Bool { self.set.isEmpty && clear.isEmpty }

        /// A later word wins over an earlier one.
        mutating func apply(_ attribute: MountAttributes, _ on: Bool) {
            // Any access time's setting means the whole field.
            let isAtime = attribute.isEmpty || !attribute.isDisjoint(with: .atimeField)
            let field = isAtime ? .atimeField : attribute
            set.subtract(field)
            clear.subtract(field)
            if on {
                set.formUnion(attribute)
                if isAtime { clear.formUnion(field) }
            } else {
                clear.formUnion(field)
            }
        }

        /// `other` wins.
        func union(_ other: Change) -> Change {
            Change(
                set: set.subtracting(other.clear).union(other.set),
                clear: clear.subtracting(other.set).union(other.clear))
        }
    }

    private(set) var own = Change()
    /// With the mounts below.
    private(set) var whole = Change()
    private(set) var propagation: Propagation?
    private(set) var propagationIsRecursive = false
    private(set) var isBind = false
    private(set) var bindIsRecursive = false
    private(set) var isRemount = false
    private(set) var copiesUp = false
    /// The files have other owners (mount_setattr(2), MOUNT_ATTR_IDMAP).
    private(set) var isMapped = false
    private(set) var mapsBelow = false
    /// What is left for the file system itself.
    private(set) var data: [MountOption] = []

    init(_ options: [String]) {
        isRemount = options.contains("remount")
        for option in options where !take(option) {
            let parts = option.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            data.append(MountOption(String(parts[0]), parts.count == 2 ? String(parts[1]) : nil))
        }
    }

    /// What holds for a file system that has nothing mounted below.
    var all: Change { whole.union(own) }

    private mutating func take(_ option: String) -> Bool {
        if let (attribute, on) = MountOptions.attributes[option] {
            // `rw` is the default's name, not a wish to write through a host mount that is read-only.
            if option == "rw", !isRemount { own.set.subtract(.readOnly) } else { own.apply(attribute, on) }
            return true
        }
        if option.utf8.first == UInt8(ascii: "r"),
            let (attribute, on) = MountOptions.attributes[String(option.dropFirst())]
        {
            whole.apply(attribute, on)
            return true
        }
        if let found = MountOptions.propagations[option] {
            (propagation, propagationIsRecursive) = found
            return true
        }
        return takeKind(option) || MountOptions.defaults.contains(option)
    }

    static let kinds = ["bind", "rbind", "remount", "tmpcopyup", "idmap", "ridmap"]

    private mutating func takeKind(_ option: String) -> Bool {
        switch option {
        case "bind": isBind = true
        case "rbind": (isBind, bindIsRecursive) = (true, true)
        case "tmpcopyup": copiesUp = true
        case "idmap": isMapped = true
        case "ridmap": (isMapped, mapsBelow) = (true, true)
        default: return false
        }
        return true
    }

    /// An empty set of attributes is relatime, the kernel's default.
    static let attributes: [String: (MountAttributes, Bool)] = [
        "ro": (.readOnly, true), "rw": (.readOnly, false), "nosuid": (.noSuid, true), "suid": (.noSuid, false),
        "nodev": (.noDev, true), "dev": (.noDev, false), "noexec": (.noExec, true), "exec": (.noExec, false),
        "noatime": (.noAtime, true), "atime": (.noAtime, false), "relatime": ([], true),
        "strictatime": (.strictAtime, true), "nostrictatime": (.strictAtime, false),
        "nodiratime": (.noDirAtime, true), "diratime": (.noDirAtime, false),
        "nosymfollow": (.noSymFollow, true), "symfollow": (.noSymFollow, false),
    ]

    static let propagations: [String: (kind: Propagation, recursive: Bool)] = [
        "private": (.private, false), "rprivate": (.private, true), "slave": (.slave, false),
        "rslave": (.slave, true), "shared": (.shared, false), "rshared": (.shared, true),
        "unbindable": (.unbindable, false), "runbindable": (.unbindable, true),
    ]

    /// Names of what is so without them (the file system is told of `sync`, `dirsync`, `lazytime`, `mand` and `iversion`),
    /// words about the kernel's log, and words for the caller's own tools.
    static let defaults: Set<String> = [
        "", "defaults", "async", "nolazytime", "nomand", "noiversion", "norelatime", "rnorelatime", "loud", "silent",
        "remount", "z", "Z", "copy", "nocopy",
    ]
}
