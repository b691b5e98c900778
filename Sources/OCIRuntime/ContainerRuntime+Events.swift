package import Cgroups
internal import Sys

/// What `watch` reports.
package enum ContainerEvent: Sendable {
    case statistics(CgroupStatistics)
    /// The kernel has killed a process for want of memory.
    case outOfMemory
}

extension ContainerRuntime {
    /// What a container uses now.
    package func statistics(of id: String) throws(ContainerError) -> CgroupStatistics {
        let (state, status) = try inspect(id)
        if status == .stopped { throw .state("container not running: container \(id) is stopped") }
        let cgroup = try ownCgroup(of: state)
        return try cgroups { () throws(CgroupError) in try cgroup.statistics() }
    }

    /// Reports what a container uses, every so many milliseconds, until it has ended.
    package func watch(
        _ id: String, milliseconds: Int32, _ report: (ContainerEvent) -> Void
    ) throws(ContainerError) {
        let (state, status) = try inspect(id)
        if status == .stopped { throw .state("container not running: container \(id) is stopped") }
        let cgroup = try ownCgroup(of: state)
        let process = try process(of: state)
        var kills = try cgroups { () throws(CgroupError) in try cgroup.oomKills() } ?? 0
        while true {
            var items = [PollItem(process.raw, .readable)]
            let ended: Int
            do throws(Errno) { ended = try PollItem.wait(&items, milliseconds: milliseconds) } catch {
                throw .system(SystemFailure("wait for container", id, error))
            }
            let now = (try? cgroup.oomKills()) ?? kills
            if now > kills { report(.outOfMemory) }
            kills = now
            // What is left of its cgroup says nothing of it any more.
            if ended > 0 { return }
            report(.statistics(try cgroups { () throws(CgroupError) in try cgroup.statistics() }))
        }
    }
}
