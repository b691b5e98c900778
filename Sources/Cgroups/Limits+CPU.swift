internal import Glibc
internal import OCI

extension Limits {
    private static let bandwidthRemedy = "it was built without CONFIG_CFS_BANDWIDTH: leave the limit out"

    func cpu(unified: Bool) throws(CgroupError) -> [Setting] {
        guard let cpu = resources.cpu else { return [] }
        return try weight(cpu, unified) + bandwidth(cpu, unified) + burst(cpu, unified) + realtime(cpu, unified)
    }

    private func weight(_ cpu: Spec.CPU, _ unified: Bool) throws(CgroupError) -> [Setting] {
        var result: [Setting] = []
        if let idle = cpu.idle {
            let name = "CPU idle policy"
            if !(0...1).contains(idle) { throw .limit(name, reason: "\(idle) is not 0 or 1") }
            // Ahead of the shares: the kernel takes none while this is 1.
            let remedy = "it takes Linux 5.15: leave the value out"
            result.append(
                Setting(limit: name, file: "cpu.idle", value: String(idle), isUnlimited: idle == 0, remedy: remedy))
        }
        if let shares = cpu.shares, shares != 0, cpu.idle != 1 {
            result.append(
                Setting(
                    limit: "CPU shares (--cpu-shares)", file: unified ? "cpu.weight" : "cpu.shares",
                    value: String(unified ? Limits.weight(shares: shares) : shares)))
        }
        return result
    }

    private func bandwidth(_ cpu: Spec.CPU, _ unified: Bool) throws(CgroupError) -> [Setting] {
        var result: [Setting] = []
        let name = "CPU limit (--cpus, --cpu-quota)"
        let remedy = Limits.bandwidthRemedy
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

    private func burst(_ cpu: Spec.CPU, _ unified: Bool) throws(CgroupError) -> [Setting] {
        guard let burst = cpu.burst else { return [] }
        let name = "CPU burst"
        if let quota = cpu.quota, quota > 0, burst > UInt64(quota) {
            throw .limit(name, reason: "\(burst) is above the quota, \(quota)")
        }
        return [
            Setting(
                limit: name, file: unified ? "cpu.max.burst" : "cpu.cfs_burst_us", value: String(burst),
                isUnlimited: burst == 0, remedy: "it takes Linux 5.14: leave the value out")
        ]
    }

    private func realtime(_ cpu: Spec.CPU, _ unified: Bool) throws(CgroupError) -> [Setting] {
        var result: [Setting] = []
        let remedy = "it was built without CONFIG_RT_GROUP_SCHED: leave the limit out"
        let runtime = "CPU realtime runtime (--cpu-rt-runtime)"
        let period = "CPU realtime period (--cpu-rt-period)"
        if let value = cpu.realtimeRuntime, value < -1 { throw .limit(runtime, reason: "\(value) is negative") }
        if unified {
            let reason = "cgroup v2 has no realtime bandwidth of a cgroup; leave it out"
            if (cpu.realtimeRuntime ?? 0) > 0 { throw .limit(runtime, reason: reason) }
            if (cpu.realtimePeriod ?? 0) > 0 { throw .limit(period, reason: reason) }
            return []
        }
        if let value = cpu.realtimePeriod, value != 0 {
            result.append(Setting(limit: period, file: "cpu.rt_period_us", value: String(value), remedy: remedy))
        }
        if let value = cpu.realtimeRuntime {
            // A new cgroup has none.
            result.append(
                Setting(
                    limit: runtime, file: "cpu.rt_runtime_us", value: String(value), isUnlimited: value == 0,
                    remedy: remedy))
        }
        return result
    }

    func cpuset() throws(CgroupError) -> [Setting] {
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

    /// CPU shares of v1 (2 to 262144, default 1024) as a weight of v2 (1 to 10000, default 100): a quadratic in log2
    /// through the three points, as runc and crun have it since 2025; the older linear formula gave 39 for the default.
    static func weight(shares: UInt64) -> UInt64 {
        if shares <= 2 { return 1 }
        if shares >= 262144 { return 10000 }
        let power = log2(Double(shares))
        return UInt64(pow(10, (power * power + 125 * power) / 612 - 7.0 / 34.0).rounded(.up))
    }
}
