internal import Cgroups
internal import Glibc
internal import OCI

extension Engine {
    /// Changes limits and restart policy of a container, in its record for every later start and at once where it runs:
    /// both or neither.
    package func update(_ name: String, _ change: UpdateRequest) throws(EngineError) {
        let id = try container(named: name).id
        try containers.locked(id) { () throws(EngineError) in
            var record = try containers.load(id)
            if let restart = change.restart {
                if record.autoRemove, restart.kind != .no {
                    throw .conflict(
                        "Restart policy cannot be updated because AutoRemove is enabled for the container")
                }
                record.request.lifecycle.restart = restart
            }
            record.request.resources = try record.request.resources.merged(with: change.resources)
            // Checked for one that does not run, too: its next start must not fail for it.
            let limits = try SpecBuilder.limits(
                record.request.resources, cpuCount: sysconf(Int32(_SC_NPROCESSORS_ONLN)))
            let applied = try condition(of: record).isRunning ? apply(limits, of: change.resources, to: id) : nil
            do throws(EngineError) {
                try containers.save(record)
            } catch {
                // The first failure is the one to tell.
                try? applied?.undo()
                throw error
            }
            note("update", record)
        }
    }

    /// Writes only those limits that belong together with one that was asked for.
    private func apply(
        _ limits: Spec.Resources, of change: ResourceOptions, to id: String
    ) throws(EngineError) -> LimitChange? {
        var limits = limits
        if change.memory == nil, change.memorySwap == nil, change.memoryReservation == nil { limits.memory = nil }
        if change.nanoCPUs == nil, change.cpuPeriod == nil, change.cpuQuota == nil, change.cpuShares == nil,
            change.cpusetCPUs == nil, change.cpusetMems == nil
        {
            limits.cpu = nil
        }
        if change.pidsLimit == nil { limits.pids = nil }
        if change.blockIOWeight == nil { limits.blockIO = nil }
        do throws(CgroupError) {
            return try cgroupManager(of: id).open(path: Engine.cgroupPath(id))?.update(limits)
        } catch {
            throw .conflict("Cannot update container \(id): \(error)")
        }
    }
}
