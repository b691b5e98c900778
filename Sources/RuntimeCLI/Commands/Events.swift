internal import Cgroups
internal import OCI
internal import OCIRuntime
internal import Sys

extension Command {
    static let events = Command(
        name: "events", arguments: "ID", summary: "Print what a container uses, and what befalls it, as JSON lines",
        options: [
            Option("interval", value: "DURATION", "between two reports, 5s unless given"),
            Option("stats", "one report, and no waiting"),
        ], count: 1...1
    ) { (line, session) throws(CommandFault) in
        let id = line.positionals[0]
        if try line.isOn("stats") {
            let statistics = try session.call { (runtime) throws(ContainerError) in try runtime.statistics(of: id) }
            session.output(StatisticsReport.line(id, statistics))
            return 0
        }
        let text = line["interval"] ?? "5s"
        guard let interval = GoDuration.nanoseconds(text), interval >= 1_000_000 else {
            throw .usage("--interval \(text): not a duration such as 5s or 500ms")
        }
        try session.call { (runtime) throws(ContainerError) in
            try runtime.watch(id, milliseconds: Int32(clamping: interval / 1_000_000)) { event in
                switch event {
                case .statistics(let statistics): session.output(StatisticsReport.line(id, statistics))
                case .outOfMemory: session.output(StatisticsReport.event(id, "oom", nil))
                }
            }
        }
        return 0
    }
}

/// The lines of runc's `events`, which containerd reads.
enum StatisticsReport {
    static func line(_ id: String, _ statistics: CgroupStatistics) -> String {
        event(
            id, "stats",
            .members([
                "cpu": cpu(statistics.cpu), "memory": memory(statistics.memory), "pids": pids(statistics.pids),
                "blkio": blockIO(statistics.blockIO),
                "hugetlb": statistics.hugepages.map { .object($0.mapValues(counter)) },
            ]))
    }

    static func event(_ id: String, _ type: String, _ data: JSONValue?) -> String {
        JSONValue.members(["type": .string(type), "id": .string(id), "data": data]).text + "\n"
    }

    private static func cpu(_ cpu: CgroupStatistics.CPU?) -> JSONValue? {
        guard let cpu else { return nil }
        let usage = JSONValue.members([
            "total": .number(cpu.total), "percpu": cpu.perCPU.map { .array($0.map { .number($0) }) },
            "kernel": .number(cpu.kernel ?? 0), "user": .number(cpu.user ?? 0),
        ])
        let throttling = cpu.throttling.map {
            JSONValue.members([
                "periods": .number($0.periods), "throttledPeriods": .number($0.throttledPeriods),
                "throttledTime": .number($0.throttledTime),
            ])
        }
        return .members(["usage": usage, "throttling": throttling])
    }

    private static func memory(_ memory: CgroupStatistics.Memory?) -> JSONValue? {
        guard let memory else { return nil }
        return .members([
            "cache": memory.cache.map { .number($0) }, "usage": counter(memory.usage),
            "swap": memory.swap.map(counter), "kernel": memory.kernel.map(counter),
            "kernelTCP": memory.kernelTCP.map(counter), "raw": .object(memory.details.mapValues { .number($0) }),
        ])
    }

    /// No limit is the greatest number, as the kernel's own files have it on v1.
    private static func counter(_ counter: CgroupStatistics.Counter) -> JSONValue {
        .members([
            "usage": .number(counter.usage), "max": .number(counter.maximum ?? 0),
            "limit": .number(counter.limit ?? UInt64.max), "failcnt": .number(counter.failures ?? 0),
        ])
    }

    private static func pids(_ pids: CgroupUsage.Pids?) -> JSONValue? {
        guard let pids else { return nil }
        return .members(["current": .number(pids.current), "limit": pids.limit.map { .number($0) }])
    }

    private static func blockIO(_ io: CgroupStatistics.BlockIO?) -> JSONValue? {
        guard let io else { return nil }
        func entries(_ list: [CgroupStatistics.BlockIO.Entry]) -> JSONValue {
            .array(
                list.map { entry in
                    .object([
                        "major": .number(entry.major), "minor": .number(entry.minor), "op": .string(entry.kind),
                        "value": .number(entry.value),
                    ])
                })
        }
        return .members(["ioServiceBytesRecursive": entries(io.bytes), "ioServicedRecursive": entries(io.operations)])
    }
}
