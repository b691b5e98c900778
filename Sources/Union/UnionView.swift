internal import Glibc
package import Sys

/// Layers shown as one tree, without a mount, to be read. Operations are those of the system calls whose names they have,
/// relative to a directory of the tree and one name; they throw the errno that the call on a mount would give. Nothing
/// follows a link.
package class UnionView {
    package let root: UnionDirectory
    let marks: OverlayMarks

    /// Directories, the topmost first; borrowed.
    package init(_ lowers: [Int32], upper: Int32? = nil, marks: OverlayMarks) throws(Errno) {
        self.marks = marks
        var stack: [UnionDirectory.OpenDirectory] = []
        var top: UnionDirectory.OpenDirectory?
        if let upper { top = .init(try Directory.open(".", at: upper), 0) }
        for lower in lowers {
            stack.append(.init(try Directory.open(".", at: lower), stack.count + (upper == nil ? 0 : 1)))
        }
        root = UnionDirectory(upper: top, lowers: stack, name: PathBytes("."), in: nil)
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
