/// The names of overlayfs's own extended attributes: the one place for them (kernel, overlayfs.rst). What is a
/// whiteout `isWhiteout` tells.
package enum OverlayMarks: String, Sendable, Hashable, CaseIterable {
    /// What a mount by root uses.
    case trusted
    /// What a mount with `userxattr` uses, and whoever has no privilege.
    case user

    /// What all of them begin with.
    package var prefix: StaticString {
        switch self {
        case .trusted: "trusted.overlay."
        case .user: "user.overlay."
        }
    }

    /// On a directory that hides what lower layers have in it; its value is `opaqueValue`, or `xwhiteoutsValue`.
    package var opaque: PathBytes { named("trusted.overlay.opaque", "user.overlay.opaque") }
    /// On a directory whose lower entries have another name.
    package var redirect: PathBytes { named("trusted.overlay.redirect", "user.overlay.redirect") }
    /// On a file whose contents are in a lower layer.
    package var metacopy: PathBytes { named("trusted.overlay.metacopy", "user.overlay.metacopy") }
    /// On an empty file that is a whiteout.
    package var whiteout: PathBytes { named("trusted.overlay.whiteout", "user.overlay.whiteout") }

    /// Means nothing: where it can be set, the others can.
    package var probe: PathBytes { named("trusted.overlay.probe", "user.overlay.probe") }

    package static let opaqueValue: [UInt8] = [UInt8(ascii: "y")]
    /// Of `opaque`: the directory hides nothing, and some of its files may be whiteouts.
    package static let xwhiteoutsValue: [UInt8] = [UInt8(ascii: "x")]
    /// What fuse-overlayfs(1) keeps its own marks below.
    package static let fusePrefix: StaticString = "user.fuseoverlayfs."
    /// Its `opaque`, where it may not set `trusted.*`.
    package static let fuseOpaque = PathBytes("user.fuseoverlayfs.opaque")

    /// Whether this attribute makes a directory of an upper layer opaque, by the kernel's driver or by fuse-overlayfs.
    package func isOpaque(_ attribute: PathBytes) -> Bool {
        attribute == opaque || (self == .user && attribute == OverlayMarks.fuseOpaque)
    }

    /// Whether the directory, borrowed, of an upper layer hides what is below it.
    package func hidesBelow(_ directory: Int32) throws(Errno) -> Bool {
        if try ExtendedAttributes.get(directory, opaque) == OverlayMarks.opaqueValue { return true }
        guard self == .user else { return false }
        return try ExtendedAttributes.get(directory, OverlayMarks.fuseOpaque) == OverlayMarks.opaqueValue
    }

    /// The same for the directory that `path` leads to.
    package func hidesBelow(_ path: String) throws(Errno) -> Bool {
        let directory = try Directory.open(path)
        return try hidesBelow(directory.raw)
    }

    private func named(_ trusted: StaticString, _ user: StaticString) -> PathBytes {
        PathBytes(self == .trusted ? trusted : user)
    }
}
