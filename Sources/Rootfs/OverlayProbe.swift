internal import Glibc
package import Sys

/// Why the kernel's overlayfs can't have its layers in a directory, with what would help.
package enum OverlayObstacle: Error, Sendable, Hashable, CustomStringConvertible {
    case noOverlay
    case notPermitted
    /// The directory is on overlayfs itself, as in a container.
    case onOverlay(path: String)
    /// readdir(3) does not tell what a name is, which whiteouts need.
    case noEntryTypes(path: String, fileSystem: String)
    /// No attributes, by which directories hide what is below.
    case noAttributes(path: String, fileSystem: String)
    case refused(path: String, fileSystem: String, Errno)

    package var description: String {
        switch self {
        case .noOverlay: "the kernel has no overlayfs; try modprobe overlay"
        case .notPermitted: "this process may not mount overlayfs (CAP_SYS_ADMIN)"
        case .onOverlay(let path):
            "\(path) is on overlayfs itself, which can't be an upper layer; choose a data root on another file system"
        case .noEntryTypes(let path, let name):
            "\(path): \(name) does not tell the types of directory entries (d_type)"
                + (name == "xfs" ? "; make it with mkfs.xfs -n ftype=1" : "; choose a data root on another file system")
        case .noAttributes(let path, let name):
            "\(path): \(name) keeps no extended attributes; choose a data root on another file system"
        case .refused(let path, let name, let errno):
            "\(path): overlayfs on \(name) is refused: \(errno); choose a data root on another file system"
        }
    }
}

/// Tries whether overlayfs works in a directory, by a mount of four small directories that only one thread ever sees.
package enum OverlayProbe {
    /// Makes what it needs below `directory`, an empty one, and leaves it there. nil: it works.
    ///
    /// - Parameter userAttributes: as a user namespace mounts it, by `user.overlay.*`.
    package static func obstacle(
        in directory: String, userAttributes: Bool = false
    ) throws(SystemFailure) -> OverlayObstacle? {
        let name = FileSystemName.of(directory) ?? "this file system"
        if name == "overlayfs" { return .onOverlay(path: directory) }
        var stack = LayerStack(
            base: directory, layers: [directory + "/lower"], upper: directory + "/upper", work: directory + "/work",
            mountPoint: directory + "/merged")
        stack.usesUserAttributes = userAttributes
        for part in ["lower", "upper", "work", "merged"] {
            try Directory.makePath("\(directory)/\(part)", mode: 0o700)
        }
        do throws(Errno) {
            if try Directory.entries(directory).contains(where: { $0.type == UInt8(DT_UNKNOWN) }) {
                return .noEntryTypes(path: directory, fileSystem: name)
            }
            let upper = try Directory.open(directory + "/upper")
            let isKept = try keepsAttributes(upper.raw, userAttributes ? .user : .trusted)
            _ = consume upper
            guard isKept else { return .noAttributes(path: directory, fileSystem: name) }
            guard let mount = try? Overlay2().mount(stack) else { throw Errno.nameTooLong }
            try PrivateMounts.with { () throws(Errno) in _ = try mount.detached() }
            return nil
        } catch {
            switch error {
            case Errno(rawValue: ENODEV): return .noOverlay
            case .notPermitted: return .notPermitted
            default: return .refused(path: directory, fileSystem: name, error)
            }
        }
    }

    private static func keepsAttributes(_ directory: Int32, _ marks: OverlayMarks) throws(Errno) -> Bool {
        do throws(Errno) {
            try ExtendedAttributes.set(directory, marks.probe, [UInt8(ascii: "y")])
            return true
        } catch .notSupported {
            return false
        }
    }
}
