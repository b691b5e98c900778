internal import OCI

/// The one table between the runtime spec's limits, which speak cgroup v1, and the files of both versions
/// (config-linux.md#control-groups, cgroup-v1/*.rst, cgroup-v2.rst).
struct Limits: Sendable {
    let resources: Spec.Resources

    /// Controllers that `resources` needs, in the order they are applied. The devices controller is apart: its rules
    /// are no values (DeviceRules.swift).
    static let controllers = ["memory", "cpu", "cpuset", "pids", "io", "hugetlb", "rdma", "net_cls", "net_prio"]

    /// v1's name of a controller.
    static func legacyName(_ controller: String) -> String { controller == "io" ? "blkio" : controller }

    /// The files to write for `controller`; empty when nothing was asked of it.
    func settings(of controller: String, unified: Bool) throws(CgroupError) -> [Setting] {
        switch controller {
        case "memory": try memory(unified: unified)
        case "cpu": try cpu(unified: unified)
        case "cpuset": try cpuset()
        case "pids": pids()
        case "io": try blockIO(unified: unified)
        case "hugetlb": try hugepages(unified: unified)
        case "rdma": try rdma()
        case "net_cls": try networkClass(unified: unified)
        case "net_prio": try networkPriorities(unified: unified)
        default: []
        }
    }

    private func pids() -> [Setting] {
        guard let limit = resources.pids?.limit else { return [] }
        return [
            Setting(
                limit: "process limit (--pids-limit)", file: "pids.max", value: limit > 0 ? String(limit) : "max",
                isUnlimited: limit <= 0)
        ]
    }

    func text(_ value: Int64, _ unified: Bool) -> String {
        unified && value == -1 ? "max" : String(value)
    }
}
