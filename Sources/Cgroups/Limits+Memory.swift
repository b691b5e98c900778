internal import OCI

extension Limits {
    func memory(unified: Bool) throws(CgroupError) -> [Setting] {
        guard let memory = resources.memory else { return [] }
        let (limit, swap) = try checkedMemory(memory)
        var result: [Setting] = []
        let name = "memory limit (--memory)"
        if let limit {
            let file = unified ? "memory.max" : "memory.limit_in_bytes"
            result.append(Setting(limit: name, file: file, value: text(limit, unified), isUnlimited: limit == -1))
        }
        if let total = swap ?? (limit == -1 ? -1 : nil) {
            result.append(swapSetting(total: total, memory: limit ?? -1, unified: unified))
        }
        if let reservation = memory.reservation, reservation != 0 {
            let file = unified ? "memory.low" : "memory.soft_limit_in_bytes"
            let value = unified && reservation == -1 ? "0" : text(reservation, false)
            result.append(
                Setting(
                    limit: "memory reservation (--memory-reservation)", file: file, value: value,
                    isUnlimited: reservation == -1))
        }
        if let swappiness = memory.swappiness {
            let name = "swappiness (--memory-swappiness)"
            if unified { throw .limit(name, reason: "cgroup v2 has no swappiness of a cgroup; leave it out") }
            if swappiness > 100 { throw .limit(name, reason: "\(swappiness) is not between 0 and 100") }
            result.append(Setting(limit: name, file: "memory.swappiness", value: String(swappiness)))
        }
        if memory.disableOOMKiller == true {
            let name = "--oom-kill-disable"
            if unified { throw .limit(name, reason: "cgroup v2 cannot switch the OOM killer off; leave it out") }
            result.append(Setting(limit: name, file: "memory.oom_control", value: "1"))
        }
        return result + (try lessUsual(memory, unified: unified))
    }

    /// Of v1 alone. Kernel memory has no limit of its own in v2 and newer kernels: it is part of the whole, and other
    /// runtimes pass over what is asked for here as well.
    private func lessUsual(_ memory: Spec.Memory, unified: Bool) throws(CgroupError) -> [Setting] {
        var result: [Setting] = []
        let parts = [
            ("kernel memory limit (--kernel-memory)", "memory.kmem.limit_in_bytes", memory.kernel),
            ("limit of memory for TCP's buffers", "memory.kmem.tcp.limit_in_bytes", memory.kernelTCP),
        ]
        for (name, file, value) in parts {
            guard let value, value != 0 else { continue }
            if value < -1 { throw .limit(name, reason: "\(value) is negative") }
            if unified { continue }
            result.append(
                Setting(limit: name, file: file, value: String(value), isUnlimited: value == -1, isOptional: true))
        }
        if let useHierarchy = memory.useHierarchy {
            let name = "hierarchical accounting of memory"
            if unified {
                if useHierarchy { return result }
                throw .limit(name, reason: "cgroup v2 cannot switch it off; leave it out")
            }
            let value = useHierarchy ? "1" : "0"
            result.append(Setting(limit: name, file: "memory.use_hierarchy", value: value, isOptional: useHierarchy))
        }
        return result
    }

    /// Limit and swap with 0 read as "not set", as docker does, and checked against each other.
    private func checkedMemory(_ memory: Spec.Memory) throws(CgroupError) -> (limit: Int64?, swap: Int64?) {
        let limit = memory.limit == 0 ? nil : memory.limit
        let swap = memory.swap == 0 ? nil : memory.swap
        for (name, value) in [
            ("--memory", limit), ("--memory-swap", swap), ("--memory-reservation", memory.reservation),
        ] {
            if let value, value < -1 { throw .limit("memory limit (\(name))", reason: "\(value) is negative") }
        }
        if let swap, swap > 0 {
            guard let limit else {
                throw .limit("memory and swap limit (--memory-swap)", reason: "it needs a memory limit (--memory) too")
            }
            if limit > swap || limit == -1 {
                throw .limit(
                    "memory and swap limit (--memory-swap)",
                    reason: "it is memory and swap together, so it cannot be below the memory limit")
            }
        }
        if let reservation = memory.reservation, let limit, limit > 0, reservation > limit {
            throw .limit(
                "memory reservation (--memory-reservation)", reason: "it cannot be above the memory limit (--memory)")
        }
        return (limit, swap)
    }

    /// v1 counts memory and swap together; v2 counts swap alone.
    private func swapSetting(total: Int64, memory: Int64, unified: Bool) -> Setting {
        let name = "memory and swap limit (--memory-swap)"
        let remedy = "boot with swapaccount=1, or leave the limit out"
        if !unified {
            return Setting(
                limit: name, file: "memory.memsw.limit_in_bytes", value: String(total), isUnlimited: total == -1,
                remedy: remedy)
        }
        // No trap: the caller checked that `memory` is between 1 and `total` when `total` is not -1.
        let swap = total == -1 ? "max" : String(total &- memory)
        return Setting(
            limit: name, file: "memory.swap.max", value: swap, isUnlimited: total == -1, remedy: remedy)
    }
}
