internal import Cgroups
internal import Sys

extension Engine {
    /// Freezes all processes of a running container, and returns when they stand still. One that does not come to stand
    /// within seconds is let go again.
    package func pause(_ name: String) throws(EngineError) {
        let record = try container(named: name)
        let id = record.id
        try containers.locked(id) { () throws(EngineError) in
            let cgroup = try runningCgroup(id)
            if try cgroups({ () throws(CgroupError) in try cgroup.isFrozen() }) {
                throw .conflict("Container \(id) is already paused")
            }
            do throws(CgroupError) {
                try cgroup.freeze()
            } catch {
                throw .conflict("Cannot pause container \(id): \(error)")
            }
        }
        note("pause", record)
    }

    /// Lets a paused container's processes go on.
    package func unpause(_ name: String) throws(EngineError) {
        let record = try container(named: name)
        let id = record.id
        try containers.locked(id) { () throws(EngineError) in
            let cgroup: Cgroup
            do throws(EngineError) {
                cgroup = try runningCgroup(id)
            } catch .notRunning {
                throw .conflict("Container \(id) is not paused")
            }
            guard try cgroups({ () throws(CgroupError) in try cgroup.isFrozen() }) else {
                throw .conflict("Container \(id) is not paused")
            }
            do throws(CgroupError) {
                try cgroup.thaw()
            } catch {
                throw .conflict("Cannot unpause container \(id): \(error)")
            }
        }
        note("unpause", record)
    }

    /// Whether the container's processes stand still.
    func isPaused(_ id: String) -> Bool { isPaused(id, try? cgroupManager(of: id)) }

    /// The cgroup of a container whose first process lives; docker's words where it doesn't.
    func runningCgroup(_ id: String) throws(EngineError) -> Cgroup {
        let record = try containers.load(id)
        if condition(of: record) == .restarting {
            throw .conflict("Container \(id) is restarting, wait until the container is running")
        }
        let process = try process(of: record)
        let cgroup = try cgroups { () throws(CgroupError) in
            try cgroupManager(of: id).open(path: Engine.cgroupPath(id))
        }
        _ = consume process
        guard let cgroup else { throw .notRunning(id) }
        return cgroup
    }
}
