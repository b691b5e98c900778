internal import CLinux
internal import Glibc

/// Whiteouts: names in a layer that say that what a lower layer has is deleted. One is a device 0:0 or, where none can be
/// made, a marked file: an empty one with an attribute, in a directory whose opaque mark is `xwhiteoutsValue` (kernel,
/// overlayfs.rst, "whiteouts and opaque directories"; Linux 6.7). overlayfs makes no device 0:0 itself, so layers that lie
/// on it have marked files. An opaque directory has none: its mark says already that nothing below is shown.
extension OverlayMarks {
    /// Whether `name`, of this status, in the open directory `directory` of a layer is a whiteout. Attributes are looked
    /// at for empty files alone.
    package func isWhiteout(_ name: PathBytes, _ status: FileStatus, at directory: Int32) throws(Errno) -> Bool {
        if status.isWhiteout { return true }
        guard status.isRegular, status.size == 0, try hasMarkedFiles(directory) else { return false }
        return try isMarkedFile(name, status, at: directory)
    }

    /// Whether some files of the open directory may be whiteouts.
    package func hasMarkedFiles(_ directory: Int32) throws(Errno) -> Bool {
        do throws(Errno) {
            return try ExtendedAttributes.get(directory, opaque) == OverlayMarks.xwhiteoutsValue
        } catch .accessDenied {
            // `user.*` of what can't be read.
            return false
        }
    }

    /// Whether it is an empty file with the mark of a whiteout, whatever its directory says: what the kernel asks when it
    /// looks a name up.
    package func isMarkedFile(_ name: PathBytes, _ status: FileStatus, at directory: Int32) throws(Errno) -> Bool {
        guard status.isRegular, status.size == 0 else { return false }
        do throws(Errno) {
            return try ExtendedAttributes.get(name, at: directory, whiteout) != nil
        } catch .accessDenied {
            return false
        }
    }

    // MARK: Making them

    /// Makes `name`, which nothing has, in the directory `place` a whiteout. It is for the directory `directory`, which is
    /// `place` or where the caller will move it; both are borrowed. EEXIST, EPERM and whatever else mknod(2) says.
    package func makeWhiteout(_ name: PathBytes, at place: Int32, for directory: Int32) throws(Errno) {
        if try !OverlayMarks.makeDevice(name, at: place) { try makeMarkedFile(name, at: place, for: directory) }
    }

    /// Makes `name` a device 0:0. False where the file system makes none; throws for all other reasons.
    package static func makeDevice(_ name: PathBytes, at directory: Int32) throws(Errno) -> Bool {
        do throws(Errno) {
            try File.makeNode(name, mode: S_IFCHR, at: directory)
            return true
        } catch {
            // Elsewhere EPERM has other reasons, and the layer is for drivers that may know devices alone.
            if error == .notPermitted, FileSystemName.isOverlay(directory) { return false }
            throw error
        }
    }

    /// As `makeWhiteout`, of the other form. The directory is marked first, so that a file which is in its place is a
    /// whiteout for all who read; one that is made in its place itself is a plain file for a moment.
    package func makeMarkedFile(_ name: PathBytes, at place: Int32, for directory: Int32) throws(Errno) {
        try expectMarkedFiles(directory)
        let file = try File.open(name, O_WRONLY | O_CREAT | O_EXCL, mode: 0o600, at: place)
        do throws(Errno) {
            try ExtendedAttributes.set(file.raw, whiteout, OverlayMarks.opaqueValue)
        } catch {
            try? File.unlink(name, at: place)
            throw error
        }
    }

    /// Has all who read look for marked files in the directory, which hides nothing afterwards.
    package func expectMarkedFiles(_ directory: Int32) throws(Errno) {
        if try hasMarkedFiles(directory) { return }
        do throws(Errno) {
            try ExtendedAttributes.set(directory, opaque, OverlayMarks.xwhiteoutsValue)
        } catch .accessDenied {
            // Without privilege `user.*` is only for what may be written to.
            let mode = try File.status(directory).mode
            try File.setMode(directory, mode | 0o700)
            defer { try? File.setMode(directory, mode) }
            try ExtendedAttributes.set(directory, opaque, OverlayMarks.xwhiteoutsValue)
        }
    }

    /// Removes the marked files of a directory that will be opaque, or has nothing below it: there they would be files.
    package func removeMarkedFiles(in directory: Int32) throws(Errno) {
        guard try hasMarkedFiles(directory) else { return }
        for entry in try Directory.entries(directory) where [UInt8(DT_REG), UInt8(DT_UNKNOWN)].contains(entry.type) {
            let status = try File.status(entry.bytes, at: directory)
            if try isMarkedFile(entry.bytes, status, at: directory) { try File.unlink(entry.bytes, at: directory) }
        }
    }
}
