internal import Cgroups
internal import Sys

extension Engine {
    /// The cgroup hierarchies that this process may make cgroups in: all for root.
    func cgroupManager() throws(CgroupError) -> CgroupManager {
        if rootless == nil { return try CgroupManager.detect() }
        do throws(CgroupError) {
            return CgroupManager(layout: try CgroupLayout.detect().delegated())
        } catch .notMounted {
            return CgroupManager(layout: CgroupLayout(hierarchies: []))
        }
    }

    /// Where the cgroup of a container is: an ordinary user's commands may each have other cgroups delegated to them, so
    /// the container's entry says it.
    func cgroupManager(of id: String) throws(CgroupError) -> CgroupManager {
        if rootless == nil { return try CgroupManager.detect() }
        return CgroupManager(layout: CgroupLayout(hierarchies: live.state(of: id)?.cgroups ?? []))
    }
}
