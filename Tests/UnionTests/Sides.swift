import Glibc
import Sys
import Union

/// A tree that operations are made on, and that can be looked at: a mount, or the union in our own code.
protocol Side: AnyObject {
    associatedtype Folder
    var marks: OverlayMarks { get }
    var root: Folder { get }
    /// Nil until a directory was opened by `hold`.
    var held: Folder? { get set }

    func folder(_ path: PathBytes, from start: Folder) throws(Errno) -> Folder
    func names(_ folder: Folder) throws(Errno) -> [PathBytes]
    func status(_ name: PathBytes, _ folder: Folder) throws(Errno) -> FileStatus
    func rootStatus() throws(Errno) -> FileStatus
    func rootAttributes() throws(Errno) -> [PathBytes]
    func readLink(_ name: PathBytes, _ folder: Folder) throws(Errno) -> PathBytes
    func open(_ name: PathBytes, _ flags: Int32, _ mode: UInt32, _ folder: Folder) throws(Errno) -> OwnedFD
    func truncate(_ name: PathBytes, _ folder: Folder, _ size: Int64) throws(Errno)
    func setMode(_ name: PathBytes, _ folder: Folder, _ mode: UInt32) throws(Errno)
    func setOwner(_ name: PathBytes, _ folder: Folder, _ user: UInt32, _ group: UInt32) throws(Errno)
    func setTimes(_ name: PathBytes, _ folder: Folder, _ change: TimeChange) throws(Errno)
    func attribute(_ attribute: PathBytes, _ name: PathBytes, _ folder: Folder) throws(Errno) -> [UInt8]?
    func attributes(_ name: PathBytes, _ folder: Folder) throws(Errno) -> [PathBytes]
    func setAttribute(
        _ attribute: PathBytes, _ name: PathBytes, _ folder: Folder, _ value: [UInt8],
        _ condition: ExtendedAttributes.Condition) throws(Errno)
    func removeAttribute(_ attribute: PathBytes, _ name: PathBytes, _ folder: Folder) throws(Errno)
    func link(_ name: PathBytes, _ folder: Folder, _ newName: PathBytes, _ newFolder: Folder) throws(Errno)
    func symlink(_ target: PathBytes, _ name: PathBytes, _ folder: Folder) throws(Errno)
    func rename(
        _ name: PathBytes, _ folder: Folder, _ newName: PathBytes, _ newFolder: Folder, _ flags: File.RenameFlags
    ) throws(Errno)
    func unlink(_ name: PathBytes, _ folder: Folder) throws(Errno)
    func rmdir(_ name: PathBytes, _ folder: Folder) throws(Errno)
    func mkdir(_ name: PathBytes, _ folder: Folder, _ mode: UInt32) throws(Errno)
    func mknod(
        _ name: PathBytes, _ folder: Folder, _ kind: FileStatus.Kind, _ mode: UInt32, _ major: UInt32, _ minor: UInt32
    ) throws(Errno)
}

/// A directory by its descriptor.
final class OpenFolder {
    private let descriptor: OwnedFD
    var raw: Int32 { descriptor.raw }
    init(_ descriptor: consuming OwnedFD) { self.descriptor = descriptor }
}

final class KernelSide: Side {
    private let mount: KernelOverlay?
    let marks: OverlayMarks
    let root: OpenFolder
    var held: OpenFolder?

    init(_ mount: consuming KernelOverlay, _ marks: OverlayMarks) throws(Errno) {
        self.marks = marks
        root = OpenFolder(try Directory.open(".", at: mount.root.raw))
        self.mount = consume mount
    }

    /// A plain directory.
    init(directory: OpenFolder, _ marks: OverlayMarks) {
        self.marks = marks
        root = directory
        mount = nil
    }

    func folder(_ path: PathBytes, from start: OpenFolder) throws(Errno) -> OpenFolder {
        if path.isEmpty { return start }
        let text = String(decoding: path.bytes, as: UTF8.self)
        return OpenFolder(
            try File.open(text, O_RDONLY | O_DIRECTORY, at: start.raw, resolve: [.beneath, .noSymlinks]))
    }

