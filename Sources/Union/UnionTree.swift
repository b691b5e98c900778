package import Sys

/// Layers shown as one tree, without a mount: read-only lower directories and one upper directory that takes all
/// changes. What overlayfs does with `index=off,metacopy=off,redirect_dir=nofollow` is done here (kernel,
/// Documentation/filesystems/overlayfs.rst), in overlayfs's own format, so that a mount can go on where this ended and
/// the other way round.
///
/// Each operation is atomic against `kill -9`: an object gets its place by one rename, and what is left in the work
/// directory goes at the next opening.
///
/// One process uses the upper directory at a time, from one thread.
package final class UnionTree: UnionView {
    let work: WorkDirectory
    /// Whether a copy is on the disk before it gets its place.
    let isDurable: Bool

    /// Directories are borrowed. `lowers` is the topmost first; `upper` and `work` are on one file system, and nobody else
    /// uses them (EBUSY, EXDEV). A tree that is not `durable` loses whole files in a power cut, as a mount with `volatile`
    /// does.
    package init(
        lowers: [Int32], upper: Int32, work: Int32, marks: OverlayMarks, durable: Bool = true
    ) throws(Errno) {
        if try File.status(upper).device != File.status(work).device { throw .crossDevice }
        isDurable = durable
        self.work = try WorkDirectory(work)
        try super.init(lowers, upper: upper, marks: marks)
    }
}
