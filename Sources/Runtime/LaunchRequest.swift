package import Cgroups
internal import Glibc
package import OCI
package import Rootfs

/// What `Launcher.plan` compiles.
package struct LaunchRequest: Sendable {
    package var id: String
    package var spec: Spec
    package var rootfs: RootfsMount
    /// A pid 1 of ours that passes signals on and reaps.
    package var useInit = false
    /// Of other containers: the spec names none of these namespaces. At most four.
    package var shared: [SharedNamespaces] = []
    /// Destinations of mounts in whose place comes what a process of `shared`, by its index, has mounted there.
    package var borrowed: [String: Int] = [:]
    /// Ignored where the spec asks for a terminal.
    package var stdio = StandardIO.inherited
    /// Set where there are no namespaces: what shows the container its files instead.
    package var emulator: Emulator?
    /// Set where another runtime makes the container, by a bundle that says what `spec` does.
    package var external: ExternalProcess?
    /// With a gate, the container is held before its command is executed.
    package var passed = PassedDescriptors()
    /// False for one with a gate that nobody will open: its `process` says nothing.
    package var hasCommand = true
    /// The parent has something to do in the container's namespaces before they have their last shape (hooks).
    package var hasHooks = false
    /// SIGKILL for the container when the launching thread's process ends: for foreground runs.
    package var diesWithParent = true
    /// False: the root is moved and entered by chroot(2), for hosts whose own root is an initramfs.
    package var usesPivot = true
    /// A session keyring of the container's own.
    package var newKeyring = true

    package init(id: String, spec: Spec, rootfs: RootfsMount) {
        self.id = id
        self.spec = spec
        self.rootfs = rootfs
    }
}

/// Namespaces of a running process that a container has in place of its own. Which process that is, the start says: by a
/// descriptor, in the order of the request.
package struct SharedNamespaces: Sendable, Hashable {
    /// For messages: whose it is.
    package var owner: String
    /// Of pid, IPC, UTS and network.
    package var kinds: NamespaceFlags

    package init(owner: String, kinds: NamespaceFlags) {
        self.owner = owner
        self.kinds = kinds
    }
}

/// What the plan depends on besides the request: read before, so that compiling is pure.
package struct HostFacts: Sendable {
    /// nil where no cgroup hierarchy is mounted.
    package var cgroups: CgroupLayout?

    /// False in a user namespace, which may make none: the host's are bound in.
    package var makesDevices = true
    /// setgroups(2) is denied (user_namespaces(7)).
    package var keepsGroups = false

    /// An ordinary user's: in a new user namespace it may map its own user and group and no others.
    package var mapsOnlyItself = false
    /// nil: looked up where the spec asks for labels.
    package var modules: SecurityModules?

    package init(cgroups: CgroupLayout?) { self.cgroups = cgroups }

    package static func current() -> HostFacts {
        var facts = HostFacts(cgroups: try? CgroupLayout.detect())
        facts.mapsOnlyItself = geteuid() != 0
        return facts
    }
}
