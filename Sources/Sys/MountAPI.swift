internal import CLinux
internal import Glibc

/// What this kernel's mount calls can do (fsopen(2), fsconfig(2)).
package enum MountAPI {
    /// Whether overlay takes its lower directories one at a time (`lowerdir+`, Linux 6.7): tried, not guessed from a
    /// version. False too where the caller may not mount.
    package static let overlayAppendsLayers: Bool = {
        let context = fsopen("overlay", UInt32(FSOPEN_CLOEXEC))
        if context < 0 { return false }
        defer { close(context) }
        let set = UInt32(FSCONFIG_SET_STRING.rawValue)
        // Before Linux 6.5 overlayfs had no options of its own kind: any name is taken, and refused by the mount.
        if fsconfig(context, set, "no_such_option", "x", 0) == 0 { return false }
        return fsconfig(context, set, "lowerdir+", "/", 0) == 0
    }()
}
