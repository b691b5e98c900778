internal import OCI

extension Limits {
    func blockIO(unified: Bool) throws(CgroupError) -> [Setting] {
        guard let blockIO = resources.blockIO else { return [] }
        return try weight(blockIO, unified) + deviceWeights(blockIO, unified) + throttles(blockIO, unified)
    }

    /// Only the scheduler BFQ weighs on v1; on v2 the io.cost controller does too, from 1 to 10000.
    private func weight(_ blockIO: Spec.BlockIO, _ unified: Bool) throws(CgroupError) -> [Setting] {
        var result = try leafWeight(blockIO.leafWeight, nil, unified).map { [$0] } ?? []
        guard let weight = blockIO.weight, weight != 0 else { return result }
        let name = "block I/O weight (--blkio-weight)"
        try Limits.check(weight, name)
        var setting = Setting(
            limit: name, file: unified ? "io.bfq.weight" : "blkio.bfq.weight", value: String(weight),
            remedy: Limits.weightRemedy)
        setting.fallback =
            unified
            ? Setting.Fallback(file: "io.weight", value: String(Limits.scaled(weight)))
            : Setting.Fallback(file: "blkio.weight", value: String(weight))
        result.append(setting)
        return result
    }

    private static let weightRemedy = "it was built without the scheduler BFQ: leave the weight out"

    private static func check(_ weight: UInt16, _ name: String) throws(CgroupError) {
        if !(10...1000).contains(weight) { throw .limit(name, reason: "\(weight) is not between 10 and 1000") }
    }

    /// 10 to 1000 as 1 to 10000.
    private static func scaled(_ weight: UInt16) -> UInt64 { 1 + (UInt64(weight) - 10) * 9999 / 990 }

    /// Of the processes in a cgroup against the cgroups below it: the scheduler CFQ had it, until Linux 5.0.
    private func leafWeight(_ weight: UInt16?, _ device: String?, _ unified: Bool) throws(CgroupError) -> Setting? {
        guard let weight, weight != 0 else { return nil }
        let name = "block I/O leaf weight" + (device.map { " of \($0)" } ?? "")
        try Limits.check(weight, name)
        if unified { throw .limit(name, reason: "cgroup v2 has no leaf weight; leave it out") }
        let remedy = "it has no scheduler CFQ any more: leave the weight out"
        guard let device else {
            return Setting(limit: name, file: "blkio.leaf_weight", value: String(weight), remedy: remedy)
        }
        let entry = Setting.Entry(device: device, none: "0")
        return Setting(
            limit: name, file: "blkio.leaf_weight_device", value: entry.text(String(weight)), remedy: remedy,
            entry: entry)
    }

    private func deviceWeights(_ blockIO: Spec.BlockIO, _ unified: Bool) throws(CgroupError) -> [Setting] {
        var result: [Setting] = []
        for item in blockIO.weightDevice ?? [] {
            let device = try Limits.device(item.major, item.minor, "block I/O weight (--blkio-weight-device)")
            let name = "block I/O weight of \(device) (--blkio-weight-device)"
            if let leaf = try leafWeight(item.leafWeight, device, unified) { result.append(leaf) }
            guard let weight = item.weight, weight != 0 else { continue }
            try Limits.check(weight, name)
            let entry = Setting.Entry(device: device, none: "default")
            var setting = Setting(
                limit: name, file: unified ? "io.bfq.weight" : "blkio.bfq.weight_device",
                value: entry.text(String(weight)), remedy: Limits.weightRemedy, entry: entry)
            setting.fallback =
                unified
                ? Setting.Fallback(file: "io.weight", value: entry.text(String(Limits.scaled(weight))))
                : Setting.Fallback(file: "blkio.weight_device", value: setting.value)
            result.append(setting)
        }
        return result
    }

    private func throttles(_ blockIO: Spec.BlockIO, _ unified: Bool) throws(CgroupError) -> [Setting] {
        var result: [Setting] = []
        let parts = [
            ("read rate", "--device-read-bps", "read_bps", "rbps", blockIO.throttleReadBpsDevice),
            ("write rate", "--device-write-bps", "write_bps", "wbps", blockIO.throttleWriteBpsDevice),
            ("rate of reads", "--device-read-iops", "read_iops", "riops", blockIO.throttleReadIOPSDevice),
            ("rate of writes", "--device-write-iops", "write_iops", "wiops", blockIO.throttleWriteIOPSDevice),
        ]
        for (what, flag, legacy, key, items) in parts {
            for item in items ?? [] {
                let device = try Limits.device(item.major, item.minor, "\(what) (\(flag))")
                let entry =
                    unified
                    ? Setting.Entry(device: device, key: key, none: "max") : Setting.Entry(device: device, none: "0")
                result.append(
                    Setting(
                        limit: "\(what) of \(device) (\(flag))",
                        file: unified ? "io.max" : "blkio.throttle.\(legacy)_device",
                        value: entry.text(item.rate == 0 ? entry.none : String(item.rate)),
                        isUnlimited: item.rate == 0,
                        remedy: "it was built without CONFIG_BLK_DEV_THROTTLING: leave the limit out", entry: entry))
            }
        }
        return result
    }

    private static func device(_ major: Int64, _ minor: Int64, _ name: String) throws(CgroupError) -> String {
        guard let major = UInt32(exactly: major), let minor = UInt32(exactly: minor) else {
            throw .limit(name, reason: "\(major):\(minor) is no device number")
        }
        return "\(major):\(minor)"
    }
}
