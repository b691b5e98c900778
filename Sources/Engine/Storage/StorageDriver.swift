internal import Rootfs

/// The drivers by the names that `--storage-driver` and the configuration give them.
package enum StorageDriver: String, Sendable, Hashable, CaseIterable {
    case overlay2
    case fuseOverlayfs = "fuse-overlayfs"
    case copyup

    /// What is asked for; nil leaves the choice to the probe.
    package static func asked(_ text: String) throws(UnknownDriver) -> StorageDriver? {
        if text.isEmpty { return nil }
        guard let driver = StorageDriver(rawValue: text) else { throw UnknownDriver(name: text) }
        return driver
    }

    package struct UnknownDriver: Error, Sendable, CustomStringConvertible {
        let name: String

        package var description: String {
            switch name {
            case "overlay", "aufs", "devicemapper": "storage driver \(name) was removed upstream, use overlay2"
            case "vfs", "btrfs", "zfs": "storage driver \(name) is not supported, use \(StorageDriver.names)"
            default: "unknown storage driver \(name.debugDescription); there are \(StorageDriver.names)"
            }
        }
    }

    /// All of them, for people. Every command line is read with this in its help.
    package static let names = "overlay2, fuse-overlayfs, copyup"

    /// What does it.
    var driver: any RootfsDriver {
        switch self {
        case .overlay2: Overlay2()
        case .fuseOverlayfs: FuseOverlayfs()
        case .copyup: CopyUp()
        }
    }
}
