internal import Glibc

/// What fuse-overlayfs leaves in a directory that hides what is below it, besides overlayfs's own attribute.
package enum OpaqueFile {
    private static let names = [PathBytes(".wh..wh..opq"), PathBytes(".wh..opq")]
    /// Deeper ones stay: nothing but a name too many comes of it.
    private static let maximumDepth = 256

    package static func contains(_ name: PathBytes) -> Bool { names.contains(name) }

    /// Removes them from all opaque directories of an upper layer that nobody has mounted; borrows it.
    package static func removeAll(below directory: Int32) throws(Errno) { try removeAll(below: directory, depth: 0) }

    private static func removeAll(below directory: Int32, depth: Int) throws(Errno) {
        if try ExtendedAttributes.get(directory, OverlayMarks.trusted.opaque) == OverlayMarks.opaqueValue {
            for name in names {
                do throws(Errno) { try File.unlink(name, at: directory) } catch { if error != .noEntry { throw error } }
            }
        }
        if depth == maximumDepth { return }
        for entry in try Directory.entries(directory) where entry.type == UInt8(DT_DIR) {
            let below = try File.open(entry.bytes, O_RDONLY | O_DIRECTORY, at: directory)
            try removeAll(below: below.raw, depth: depth + 1)
        }
    }
}
