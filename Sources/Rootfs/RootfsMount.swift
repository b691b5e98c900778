/// How a container's root file system is mounted: decided by a driver, carried out by the container's own process in its
/// own mount namespace, so that a dead container leaves no mount behind.
package struct RootfsMount: Hashable, Sendable {
    package enum Step: Hashable, Sendable {
        /// fsopen(2), one fsconfig(2) an option, fsmount(2), in this working directory.
        case filesystem(type: String, options: [MountOption], workingDirectory: String?)
        /// mount(2) with one option string, for kernels whose overlay takes no single layers.
        case optionString(type: String, options: String, workingDirectory: String)
        /// A directory that is ready (the `rootfs` of an OCI bundle).
        case bind(source: String)
        /// A program that mounts, and serves the mount until it is gone (FUSE). Carried out before the launch, which then
        /// binds what it made.
        case program([String])
    }

    package let step: Step
    /// An existing directory of the host that the mount covers until the root is entered; nobody else sees it there.
    package let mountPoint: String
    package let readOnly: Bool

    package init(step: Step, mountPoint: String, readOnly: Bool) {
        self.step = step
        self.mountPoint = mountPoint
        self.readOnly = readOnly
    }

    /// A ready directory as the root, bound onto itself.
    package init(directory: String, readOnly: Bool) {
        self.init(step: .bind(source: directory), mountPoint: directory, readOnly: readOnly)
    }
}

/// One parameter of a file system: `KEY=VALUE`, or a flag.
package struct MountOption: Hashable, Sendable, CustomStringConvertible {
    package let name: String
    package let value: String?

    package init(_ name: String, _ value: String? = nil) {
        self.name = name
        self.value = value
    }

    package var description: String { value.map { "\(name)=\($0)" } ?? name }
}
