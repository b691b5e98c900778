internal import Cgroups
internal import Sys

extension Engine {
    /// The cgroup hierarchies that this process may make cgroups in: all for root.
    func cgroupManager() throws(CgroupError) -> CgroupManager {
        if rootless != nil { return CgroupManager(layout: CgroupLayout(hierarchies: [])) }
        return try CgroupManager.detect()
    }
}
