internal import Cgroups

extension Engine {
    /// A watch over what containers use: those that are named, else all that run, or with `all` the others too. Each
    /// call of what it returns is one more look.
    package func statsWatch(
        _ names: [String], all: Bool
    ) throws(EngineError) -> () throws -> [ContainerStats] {
        var ids: [String] = []
        for name in names {
            let id = try container(named: name).id
            if !ids.contains(id) { ids.append(id) }
        }
        let manager = try cgroups { () throws(CgroupError) in try cgroupManager() }
        var watch = StatsWatch(engine: self, ids: names.isEmpty ? nil : ids, all: all, manager: manager)
        return { try watch.next() }
    }
}

/// Looks at containers again and again. What changes from one look to the next (CPU) is counted between them.
private struct StatsWatch: Sendable {
    let engine: Engine
    /// nil: whatever is there at each look.
    let ids: [String]?
    let all: Bool
    let manager: CgroupManager
    private var before: [String: StatsSample] = [:]

    init(engine: Engine, ids: [String]?, all: Bool, manager: CgroupManager) {
        self.engine = engine
        self.ids = ids
        self.all = all
        self.manager = manager
    }

    /// What each container uses now. One that was removed meanwhile is left out.
    mutating func next() throws(EngineError) -> [ContainerStats] {
        let system = try cgroups { () throws(CgroupError) in try SystemUsage.read() }
        var samples: [String: StatsSample] = [:]
        var result: [ContainerStats] = []
        for record in try records() {
            let sample = try sample(record, system)
            if sample == nil, ids == nil, !all { continue }
            samples[record.id] = sample
            result.append(
                ContainerStats(id: record.id, name: record.name, before: before[record.id], now: sample))
        }
        before = samples
        return result
    }

    private func records() throws(EngineError) -> [ContainerRecord] {
        guard let ids else { return try engine.list().map(\.record) }
        return ids.compactMap { try? engine.containers.load($0) }
    }

    /// nil for a container that does not run.
    private func sample(_ record: ContainerRecord, _ system: SystemUsage) throws(EngineError) -> StatsSample? {
        let network: ContainerStats.Traffic?
        do throws(EngineError) {
            network = NetworkCounters.read(of: try engine.process(of: record).pid)
        } catch .notRunning {
            return nil
        }
        let usage = try cgroups { () throws(CgroupError) in
            let place = engine.rootless == nil ? manager : try engine.cgroupManager(of: record.id)
            return try place.open(path: Engine.cgroupPath(record.id))?.usage()
        }
        return usage.map { StatsSample(usage: $0, system: system, network: network) }
    }
}
