internal import Sys

/// cgroup v2 gives a cgroup only those controllers that all its ancestors pass on (cgroup-v2.rst, "Enabling and
/// Disabling").
enum Delegation {
    /// What every container should have, so that it can be counted and limited later.
    private static let wanted = ["cpu", "cpuset", "io", "memory", "pids"]

    /// Passes controllers on from the root to the leaf. `needed` maps each controller that must arrive to the limit
    /// that wants it; the others may fail quietly, since nothing was asked of them.
    static func enable(for leaf: CgroupDirectory, parts: [String], needed: [String: String]) throws(CgroupError) {
        let present = CgroupLayout.words(of: "\(leaf.path)/cgroup.controllers")
        let available = leaf.hierarchy.controllers
        let controllers = Set(wanted).union(needed.keys).filter { available.contains($0) && !present.contains($0) }
        if controllers.isEmpty { return }
        var directory = leaf.hierarchy.mountPoint
        for part in parts {
            try enable(controllers.sorted(), in: directory, needed: needed)
            directory += "/" + part
        }
    }

    private static func enable(
        _ controllers: [String], in directory: String, needed: [String: String]
    ) throws(CgroupError) {
        let file = "\(directory)/cgroup.subtree_control"
        let all = controllers.map { "+\($0)" }.joined(separator: " ")
        // One write for all of them is all or nothing.
        if (try? CgroupFile.write(all, to: file)) != nil { return }
        for controller in controllers {
            do throws(Errno) {
                try CgroupFile.write("+\(controller)", to: file)
            } catch {
                guard let limit = needed[controller] else { continue }
                throw .notDelegated(limit: limit, controller: controller, directory: directory, error)
            }
        }
    }
}
