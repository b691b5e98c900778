internal import Cgroups
internal import Synchronization
internal import Sys

extension Engine {
    /// The cgroup hierarchies that this process may make cgroups in: all for root.
    func cgroupManager() throws(CgroupError) -> CgroupManager {
        if rootless == nil { return try hierarchies.manager() }
        do throws(CgroupError) {
            return CgroupManager(layout: try CgroupLayout.detect().delegated())
        } catch .notMounted {
            return CgroupManager(layout: CgroupLayout(hierarchies: []))
        }
    }

    /// Where the cgroup of a container is: an ordinary user's commands may each have other cgroups delegated to them, so
    /// the container's entry says it.
    func cgroupManager(of id: String) throws(CgroupError) -> CgroupManager {
        if rootless == nil { return try hierarchies.manager() }
        return CgroupManager(layout: CgroupLayout(hierarchies: live.state(of: id)?.cgroups ?? []))
    }
}

/// Root's hierarchies, looked for once: the table of mounts is long where containers are many.
final class KnownHierarchies: Sendable {
    private let found = Mutex<CgroupManager?>(nil)

    func manager() throws(CgroupError) -> CgroupManager {
        if let known = found.withLock({ $0 }) { return known }
        let manager = try CgroupManager.detect()
        found.withLock { $0 = manager }
        return manager
    }
}
