/// Everything that the controllers count, in detail. What no controller or file tells is nil, never 0.
package struct CgroupStatistics: Sendable, Hashable {
    package var cpu: CPU?
    package var memory: Memory?
    package var pids: CgroupUsage.Pids?
    package var blockIO: BlockIO?
    /// Bytes, by page size: `2MB`.
    package var hugepages: [String: Counter]?

    /// Nanoseconds.
    package struct CPU: Sendable, Hashable {
        package var total: UInt64
        package var user: UInt64?
        package var kernel: UInt64?
        /// Of each possible CPU; of v1 alone.
        package var perCPU: [UInt64]?
        package var throttling: Throttling?
    }

    package struct Throttling: Sendable, Hashable {
        package var periods: UInt64
        package var throttledPeriods: UInt64
        /// Nanoseconds.
        package var throttledTime: UInt64
    }

    package struct Counter: Sendable, Hashable {
        package var usage: UInt64
        /// The most that there ever was.
        package var maximum: UInt64?
        /// nil: none.
        package var limit: UInt64?
        /// How often the limit was hit.
        package var failures: UInt64?
    }

    /// Bytes.
    package struct Memory: Sendable, Hashable {
        package var usage: Counter
        package var cache: UInt64?
        /// Memory and swap together, as v1 counts.
        package var swap: Counter?
        /// These two of v1 alone.
        package var kernel: Counter?
        package var kernelTCP: Counter?
        /// All of `memory.stat`.
        package var details: [String: UInt64] = [:]
    }

    package struct BlockIO: Sendable, Hashable {
        package var bytes: [Entry] = []
        package var operations: [Entry] = []

        package struct Entry: Sendable, Hashable {
            package var major: UInt32
            package var minor: UInt32
            /// `Read`, `Write`, `Discard`; on v1 also `Sync`, `Async` and `Total`.
            package var kind: String
            package var value: UInt64
        }
    }

    package init() {}
}

extension Cgroup {
    /// Reads what each controller says (cgroup-v1/*.rst, cgroup-v2.rst). Of a cgroup that is gone all is nil.
    package func statistics() throws(CgroupError) -> CgroupStatistics {
        var statistics = CgroupStatistics()
        statistics.cpu = try cpuStatistics()
        statistics.memory = try memoryStatistics()
        statistics.pids = try pidsUsage()
        statistics.blockIO = try blockIOStatistics()
        statistics.hugepages = try hugepageStatistics()
        return statistics
    }

    /// Where `controller` is, and in which version.
    private func place(of controller: String) -> (path: String, isUnified: Bool)? {
        directory(of: controller).map { ($0.path, $0.hierarchy.isUnified) }
    }

    private func number(_ path: String) throws(CgroupError) -> UInt64? {
        try read(path).flatMap { UInt64($0.line) }
    }

    private func cpuStatistics() throws(CgroupError) -> CgroupStatistics.CPU? {
        if let (path, isUnified) = place(of: "cpuacct"), !isUnified {
            guard let total = try number("\(path)/cpuacct.usage") else { return nil }
            var cpu = CgroupStatistics.CPU(total: total)
            cpu.user = try number("\(path)/cpuacct.usage_user")
            cpu.kernel = try number("\(path)/cpuacct.usage_sys")
            cpu.perCPU = try read("\(path)/cpuacct.usage_percpu")?.line.split(separator: " ").compactMap { UInt64($0) }
            if let (path, _) = place(of: "cpu"), let text = try read("\(path)/cpu.stat") {
                cpu.throttling = Cgroup.throttling(text, time: CgroupFile.number("throttled_time", in: text))
            }
            return cpu
        }
        // The base's own file: the times are there without any controller.
        guard let unified, let text = try read("\(unified.path)/cpu.stat"),
            let total = CgroupFile.number("usage_usec", in: text)
        else { return nil }
        var cpu = CgroupStatistics.CPU(total: total.times(1000))
        cpu.user = CgroupFile.number("user_usec", in: text)?.times(1000)
        cpu.kernel = CgroupFile.number("system_usec", in: text)?.times(1000)
        cpu.throttling = Cgroup.throttling(text, time: CgroupFile.number("throttled_usec", in: text)?.times(1000))
        return cpu
    }

