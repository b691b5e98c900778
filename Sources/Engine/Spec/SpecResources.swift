internal import OCI

extension SpecBuilder {
    /// Enough for any real service, and a fork bomb ends there.
    static let defaultPidsLimit: Int64 = 4096
    private static let cpuPeriod: UInt64 = 100_000
    /// docker's: less can't hold the runtime's own start.
    private static let minimumMemory: Int64 = 6 << 20

    static func resources(_ inputs: SpecInputs) throws(EngineError) -> Spec.Resources {
        var result = try limits(inputs.request.resources, cpuCount: inputs.host.cpuCount)
        if result.pids == nil, inputs.host.hasPidsController { result.pids = Spec.Pids(limit: defaultPidsLimit) }
        // Without root no device can be made, and those that are bound in have their own modes.
        if inputs.host.rootless == nil { result.devices = deviceRules(inputs) }
        return result
    }

    /// The limits that were asked for, checked as docker does.
    static func limits(_ asked: ResourceOptions, cpuCount: Int) throws(EngineError) -> Spec.Resources {
        var result = Spec.Resources()
        result.memory = try memory(asked)
        result.cpu = try cpu(asked, count: cpuCount)
        if let limit = asked.pidsLimit { result.pids = Spec.Pids(limit: limit <= 0 ? -1 : limit) }
        if let weight = asked.blockIOWeight, weight != 0 {
            if !(10...1000).contains(weight) { throw .invalid("Range of blkio weight is from 10 to 1000") }
            result.blockIO = Spec.BlockIO(weight: weight)
        }
        return result
    }

    private static func memory(_ asked: ResourceOptions) throws(EngineError) -> Spec.Memory? {
        guard asked.memory != nil || asked.memorySwap != nil || asked.memoryReservation != nil else { return nil }
        var result = Spec.Memory()
        if let limit = asked.memory, limit > 0 {
            if limit < minimumMemory { throw .invalid("Minimum memory limit allowed is 6MB") }
            result.limit = limit
            // As much swap again, as docker: unlimited swap would make the limit void.
            result.swap = limit.multipliedReportingOverflow(by: 2).overflow ? -1 : limit * 2
        }
        if let reservation = asked.memoryReservation, reservation > 0 {
            if let limit = result.limit, reservation > limit {
                throw .invalid(
                    "Minimum memory limit can not be less than memory reservation limit, see usage")
            }
            result.reservation = reservation
        }
        if let swap = asked.memorySwap, swap != 0 {
            guard let limit = result.limit else {
                throw .invalid("You should always set the Memory limit when using Memoryswap limit, see usage")
            }
            if swap > 0, swap < limit {
                throw .invalid("Minimum memoryswap limit should be larger than memory limit, see usage")
            }
            result.swap = swap
        }
        return result
    }

    private static func cpu(_ asked: ResourceOptions, count: Int) throws(EngineError) -> Spec.CPU? {
        var result = Spec.CPU()
        if let nano = asked.nanoCPUs, nano != 0 {
            if nano < 0 || nano > Int64(count) * 1_000_000_000 {
                let most = "\(count).00"
                throw .invalid(
                    "range of CPUs is from 0.01 to \(most), as there are only \(count) CPUs available")
            }
            result.period = cpuPeriod
            result.quota = nano / 10_000
        }
        try quota(asked, &result)
        if let shares = asked.cpuShares, shares != 0 { result.shares = shares }
        result.cpus = asked.cpusetCPUs
        result.mems = asked.cpusetMems
        return result == Spec.CPU() ? nil : result
    }

    /// `--cpu-period` and `--cpu-quota`, which say in two numbers what `--cpus` says in one.
    private static func quota(_ asked: ResourceOptions, _ result: inout Spec.CPU) throws(EngineError) {
        if let period = asked.cpuPeriod, period != 0 {
            if result.quota != nil {
                throw .invalid("Conflicting options: Nano CPUs and CPU Period cannot both be set.")
            }
            guard (1000...1_000_000).contains(period) else {
                throw .invalid("CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)")
            }
        }
        if let quota = asked.cpuQuota, quota != 0 {
            if result.quota != nil {
                throw .invalid("Conflicting options: Nano CPUs and CPU Quota cannot both be set.")
            }
            if quota > 0, quota < 1000 { throw .invalid("CPU cfs quota can not be less than 1ms (i.e. 1000)") }
            result.quota = max(-1, quota)
        }
        if let period = asked.cpuPeriod, period != 0 { result.period = UInt64(period) }
    }

    /// docker's list: everything is denied but making nodes and using the harmless ones.
    private static func deviceRules(_ inputs: SpecInputs) -> [Spec.DeviceRule] {
        if inputs.request.isolation.privileged { return [Spec.DeviceRule(allow: true, access: "rwm")] }
        var rules = [
            Spec.DeviceRule(allow: false, access: "rwm"),
            Spec.DeviceRule(allow: true, type: "c", access: "m"),
            Spec.DeviceRule(allow: true, type: "b", access: "m"),
        ]
        // null, zero, full, random, urandom; tty, console, ptmx; all of devpts.
        let standard: [(Int64, Int64?)] = [
            (1, 3), (1, 5), (1, 7), (1, 8), (1, 9), (5, 0), (5, 1), (5, 2), (136, nil),
        ]
        rules += standard.map { Spec.DeviceRule(allow: true, type: "c", major: $0.0, minor: $0.1, access: "rwm") }
        rules += inputs.devices.map {
            Spec.DeviceRule(
                allow: true, type: $0.device.type, major: $0.device.major, minor: $0.device.minor, access: $0.access)
        }
        return rules
    }
}
