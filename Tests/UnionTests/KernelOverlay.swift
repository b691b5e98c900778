import CLinux
import Glibc
import Sys
import TestSupport

/// An overlay mount that no mount table has: it is gone with its descriptor, however the test ends (fsmount(2)).
struct KernelOverlay: ~Copyable {
    let root: OwnedFD

    static let isPossible = Conditions.hasOverlay && MountAPI.overlayAppendsLayers
    static let requirements = "needs root and an overlayfs that takes layers one by one (Linux 6.7)"

    /// Layers are the topmost first. What Sources/Union names as the options that it follows.
    init(lowers: [String], upper: String?, work: String, marks: OverlayMarks) throws(Errno) {
        let context = OwnedFD(adopting: try check { fsopen("overlay", UInt32(FSOPEN_CLOEXEC)) })
        let fd = context.raw
        func set(_ name: String, _ value: String) throws(Errno) {
            try check { fsconfig(fd, UInt32(FSCONFIG_SET_STRING.rawValue), name, value, 0) }
        }
        func flag(_ name: String) throws(Errno) {
            try check { fsconfig(fd, UInt32(FSCONFIG_SET_FLAG.rawValue), name, nil, 0) }
        }
        for lower in lowers { try set("lowerdir+", lower) }
        if let upper {
            try set("upperdir", upper)
            try set("workdir", work)
        }
        try set("index", "off")
        try set("xino", "off")
        try flag("volatile")
        switch marks {
        // Implies no metacopy and no redirects.
        case .user: try flag("userxattr")
        case .trusted:
            try set("metacopy", "off")
            try set("redirect_dir", "nofollow")
        }
        try check { fsconfig(fd, UInt32(FSCONFIG_CMD_CREATE.rawValue), nil, nil, 0) }
        root = OwnedFD(adopting: try check { fsmount(fd, UInt32(FSMOUNT_CLOEXEC), 0) })
        _ = consume context
    }
}
