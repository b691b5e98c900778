/// What `update` changes of a container; nil stays as it is.
package struct UpdateRequest: Sendable, Hashable {
    package var resources = ResourceOptions()
    package var restart: RestartPolicy?

    package init() {}
}

extension ResourceOptions {
    /// These limits with `change` over them. What contradicts another limit that is in force is refused in docker's
    /// words.
    func merged(with change: ResourceOptions) throws(EngineError) -> ResourceOptions {
        try refuseConflicts(change)
        var result = self
        result.nanoCPUs = change.nanoCPUs ?? nanoCPUs
        result.cpuPeriod = change.cpuPeriod ?? cpuPeriod
        result.cpuQuota = change.cpuQuota ?? cpuQuota
        result.cpuShares = change.cpuShares ?? cpuShares
        result.cpusetCPUs = change.cpusetCPUs ?? cpusetCPUs
        result.cpusetMems = change.cpusetMems ?? cpusetMems
        result.pidsLimit = change.pidsLimit ?? pidsLimit
        result.blockIOWeight = change.blockIOWeight ?? blockIOWeight
        result.memoryReservation = change.memoryReservation ?? memoryReservation
        // Swap that was never asked for was set to as much again as memory, and stays at that.
        let swap = memorySwap ?? memory.flatMap { $0.multipliedReportingOverflow(by: 2).overflow ? -1 : $0 * 2 }
        if let limit = change.memory, change.memorySwap == nil, let swap, limit > swap, swap != -1 {
            throw .conflict(
                "Memory limit should be smaller than already set memoryswap limit, update the memoryswap at the same "
                    + "time")
        }
        result.memory = change.memory ?? memory
        result.memorySwap = change.memorySwap ?? (change.memory == nil ? memorySwap : swap)
        return result
    }

    private func refuseConflicts(_ change: ResourceOptions) throws(EngineError) {
        let isSet = (nano: nanoCPUs ?? 0 > 0, period: cpuPeriod ?? 0 > 0, quota: cpuQuota ?? 0 > 0)
        func conflict(_ what: String, _ with: String) -> EngineError {
            .conflict("Conflicting options: \(what) cannot be updated as \(with) has already been set")
        }
        if change.nanoCPUs != nil, isSet.period { throw conflict("Nano CPUs", "CPU Period") }
        if change.nanoCPUs != nil, isSet.quota { throw conflict("Nano CPUs", "CPU Quota") }
        if change.cpuPeriod ?? 0 > 0, isSet.nano { throw conflict("CPU Period", "NanoCPUs") }
        if change.cpuQuota ?? 0 > 0, isSet.nano { throw conflict("CPU Quota", "NanoCPUs") }
    }
}
