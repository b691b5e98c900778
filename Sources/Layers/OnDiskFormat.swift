internal import Sys

/// How a layer's directory says "deleted" and "hides what is below", and which extended attributes a layer may bring; the
/// names are `Sys.OverlayMarks` (kernel: Documentation/filesystems/overlayfs.rst, "whiteouts and opaque directories").
package enum OnDiskFormat: Sendable, Hashable {
    /// An overlayfs layer mounted by root: character devices 0:0, `trusted.overlay.*`.
    case overlay
    /// An overlayfs layer mounted with `userxattr`: the same with `user.overlay.*`.
    case overlayUserXattr
    /// A complete tree onto which layers are applied one after the other: whiteouts delete.
    case directory
    /// A tree in use that a plain tar is unpacked into: every name means itself, a file gives way to one of the same
    /// name, and nothing else is taken away.
    case merge

    /// Whether what a layer deletes is recorded rather than removed.
    var keepsWhiteouts: Bool { self == .overlay || self == .overlayUserXattr }

    /// Whether names may say that others are deleted.
    var readsWhiteouts: Bool { self != .merge }

    /// The attribute that makes a directory opaque, and its value "y".
    var opaqueName: PathBytes? { marks?.opaque }

    static let opaqueValue = OverlayMarks.opaqueValue

    /// The names of overlayfs's attributes, where the format has them.
    var marks: OverlayMarks? {
        switch self {
        case .overlay: .trusted
        case .overlayUserXattr: .user
        case .directory, .merge: nil
        }
    }

    /// Whether a layer may set the attribute: capabilities, what belongs to users, ACLs. `user.overlay.*` and what
    /// fuse-overlayfs has would rewire the mount whatever the format of today; labels, IMA, EVM and all of `trusted.*`, where overlayfs and others keep
    /// what they know of a file, belong to the host that made the image. containerd drops them as well.
    func stores(_ name: PathBytes, on kind: FileKind) -> Bool {
        if name.hasPrefix(OverlayMarks.user.prefix) || name.hasPrefix(OverlayMarks.fusePrefix) { return false }
        if name == PathBytes("security.capability") { return true }
        // The kernel takes user.* and ACLs only where a mode can be used (xattr(7), acl(5)).
        if name.hasPrefix("user.") { return kind == .regular || kind == .directory }
        if name == PathBytes("system.posix_acl_access") { return kind != .symbolicLink }
        return name == PathBytes("system.posix_acl_default") && kind == .directory
    }
}

/// What a name in a directory is.
enum FileKind { case regular, directory, symbolicLink, other }

/// What a member's name asks for, AUFS's conventions as the OCI image spec keeps them (layer.md#whiteouts).
enum Marker: Equatable {
    case none
    /// Delete the sibling of this name in the layers below.
    case whiteout(PathBytes)
    /// Hide all that the layers below have in this directory.
    case opaque
    /// AUFS's own records, which every engine passes over.
    case ignored

    private static let prefix: StaticString = ".wh."
    private static let metaPrefix: StaticString = ".wh..wh."

    /// Nil for a whiteout of nothing, `.` or `..`.
    init?(_ name: PathBytes) {
        guard name.hasPrefix(Marker.prefix) else {
            self = .none
            return
        }
        if name == PathBytes(".wh..wh..opq") {
            self = .opaque
        } else if name.hasPrefix(Marker.metaPrefix) {
            self = .ignored
        } else {
            guard let target = PathBytes(name.bytes.dropFirst(4)), !target.isEmpty, target != PathBytes("."),
                target != PathBytes("..")
            else { return nil }
            self = .whiteout(target)
        }
    }
}
