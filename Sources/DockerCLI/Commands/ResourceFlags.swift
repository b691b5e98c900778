package import Engine

/// The limits, for every command that sets some: `run`, `create` and `update`.
package enum ResourceFlags {
    package static func table<Target>(
        at path: any WritableKeyPath<Target, ResourceOptions> & Sendable
    ) -> [Flag<Target>] {
        [
            .value("memory", short: "m", type: "bytes", "Most memory the container may use") {
                (target, text) throws(ValueError) in
                target[keyPath: path].memory = try nonZero(Sizes.ram(text))
            },
            .value("memory-swap", type: "bytes", "Memory and swap together; -1 for unlimited") {
                (target, text) throws(ValueError) in
                target[keyPath: path].memorySwap = try nonZero(Sizes.swap(text))
            },
            .value("memory-reservation", type: "bytes", "Memory kept for the container when memory is short") {
                (target, text) throws(ValueError) in
                target[keyPath: path].memoryReservation = try nonZero(Sizes.ram(text))
            },
            .value("cpus", type: "decimal", "Number of CPUs, such as 1.5") { (target, text) throws(ValueError) in
                let value = try Sizes.nanoCPUs(text)
                guard value >= 0 else { throw .plain("invalid number of CPUs \(text): must be 0.01 or more") }
                target[keyPath: path].nanoCPUs = nonZero(value)
            },
            .value("cpu-period", type: "int", "Period of the CPU quota in microseconds") {
                (target, text) throws(ValueError) in
                target[keyPath: path].cpuPeriod = try nonZero(GoValue.int64(text))
            },
            .value("cpu-quota", type: "int", "CPU time a period in microseconds; -1 for unlimited") {
                (target, text) throws(ValueError) in
                target[keyPath: path].cpuQuota = try nonZero(GoValue.int64(text))
            },
            .value("cpu-shares", short: "c", type: "int", "Weight against other containers") {
                (target, text) throws(ValueError) in
                let value = try GoValue.int64(text)
                guard let shares = UInt64(exactly: value) else { throw .invalid("must not be negative") }
                target[keyPath: path].cpuShares = shares == 0 ? nil : shares
            },
            .value("cpuset-cpus", takes: .text, "CPUs to run on: 0-3 or 0,1") { (target, text) throws(ValueError) in
                target[keyPath: path].cpusetCPUs = try Modes.cpuset(text, "cpus")
            },
            .value("cpuset-mems", takes: .text, "Memory nodes to use: 0-3 or 0,1") {
                (target, text) throws(ValueError) in
                target[keyPath: path].cpusetMems = try Modes.cpuset(text, "mems")
            },
            .value("pids-limit", type: "int", "Most processes and threads; -1 for unlimited") {
                (target, text) throws(ValueError) in
                target[keyPath: path].pidsLimit = max(-1, try GoValue.int64(text))
            },
            .value("blkio-weight", type: "uint16", "Weight of block I/O, 10 to 1000; 0 for the kernel's own") {
                (target, text) throws(ValueError) in
                let value = try uint16(text)
                target[keyPath: path].blockIOWeight = value == 0 ? nil : value
            },
            .ignored(
                "kernel-memory", type: "bytes", "Without effect: kernels no longer have this limit",
                warning: "WARNING: --kernel-memory has no effect: kernels no longer have this limit"),
        ]
    }

    private static func uint16(_ text: String) throws(ValueError) -> UInt16 {
        let refusal = "strconv.ParseUint: parsing \(GoValue.quoted(text)):"
        guard let value = try? GoValue.int64(text), value >= 0 else { throw .invalid("\(refusal) invalid syntax") }
        guard let small = UInt16(exactly: value) else { throw .invalid("\(refusal) value out of range") }
        return small
    }

    private static func nonZero(_ value: Int64) -> Int64? { value == 0 ? nil : value }
}
