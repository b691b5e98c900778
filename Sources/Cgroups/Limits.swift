internal import Glibc
internal import OCI

/// One value for one file of a cgroup.
struct Setting: Hashable, Sendable {
    /// The limit in the user's words.
    let limit: String
    let file: String
    let value: String
    /// Lifts a limit: what a new cgroup has anyway, and no reason to fail where the file is missing.
    var isUnlimited = false
    /// What to do about a missing file.
    var remedy = "leave the limit out"
    /// Where the value goes when `file` is missing.
    var fallback: Fallback?

    struct Fallback: Hashable, Sendable {
        let file: String
        let value: String
    }
}

/// The one table between the runtime spec's limits, which speak cgroup v1, and the files of both versions
/// (config-linux.md#control-groups, cgroup-v1/*.rst, cgroup-v2.rst).
struct Limits: Sendable {
    let resources: Spec.Resources

    /// Controllers that `resources` needs, in the order they are applied. The devices controller is apart: its rules
    /// are no values (DeviceRules.swift).
    static let controllers = ["memory", "cpu", "cpuset", "pids", "io"]

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
        default: []
        }
    }

    private func memory(unified: Bool) throws(CgroupError) -> [Setting] {
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

    private func cpu(unified: Bool) throws(CgroupError) -> [Setting] {
        guard let cpu = resources.cpu else { return [] }
        var result: [Setting] = []
        if let shares = cpu.shares, shares != 0 {
            result.append(
                Setting(
                    limit: "CPU shares (--cpu-shares)", file: unified ? "cpu.weight" : "cpu.shares",
                    value: String(unified ? Limits.weight(shares: shares) : shares)))
        }
        let name = "CPU limit (--cpus, --cpu-quota)"
        let remedy = "it was built without CONFIG_CFS_BANDWIDTH: leave the limit out"
        let quota = cpu.quota == 0 ? nil : cpu.quota
        let period = cpu.period == 0 ? nil : cpu.period
        if let quota, quota < -1 { throw .limit(name, reason: "quota \(quota) is negative") }
        if unified {
            if quota == nil, period == nil { return result }
            // `cpu.max` is `QUOTA PERIOD`; the period may be left out.
            let first = quota.map { text($0, true) } ?? "max"
            let value = period.map { "\(first) \($0)" } ?? first
            let free = (quota ?? -1) == -1 && period == nil
            result.append(Setting(limit: name, file: "cpu.max", value: value, isUnlimited: free, remedy: remedy))
            return result
        }
        if let period {
            result.append(Setting(limit: name, file: "cpu.cfs_period_us", value: String(period), remedy: remedy))
        }
        if let quota {
            result.append(
                Setting(
                    limit: name, file: "cpu.cfs_quota_us", value: String(quota), isUnlimited: quota == -1,
                    remedy: remedy))
        }
        return result
    }

    private func cpuset() throws(CgroupError) -> [Setting] {
        var result: [Setting] = []
        let parts = [
            ("CPU set (--cpuset-cpus)", "cpuset.cpus", resources.cpu?.cpus),
            ("memory node set (--cpuset-mems)", "cpuset.mems", resources.cpu?.mems),
        ]
        for (limit, file, value) in parts {
            guard let value, !value.isEmpty else { continue }
            if CPUList(value) == nil {
                throw .limit(limit, reason: "\"\(value)\" is not a list of numbers and ranges such as 0-2,7")
            }
            result.append(Setting(limit: limit, file: file, value: value))
        }
        return result
    }

    private func pids() -> [Setting] {
        guard let limit = resources.pids?.limit else { return [] }
        return [
            Setting(
                limit: "process limit (--pids-limit)", file: "pids.max", value: limit > 0 ? String(limit) : "max",
                isUnlimited: limit <= 0)
        ]
    }

    /// Only the scheduler BFQ weighs on v1; on v2 the io.cost controller does too, from 1 to 10000.
    private func blockIO(unified: Bool) throws(CgroupError) -> [Setting] {
        guard let weight = resources.blockIO?.weight, weight != 0 else { return [] }
        let name = "block I/O weight (--blkio-weight)"
        if !(10...1000).contains(weight) { throw .limit(name, reason: "\(weight) is not between 10 and 1000") }
        var setting = Setting(
            limit: name, file: unified ? "io.bfq.weight" : "blkio.bfq.weight", value: String(weight),
            remedy: "it was built without the scheduler BFQ: leave the weight out")
        let scaled = 1 + (UInt64(weight) - 10) * 9999 / 990
        setting.fallback =
            unified
            ? Setting.Fallback(file: "io.weight", value: String(scaled))
            : Setting.Fallback(file: "blkio.weight", value: String(weight))
        return [setting]
    }

    private func text(_ value: Int64, _ unified: Bool) -> String {
        unified && value == -1 ? "max" : String(value)
    }

    /// CPU shares of v1 (2 to 262144, default 1024) as a weight of v2 (1 to 10000, default 100): a quadratic in log2
    /// through the three points, as runc and crun have it since 2025; the older linear formula gave 39 for the default.
    static func weight(shares: UInt64) -> UInt64 {
        if shares <= 2 { return 1 }
        if shares >= 262144 { return 10000 }
        let power = log2(Double(shares))
        return UInt64(pow(10, (power * power + 125 * power) / 612 - 7.0 / 34.0).rounded(.up))
    }
}
