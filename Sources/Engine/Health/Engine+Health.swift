internal import Cgroups
internal import Sys

extension Engine {
    /// How a container is; nil where nothing checks it. One that has never run has no health yet.
    package func health(of record: ContainerRecord) -> ContainerHealth? {
        guard HealthCheck(record) != nil else { return nil }
        if condition(of: record).isRunning { return live.health(of: record.id) ?? ContainerHealth() }
        return record.state.health
    }

    /// Checks a container's health once, for its monitor. Returns the milliseconds until the next check, 0 for none.
    package func checkHealthForMonitor(_ id: String) throws(EngineError) -> UInt32 {
        guard ResourceName.isContainerID(id) else { throw .invalid("this command is the monitor's") }
        let record = try containers.load(id)
        guard let check = HealthCheck(record) else { return 0 }
        let health = try checkHealth(record, check) ?? live.health(of: id) ?? ContainerHealth()
        return check.monitorDelay(health.status, age: age(of: id))
    }

    /// Checks a running container's health once and takes the result in; returns it (`healthcheck run`).
    package func checkHealth(_ name: String) throws(EngineError) -> ContainerHealth.Result {
        let record = try container(named: name)
        guard let check = HealthCheck(record) else {
            throw .invalid("container \(record.id) has no defined healthcheck")
        }
        guard let health = try checkHealth(record, check), let result = health.log.last else {
            throw .conflict("container \(record.name) is paused, unpause the container before a check")
        }
        return result
    }

    /// nil when nothing can be said, as of a container that stands still.
    private func checkHealth(
        _ record: ContainerRecord, _ check: HealthCheck
    ) throws(EngineError) -> ContainerHealth? {
        let process = try process(of: record)
        guard let serving = live.state(of: record.id)?.process else { throw .notRunning(record.id) }
        if try isFrozen(record.id) { return nil }
        let age = ProcessStatus.age(startTime: serving.startTime)
        let result = try CheckRun(engine: self, record: record, check: check).result(in: process)
        // A check that was frozen with the container, or ended with it, says nothing.
        guard let result, try !isFrozen(record.id), ProcessStatus.startTime(serving.pid) == serving.startTime else {
            return nil
        }
        guard
            let (before, after) = try live.updateHealth(
                of: record.id, serving: serving, { $0.add(result, check, age: age) })
        else { throw .notRunning(record.id) }
        if before.status != after.status { note("health_status: \(after.status.rawValue)", record) }
        return after
    }

    /// What is kept of a run that has ended: as docker has it, no container is healthy that does not run.
    func lastHealth(_ record: ContainerRecord) -> ContainerHealth? {
        guard HealthCheck(record) != nil else { return nil }
        var health = live.health(of: record.id) ?? ContainerHealth()
        health.status = .unhealthy
        return health
    }

    private func isFrozen(_ id: String) throws(EngineError) -> Bool {
        guard let cgroup = try openCgroup(of: id) else { return false }
        return try cgroups { () throws(CgroupError) in try cgroup.isFrozen() }
    }

    /// Nanoseconds that the container's process has been there.
    private func age(of id: String) -> Int64 {
        live.state(of: id)?.process.map { ProcessStatus.age(startTime: $0.startTime) } ?? 0
    }
}