    private static func throttling(_ text: String, time: UInt64?) -> CgroupStatistics.Throttling? {
        guard let time, let periods = CgroupFile.number("nr_periods", in: text),
            let throttled = CgroupFile.number("nr_throttled", in: text)
        else { return nil }
        return CgroupStatistics.Throttling(periods: periods, throttledPeriods: throttled, throttledTime: time)
    }

    private func memoryStatistics() throws(CgroupError) -> CgroupStatistics.Memory? {
        guard let (path, isUnified) = place(of: "memory") else { return nil }
        let usage = isUnified ? try unifiedMemory(path) : try legacyCounter("\(path)/memory")
        guard let usage else { return nil }
        var memory = CgroupStatistics.Memory(usage: usage)
        for line in try (read("\(path)/memory.stat") ?? "").split(separator: "\n") {
            let words = line.split(separator: " ")
            if words.count == 2, let value = UInt64(words[1]) { memory.details[String(words[0])] = value }
        }
        memory.cache = memory.details[isUnified ? "file" : "cache"]
        if isUnified {
            memory.swap = try unifiedSwap(path, usage)
        } else {
            memory.swap = try legacyCounter("\(path)/memory.memsw")
            memory.kernel = try legacyCounter("\(path)/memory.kmem")
            memory.kernelTCP = try legacyCounter("\(path)/memory.kmem.tcp")
        }
        return memory
    }

    private func legacyCounter(_ prefix: String) throws(CgroupError) -> CgroupStatistics.Counter? {
        guard let usage = try number("\(prefix).usage_in_bytes") else { return nil }
        let limit = try number("\(prefix).limit_in_bytes")
        return CgroupStatistics.Counter(
            usage: usage, maximum: try number("\(prefix).max_usage_in_bytes"),
            limit: limit.flatMap { $0.isNoLimit ? nil : $0 }, failures: try number("\(prefix).failcnt"))
    }

    private func unifiedMemory(_ path: String) throws(CgroupError) -> CgroupStatistics.Counter? {
        guard let usage = try number("\(path)/memory.current") else { return nil }
        let events = try read("\(path)/memory.events")
        return CgroupStatistics.Counter(
            usage: usage, maximum: try number("\(path)/memory.peak"), limit: try number("\(path)/memory.max"),
            failures: events.flatMap { CgroupFile.number("max", in: $0) })
    }

    private func unifiedSwap(
        _ path: String, _ memory: CgroupStatistics.Counter
    ) throws(CgroupError) -> CgroupStatistics.Counter? {
        guard let usage = try number("\(path)/memory.swap.current") else { return nil }
        var swap = CgroupStatistics.Counter(usage: usage.plus(memory.usage))
        if let limit = try number("\(path)/memory.swap.max"), let other = memory.limit {
            swap.limit = limit.plus(other)
        }
        return swap
    }

    private func hugepageStatistics() throws(CgroupError) -> [String: CgroupStatistics.Counter]? {
        guard let (path, isUnified) = place(of: "hugetlb") else { return nil }
        var result: [String: CgroupStatistics.Counter] = [:]
        for size in Hugepages.sizes() {
            let prefix = "\(path)/hugetlb.\(size)"
            if !isUnified {
                result[size] = try legacyCounter(prefix)
            } else if let usage = try number("\(prefix).current") {
                let events = try read("\(prefix).events")
                result[size] = CgroupStatistics.Counter(
                    usage: usage, limit: try number("\(prefix).max"),
                    failures: events.flatMap { CgroupFile.number("max", in: $0) })
            }
        }
        return result.isEmpty ? nil : result
    }
}

extension UInt64 {
    /// v1 writes "no limit" as the largest number of pages in bytes; pages are up to 64 KiB.
    var isNoLimit: Bool { self >= UInt64(Int64.max) & ~0xffff }
}
