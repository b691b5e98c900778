package import Cgroups
package import OCI
package import Rootfs

/// What `Launcher.plan` compiles.
package struct LaunchRequest: Sendable {
    package var id: String
    package var spec: Spec
    package var rootfs: RootfsMount
    /// A pid 1 of ours that passes signals on and reaps.
    package var useInit = false
    /// Ignored where the spec asks for a terminal.
    package var stdio = StandardIO.inherited
    /// SIGKILL for the container when the launching thread's process ends: for foreground runs.
    package var diesWithParent = true

    package init(id: String, spec: Spec, rootfs: RootfsMount) {
        self.id = id
        self.spec = spec
        self.rootfs = rootfs
    }
}

/// What the plan depends on besides the request: read before, so that compiling is pure.
package struct HostFacts: Sendable {
    /// nil where no cgroup hierarchy is mounted.
    package var cgroups: CgroupLayout?

    package init(cgroups: CgroupLayout?) { self.cgroups = cgroups }

    package static func current() -> HostFacts { HostFacts(cgroups: try? CgroupLayout.detect()) }
}
