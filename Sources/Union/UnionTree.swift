internal import Glibc
package import Sys

/// Layers shown as one tree, without a mount: read-only lower directories and one upper directory that takes all
/// changes. What overlayfs does with `index=off,metacopy=off,redirect_dir=nofollow` is done here (kernel,
/// Documentation/filesystems/overlayfs.rst), in overlayfs's own format, so that a mount can go on where this ended and
/// the other way round.
///
/// Operations are those of the system calls whose names they have, relative to a directory of the tree and one name;
/// they throw the errno that the call on a mount would give. Nothing follows a link. Each is atomic against `kill -9`: an
/// object gets its place by one rename, and what is left in the work directory goes at the next opening.
///
/// One process uses the upper directory at a time, from one thread.
package final class UnionTree {
    package let root: UnionDirectory
    let marks: OverlayMarks
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
        self.marks = marks
        isDurable = durable
        self.work = try WorkDirectory(work)
        var stack: [UnionDirectory.OpenDirectory] = []
        for lower in lowers { stack.append(.init(try Directory.open(".", at: lower))) }
        root = UnionDirectory(
            upper: .init(try Directory.open(".", at: upper)), lowers: stack, name: PathBytes("."), in: nil)
    }

    /// The directory that `path`, relative to `start` and without links, leads to: ENOENT, ENOTDIR, ELOOP.
    package func directory(_ path: PathBytes, from start: UnionDirectory? = nil) throws(Errno) -> UnionDirectory {
        var current = start ?? root
        for part in path.bytes.split(separator: UInt8(ascii: "/")) {
            guard let name = PathBytes(part) else { throw .invalid }
            current = try directory(name, in: current)
        }
        return current
    }

    /// A name that can be one: not empty, `.`, `..` or with a slash.
    func checkName(_ name: PathBytes, in directory: UnionDirectory) throws(Errno) {
        if name.isEmpty || name == PathBytes(".") || name == PathBytes("..")
            || name.bytes.contains(UInt8(ascii: "/"))
        {
            throw .invalid
        }
        if name.count > Int(NAME_MAX) { throw .nameTooLong }
        if directory.isRemoved { throw .noEntry }
    }
}
