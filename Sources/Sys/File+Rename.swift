internal import CLinux
internal import Glibc

extension File {
    /// What renameat2(2) does beside moving a name.
    package struct RenameFlags: OptionSet, Sendable, Hashable {
        package let rawValue: UInt32
        package init(rawValue: UInt32) { self.rawValue = rawValue }

        package static let noReplace = RenameFlags(rawValue: 1)
        package static let exchange = RenameFlags(rawValue: 2)
        /// Leaves overlayfs's whiteout at the old name.
        package static let whiteout = RenameFlags(rawValue: 4)
    }

    package static func rename(
        _ from: PathBytes, at fromDirectory: Int32, to: PathBytes, at toDirectory: Int32, _ flags: RenameFlags
    ) throws(Errno) {
        try from.withCString { (old) throws(Errno) in
            try to.withCString { (new) throws(Errno) in
                _ = try check { clinux_renameat2(fromDirectory, old, toDirectory, new, flags.rawValue) }
            }
        }
    }
}
