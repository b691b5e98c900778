internal import Glibc

/// What fuse-overlayfs leaves in a directory that hides what is below it, besides overlayfs's own attribute or, in a user
/// namespace, in its place.
package enum OpaqueFile {
    private static let names = [PathBytes(".wh..wh..opq"), PathBytes(".wh..opq")]
    /// Deeper ones stay: nothing but a name too many comes of it.
    private static let maximumDepth = 256

    package static func contains(_ name: PathBytes) -> Bool { names.contains(name) }

    /// Makes all opaque directories of an upper layer that nobody has mounted those of overlayfs; borrows it.
    package static func settleAll(below directory: Int32, _ marks: OverlayMarks) throws(Errno) {
        try settleAll(below: directory, marks, depth: 0)
    }

    private static func settleAll(below directory: Int32, _ marks: OverlayMarks, depth: Int) throws(Errno) {
        if try marks.hidesBelow(directory) {
            // The kernel's mark first: at no moment does the directory show what it hides.
            if marks == .user {
                try ExtendedAttributes.set(directory, marks.opaque, OverlayMarks.opaqueValue)
                do throws(Errno) {
                    try ExtendedAttributes.remove(directory, OverlayMarks.fuseOpaque)
                } catch {
                    if error != .noData { throw error }
                }
            }
            let before = try File.status(directory)
            for name in names {
                do throws(Errno) { try File.unlink(name, at: directory) } catch { if error != .noEntry { throw error } }
            }
            try File.setTimes(directory, accessed: .set(before.accessed), modified: .set(before.modified))
        }
        if depth == maximumDepth { return }
        for entry in try Directory.entries(directory) where entry.type == UInt8(DT_DIR) {
            let below = try File.open(entry.bytes, O_RDONLY | O_DIRECTORY, at: directory)
            try settleAll(below: below.raw, marks, depth: depth + 1)
            _ = consume below
        }
    }
}
