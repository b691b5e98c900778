internal import Cgroups

extension Engine {
    /// The processes of a running container, all that are in its cgroup: as `ps -ef` lists them, or with options as the
    /// host's own `ps` does.
    package func top(_ name: String, options: [String]) throws(EngineError) -> ProcessTable {
        let record = try container(named: name)
        let cgroup = try runningCgroup(record.id)
        note("top", record)
        let pids =
            cgroup.isNowhere
            ? try membersWithoutCgroup(record)
            : try cgroups { () throws(CgroupError) in try cgroup.processes() }
        // One word of the command line may hold several options, as docker takes it.
        let words = options.flatMap { $0.split(separator: " ").map(String.init) }
        if words.isEmpty { return ProcessTable.full(of: pids, at: .current) }
        return try HostPS().table(of: pids.sorted(), options: words)
    }

    private func membersWithoutCgroup(_ record: ContainerRecord) throws(EngineError) -> [Int32] {
        let first = try process(of: record).pid
        return isEmulated
            ? NamespaceMembers.processes(tracedBy: first) : NamespaceMembers.processes(sharingPidsWith: first)
    }
}
