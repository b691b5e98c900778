import Glibc
import Sys

/// A name in the tree: below its root, or below a directory that was opened before (`cwd:`).
struct Place: Hashable, CustomStringConvertible {
    var isHeld = false
    let parent: String
    let name: String

    /// `path` has no link in it that would be followed.
    init(_ path: String, held: Bool = false) {
        isHeld = held
        let (parent, name) = Path.split(path)
        self.parent = parent == "." ? "" : parent
        self.name = name
    }

    var bytes: PathBytes { PathBytes(Array(name.utf8)) ?? PathBytes("") }
    var parentBytes: PathBytes { PathBytes(Array(parent.utf8)) ?? PathBytes("") }
    var description: String { (isHeld ? "cwd:" : "") + (parent.isEmpty ? name : "\(parent)/\(name)") }
}

/// One call, as it is made on both sides.
enum Operation: CustomStringConvertible {
    case write(Place, flags: Int32, mode: UInt32, offset: Int64, count: Int)
    case read(Place)
    case truncate(Place, Int64)
    case chmod(Place, UInt32)
    case chown(Place, UInt32, UInt32)
    case touch(Place, TimeChange)
    case setAttribute(Place, Attribute, ExtendedAttributes.Condition)
    case getAttribute(Place, Attribute)
    case removeAttribute(Place, Attribute)
    case listAttributes(Place)
    case link(Place, Place)
    case symlink(String, Place)
    case readLink(Place)
    case rename(Place, Place, File.RenameFlags)
    case unlink(Place)
    case rmdir(Place)
    case mkdir(Place, UInt32)
    case mknod(Place, FileStatus.Kind, UInt32, major: UInt32, minor: UInt32)
    case list(Place)
    case stat(Place)
    /// Opens a directory that later operations start from.
    case hold(Place)

    /// What overlayfs refuses and a plain directory does not.
    var makesWhiteout: Bool {
        if case .mknod(_, .characterDevice, _, major: 0, minor: 0) = self { return true }
        return false
    }

    var description: String {
        switch self {
        case .write(let place, let flags, let mode, let offset, let count):
            "write \(place) flags \(String(flags, radix: 8)) mode \(String(mode, radix: 8)) at \(offset) count \(count)"
        case .read(let place): "read \(place)"
        case .truncate(let place, let size): "truncate \(place) \(size)"
        case .chmod(let place, let mode): "chmod \(place) \(String(mode, radix: 8))"
        case .chown(let place, let user, let group): "chown \(place) \(user):\(group)"
        case .touch(let place, let change): "touch \(place) \(change)"
        case .setAttribute(let place, let attribute, let condition):
            "setxattr \(place) \(attribute.name) \(attribute.value.count) bytes \(condition)"
        case .getAttribute(let place, let attribute): "getxattr \(place) \(attribute.name)"
        case .removeAttribute(let place, let attribute): "removexattr \(place) \(attribute.name)"
        case .listAttributes(let place): "listxattr \(place)"
        case .link(let from, let to): "link \(from) \(to)"
        case .symlink(let target, let place): "symlink \(target) \(place)"
        case .readLink(let place): "readlink \(place)"
        case .rename(let from, let to, let flags): "rename \(from) \(to) flags \(flags.rawValue)"
        case .unlink(let place): "unlink \(place)"
        case .rmdir(let place): "rmdir \(place)"
        case .mkdir(let place, let mode): "mkdir \(place) \(String(mode, radix: 8))"
        case .mknod(let place, let kind, let mode, let major, let minor):
            "mknod \(place) \(kind) \(String(mode, radix: 8)) \(major):\(minor)"
        case .list(let place): "readdir \(place)"
        case .stat(let place): "stat \(place)"
        case .hold(let place): "cd \(place)"
        }
    }
}

/// An extended attribute that the kernel takes.
struct Attribute: Sendable, Hashable {
    let name: String
    let value: [UInt8]

    var bytes: PathBytes { PathBytes(Array(name.utf8)) ?? PathBytes("") }

    /// Version 2; user::rwx, user:1000:rw-, group::r-x, mask::rwx, other::r-- (acl(5)).
    private static let acl: [UInt8] =
        [2, 0, 0, 0]
        + [
            [1, 0, 7, 0, 255, 255, 255, 255], [2, 0, 6, 0, 232, 3, 0, 0], [4, 0, 5, 0, 255, 255, 255, 255],
            [16, 0, 7, 0, 255, 255, 255, 255], [32, 0, 4, 0, 255, 255, 255, 255],
        ].flatMap { $0 }

    static let all: [Attribute] = [
        Attribute(name: "user.one", value: [1, 2, 3]), Attribute(name: "user.one", value: []),
        Attribute(name: "user.two", value: [UInt8](repeating: 7, count: 900)),
        Attribute(name: "trusted.three", value: [3]),
        Attribute(name: "user.overlay.opaque", value: [0x79]),
        Attribute(name: "trusted.overlay.opaque", value: [0x79]),
        Attribute(name: "user.overlay.overlay.redirect", value: Array("/a".utf8)),
        Attribute(name: "system.posix_acl_access", value: acl),
        Attribute(name: "system.posix_acl_default", value: acl),
        // VFS_CAP_REVISION_2 with CAP_NET_RAW (linux/capability.h).
        Attribute(
            name: "security.capability", value: [1, 0, 0, 2, 0, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
        Attribute(name: "nonsense.four", value: [4]),
    ]
}
