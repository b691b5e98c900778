internal import Glibc
package import Sys

extension UnionTree {
    /// Opens a regular file, O_* as with openat(2); with O_CREAT one that is not there is made with `mode` less the umask.
    /// One that may be written to, or is emptied, is brought into the upper layer first; a descriptor for reading that was
    /// opened before goes on reading the lower layer's. EISDIR for a directory, ELOOP for a link, ENXIO for whatever else:
    /// a node of a layer is nobody's to open.
    package func open(
        _ name: PathBytes, _ flags: Int32, mode: UInt32 = 0, in directory: UnionDirectory
    ) throws(Errno) -> OwnedFD {
        let kept = flags & ~(O_CREAT | O_EXCL | O_NOFOLLOW)
        guard case .present(let entry) = try find(name, in: directory) else {
            if flags & O_CREAT == 0 { throw .noEntry }
            return try makeFile(name, kept & ~O_TRUNC, mode: mode, in: directory)
        }
        if flags & O_CREAT != 0, flags & O_EXCL != 0 { throw .exists }
        let isChange = flags & O_ACCMODE != O_RDONLY || flags & O_TRUNC != 0
        let layer = try regular(entry, in: directory)
        if !isChange { return try File.open(name, kept | O_NOCTTY, at: layer.raw) }
        try copyUp(name, entry, in: directory, contents: flags & O_TRUNC == 0)
        return try File.open(name, kept | O_NOCTTY, at: try upper(of: directory).raw)
    }
}