    func names(_ folder: OpenFolder) throws(Errno) -> [PathBytes] { try Directory.names(folder.raw) }
    func status(_ name: PathBytes, _ folder: OpenFolder) throws(Errno) -> FileStatus {
        try File.status(name, at: folder.raw)
    }
    func rootStatus() throws(Errno) -> FileStatus { try File.status(root.raw) }
    func rootAttributes() throws(Errno) -> [PathBytes] { try ExtendedAttributes.names(root.raw) }
    func readLink(_ name: PathBytes, _ folder: OpenFolder) throws(Errno) -> PathBytes {
        try File.readLink(name, at: folder.raw)
    }
    func open(_ name: PathBytes, _ flags: Int32, _ mode: UInt32, _ folder: OpenFolder) throws(Errno) -> OwnedFD {
        try File.open(name, flags, mode: mode, at: folder.raw)
    }
    func truncate(_ name: PathBytes, _ folder: OpenFolder, _ size: Int64) throws(Errno) {
        let path = "/proc/self/fd/\(folder.raw)/\(name)"
        // truncate(2) follows links.
        if try status(name, folder).kind == .link { throw .invalid }
        try check { Glibc.truncate(path, off_t(size)) }
    }
    func setMode(_ name: PathBytes, _ folder: OpenFolder, _ mode: UInt32) throws(Errno) {
        try File.setMode(name, at: folder.raw, mode)
    }
    func setOwner(_ name: PathBytes, _ folder: OpenFolder, _ user: UInt32, _ group: UInt32) throws(Errno) {
        try File.setOwner(name, at: folder.raw, user: user, group: group)
    }
    func setTimes(_ name: PathBytes, _ folder: OpenFolder, _ change: TimeChange) throws(Errno) {
        try File.setTimes(name, at: folder.raw, accessed: .kept, modified: change)
    }
    func attribute(_ attribute: PathBytes, _ name: PathBytes, _ folder: OpenFolder) throws(Errno) -> [UInt8]? {
        try ExtendedAttributes.get(name, at: folder.raw, attribute)
    }
    func attributes(_ name: PathBytes, _ folder: OpenFolder) throws(Errno) -> [PathBytes] {
        try ExtendedAttributes.names(name, at: folder.raw)
    }
    func setAttribute(
        _ attribute: PathBytes, _ name: PathBytes, _ folder: OpenFolder, _ value: [UInt8],
        _ condition: ExtendedAttributes.Condition
    ) throws(Errno) {
        try ExtendedAttributes.set(name, at: folder.raw, attribute, value, condition)
    }
    func removeAttribute(_ attribute: PathBytes, _ name: PathBytes, _ folder: OpenFolder) throws(Errno) {
        try ExtendedAttributes.remove(name, at: folder.raw, attribute)
    }
    func link(
        _ name: PathBytes, _ folder: OpenFolder, _ newName: PathBytes, _ newFolder: OpenFolder
    ) throws(Errno) {
        try File.link(name, at: folder.raw, to: newName, at: newFolder.raw)
    }
    func symlink(_ target: PathBytes, _ name: PathBytes, _ folder: OpenFolder) throws(Errno) {
        try File.symlink(target, name, at: folder.raw)
    }
    func rename(
        _ name: PathBytes, _ folder: OpenFolder, _ newName: PathBytes, _ newFolder: OpenFolder,
        _ flags: File.RenameFlags
    ) throws(Errno) {
        try File.rename(name, at: folder.raw, to: newName, at: newFolder.raw, flags)
    }
    func unlink(_ name: PathBytes, _ folder: OpenFolder) throws(Errno) { try File.unlink(name, at: folder.raw) }
    func rmdir(_ name: PathBytes, _ folder: OpenFolder) throws(Errno) { try Directory.remove(name, at: folder.raw) }
    func mkdir(_ name: PathBytes, _ folder: OpenFolder, _ mode: UInt32) throws(Errno) {
        try Directory.make(name, mode: mode, at: folder.raw)
    }
    func mknod(
        _ name: PathBytes, _ folder: OpenFolder, _ kind: FileStatus.Kind, _ mode: UInt32, _ major: UInt32,
        _ minor: UInt32
    ) throws(Errno) {
        try File.makeNode(name, mode: kind.modeBits | mode, major: major, minor: minor, at: folder.raw)
    }
}

final class UnionSide: Side {
    private let tree: UnionTree
    let marks: OverlayMarks
    var root: UnionDirectory { tree.root }
    var held: UnionDirectory?

    init(_ tree: UnionTree, _ marks: OverlayMarks) {
        self.tree = tree
        self.marks = marks
    }

    func materialise(into target: Int32) throws(Errno) -> Materialised { try tree.materialise(into: target) }
    func adopt(_ changed: Int32, _ made: Materialised) throws(Errno) {
        try tree.adopt(changed, since: made.stamp, skipped: made.skipped)
    }

