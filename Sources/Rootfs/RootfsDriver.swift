/// Turns a stack of layer directories into a mount. A driver mounts nothing itself.
package protocol RootfsDriver: Sendable {
    /// The name in `info` and in paths below the data root (`overlay2`).
    static var name: String { get }

    func mount(_ stack: LayerStack) throws(RootfsError) -> RootfsMount
}

/// The directories of one container's root file system. Paths are absolute, and best below `base`.
package struct LayerStack: Hashable, Sendable {
    /// The driver's directory below the data root: paths below it are passed on relative to it, which keeps them short.
    package var base: String
    /// Read-only layers, the topmost first.
    package var layers: [String]
    /// Where the container writes, and what overlayfs wants beside it; nil: nothing is written.
    package var writable: Writable?
    /// See `RootfsMount.mountPoint`.
    package var mountPoint: String
    package var readOnly = false
    /// The container is removed when it ends: overlayfs then need not sync the upper layer (`volatile`, Linux 5.10).
    package var discardable = false
    /// The layers' marks are `user.overlay.*` attributes, which a user namespace may set (`userxattr`, Linux 5.11).
    package var usesUserAttributes = false

    package struct Writable: Hashable, Sendable {
        package var upper: String
        /// overlayfs's own; on the file system of `upper`, and empty.
        package var work: String

        package init(upper: String, work: String) {
            self.upper = upper
            self.work = work
        }
    }

    package init(base: String, layers: [String], writable: Writable?, mountPoint: String) {
        self.base = base
        self.layers = layers
        self.writable = writable
        self.mountPoint = mountPoint
        readOnly = writable == nil
    }

    package init(base: String, layers: [String], upper: String, work: String, mountPoint: String) {
        self.init(
            base: base, layers: layers, writable: Writable(upper: upper, work: work), mountPoint: mountPoint)
    }
}

/// Why a stack of layers can't be mounted.
package enum RootfsError: Error, Equatable, Sendable, CustomStringConvertible {
    case noLayers
    case tooManyLayers(count: Int, limit: Int)
    /// fsconfig(2) takes values of up to 255 bytes, mount(2) one page of options.
    case pathTooLong(path: String, limit: Int)
    case optionsTooLong(layers: Int, bytes: Int, limit: Int)
    case driverMissing(String, String)
    /// The program that was to mount it, and what it said.
    case programFailed(String, String)

    package var description: String {
        switch self {
        case .driverMissing(let name, let reason): "storage driver \(name) can't be used: \(reason)"
        case .programFailed(let program, let reason): "\(program) did not mount the root file system: \(reason)"
        case .noLayers: "mount overlay: the image has no layers"
        case .tooManyLayers(let count, let limit):
            "mount overlay: \(count) layers, and the kernel stacks at most \(limit)"
        case .pathTooLong(let path, let limit):
            "mount overlay: \(path): longer than the \(limit) bytes that a layer's path may have; use a shorter data root"
        case .optionsTooLong(let layers, let bytes, let limit):
            "mount overlay: the options of \(layers) layers take \(bytes) bytes, and this kernel takes \(limit);"
                + " Linux 6.7 takes more"
        }
    }
}
