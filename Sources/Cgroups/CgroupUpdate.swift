package import OCI
internal import Sys

extension Cgroup {
    /// Changes limits while processes run under them. What `resources` does not name stays as it is; -1 lifts a limit;
    /// device rules are not looked at. All or nothing: when one value is refused, those before it are put back.
    package func update(_ resources: Spec.Resources) throws(CgroupError) -> LimitChange {
        var resources = resources
        resources.devices = []
        try keepQuota(&resources)
        let plan = try LimitPlan(
            resources, layout: CgroupLayout(hierarchies: directories.map(\.hierarchy)), isLive: true)
        if resources.memory?.checkBeforeUpdate == true { try refuseBelowUse(resources.memory?.limit) }
        try refuseToStarve(resources.memory?.limit)
        return try plan.change(directories)
    }

    /// v2 has quota and period in one file: who names the period alone does not lift the quota.
    private func keepQuota(_ resources: inout Spec.Resources) throws(CgroupError) {
        guard (resources.cpu?.period ?? 0) != 0, (resources.cpu?.quota ?? 0) == 0,
            let cpu = directory(of: "cpu"), cpu.hierarchy.isUnified, let text = try read("\(cpu.path)/cpu.max")
        else { return }
        resources.cpu?.quota = text.split(separator: " ").first.flatMap { Int64($0) }
    }

    /// Where asked for: a limit below what is in use, the cache included, isn't tried at all.
    private func refuseBelowUse(_ limit: Int64?) throws(CgroupError) {
        guard let limit, limit > 0, let used = try usage().memory?.total, used > UInt64(limit) else { return }
        throw .limit("memory limit (--memory)", reason: "\(limit) bytes is below the \(used) bytes in use")
    }

    /// Below what is in use v1 refuses a memory limit (EBUSY); v2 takes it and kills. That is no way to learn of a
    /// mistyped number, so v2 refuses here.
    private func refuseToStarve(_ limit: Int64?) throws(CgroupError) {
        guard let limit, limit > 0, let memory = directory(of: "memory"), memory.hierarchy.isUnified,
            let usage = try usage().memory
        else { return }
        let path = "\(memory.path)/memory.stat"
        let statistics: String
        do throws(Errno) { statistics = try CgroupFile.read(path) } catch {
            throw .system(SystemFailure("read", path, error))
        }
        // The cache can be written back and dropped, what processes hold cannot.
        let cache = (CgroupFile.number("active_file", in: statistics) ?? 0) &+ usage.inactiveFile
        let held = usage.total > cache ? usage.total - cache : 0
        if held > UInt64(limit) {
            throw .refused(
                limit: "memory limit (--memory)", value: String(limit), file: "\(memory.path)/memory.max", .busy)
        }
    }
}

/// What the files of a changed cgroup held before.
package struct LimitChange: Sendable {
    var previous: [(directory: String, settings: [Setting])] = []

    /// Puts all of it back, as far as it goes; throws the first failure.
    package func undo() throws(CgroupError) {
        var failure: CgroupError?
        for (directory, settings) in previous.reversed() {
            do throws(CgroupError) {
                try LimitPlan.write(settings, to: directory)
            } catch {
                failure = failure ?? error
            }
        }
        if let failure { throw failure }
    }
}