    func folder(_ path: PathBytes, from start: UnionDirectory) throws(Errno) -> UnionDirectory {
        try tree.directory(path, from: start)
    }
    func names(_ folder: UnionDirectory) throws(Errno) -> [PathBytes] { try tree.names(in: folder) }
    func status(_ name: PathBytes, _ folder: UnionDirectory) throws(Errno) -> FileStatus {
        try tree.status(name, in: folder)
    }
    func rootStatus() throws(Errno) -> FileStatus { try tree.status(of: tree.root) }
    func rootAttributes() throws(Errno) -> [PathBytes] { try tree.attributes(of: tree.root) }
    func readLink(_ name: PathBytes, _ folder: UnionDirectory) throws(Errno) -> PathBytes {
        try tree.readLink(name, in: folder)
    }
    func open(_ name: PathBytes, _ flags: Int32, _ mode: UInt32, _ folder: UnionDirectory) throws(Errno) -> OwnedFD {
        try tree.open(name, flags, mode: mode, in: folder)
    }
    func truncate(_ name: PathBytes, _ folder: UnionDirectory, _ size: Int64) throws(Errno) {
        try tree.truncate(name, in: folder, to: size)
    }
    func setMode(_ name: PathBytes, _ folder: UnionDirectory, _ mode: UInt32) throws(Errno) {
        try tree.setMode(name, in: folder, mode)
    }
    func setOwner(_ name: PathBytes, _ folder: UnionDirectory, _ user: UInt32, _ group: UInt32) throws(Errno) {
        try tree.setOwner(name, in: folder, user: user, group: group)
    }
    func setTimes(_ name: PathBytes, _ folder: UnionDirectory, _ change: TimeChange) throws(Errno) {
        try tree.setTimes(name, in: folder, accessed: .kept, modified: change)
    }
    func attribute(_ attribute: PathBytes, _ name: PathBytes, _ folder: UnionDirectory) throws(Errno) -> [UInt8]? {
        try tree.attribute(attribute, of: name, in: folder)
    }
    func attributes(_ name: PathBytes, _ folder: UnionDirectory) throws(Errno) -> [PathBytes] {
        try tree.attributes(of: name, in: folder)
    }
    func setAttribute(
        _ attribute: PathBytes, _ name: PathBytes, _ folder: UnionDirectory, _ value: [UInt8],
        _ condition: ExtendedAttributes.Condition
    ) throws(Errno) {
        try tree.setAttribute(attribute, of: name, in: folder, value, condition)
    }
    func removeAttribute(_ attribute: PathBytes, _ name: PathBytes, _ folder: UnionDirectory) throws(Errno) {
        try tree.removeAttribute(attribute, of: name, in: folder)
    }
    func link(
        _ name: PathBytes, _ folder: UnionDirectory, _ newName: PathBytes, _ newFolder: UnionDirectory
    ) throws(Errno) {
        try tree.link(name, in: folder, to: newName, in: newFolder)
    }
    func symlink(_ target: PathBytes, _ name: PathBytes, _ folder: UnionDirectory) throws(Errno) {
        try tree.symlink(target, name, in: folder)
    }
    func rename(
        _ name: PathBytes, _ folder: UnionDirectory, _ newName: PathBytes, _ newFolder: UnionDirectory,
        _ flags: File.RenameFlags
    ) throws(Errno) {
        try tree.rename(name, in: folder, to: newName, in: newFolder, flags)
    }
    func unlink(_ name: PathBytes, _ folder: UnionDirectory) throws(Errno) { try tree.unlink(name, in: folder) }
    func rmdir(_ name: PathBytes, _ folder: UnionDirectory) throws(Errno) {
        try tree.removeDirectory(name, in: folder)
    }
    func mkdir(_ name: PathBytes, _ folder: UnionDirectory, _ mode: UInt32) throws(Errno) {
        try tree.makeDirectory(name, mode: mode, in: folder)
    }
    func mknod(
        _ name: PathBytes, _ folder: UnionDirectory, _ kind: FileStatus.Kind, _ mode: UInt32, _ major: UInt32,
        _ minor: UInt32
    ) throws(Errno) {
        try tree.makeNode(name, kind, mode: mode, major: major, minor: minor, in: folder)
    }
}

extension FileStatus.Kind {
    /// As in a mode (inode(7)).
    var modeBits: UInt32 {
        switch self {
        case .regular: S_IFREG
        case .directory: S_IFDIR
        case .link: S_IFLNK
        case .fifo: S_IFIFO
        case .socket: S_IFSOCK
        case .characterDevice: S_IFCHR
        case .blockDevice: S_IFBLK
        }
    }
}
