internal import Glibc
internal import Sys

extension Engine {
    /// Removes a container: its layer, record, name, log, and its volumes without a name where `volumes` or `--rm` asks.
    /// One that runs is killed when `force`, else left as it is.
    package func remove(_ name: String, force: Bool, volumes: Bool) throws(EngineError) {
        let record = try container(named: name)
        if live.hasEntry(record.id), !live.isServed(record.id) { sweep() }
        switch try force ? condition(of: record) : settledCondition(of: record) {
        case .running, .restarting, .starting, .ending:
            guard force else {
                throw .conflict(
                    "cannot remove container \"\(name)\": container is running: "
                        + "stop the container before removing or force remove")
            }
            try end(record)
        case .created, .exited: break
        }
        let id = record.id
        do throws(EngineError) {
            try containers.locked(id) { () throws(EngineError) in
                let record = try containers.load(id)
                guard !condition(of: record).isRunning else {
                    throw .conflict("cannot remove container \"\(name)\": it was started meanwhile")
                }
                try discard(record, volumes: volumes)
            }
        } catch .noSuchContainer {
            // With --rm it went by itself.
        }
    }

    /// An end that is just being recorded is waited for.
    private func settledCondition(of record: ContainerRecord) throws(EngineError) -> ContainerCondition {
        let end = Clock.monotonicNanoseconds + Int64(Engine.stopTimeout) * 1_000_000_000
        while condition(of: record) == .ending, Clock.monotonicNanoseconds < end { usleep(2000) }
        return condition(of: record)
    }

    private func end(_ record: ContainerRecord) throws(EngineError) {
        do throws(EngineError) {
            try stop(record.id, signal: "KILL", timeout: nil)
        } catch .noSuchContainer {
            return
        } catch .monitorDied {
            sweep()
        }
    }

    /// Gives a container another name.
    package func rename(_ name: String, to newName: String) throws(EngineError) {
        let wanted = newName.hasPrefix("/") ? String(newName.dropFirst()) : newName
        guard ResourceName.isValid(wanted) else {
            throw .invalid(
                "Error when allocating new name: Invalid container name (\(newName)), "
                    + "only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed")
        }
        let found = try container(named: name)
        try containers.locked(found.id) { () throws(EngineError) in
            let record = try containers.load(found.id)
            if record.name == wanted {
                throw .conflict("Renaming a container with the same name as its current name")
            }
            do throws(EngineError) {
                try containers.rename(record, to: wanted)
            } catch .conflict(let reason) {
                throw .conflict("Error when allocating new name: \(reason)")
            }
            var renamed = record
            renamed.name = wanted
            note("rename", renamed, ["oldName": record.name])
        }
    }

    /// All containers, newest first, each with what it does at the moment.
    package func list() throws(EngineError) -> [ListedContainer] {
        sweep()
        return try containers.all().sorted { $0.created > $1.created }
            .map { ListedContainer(record: $0, condition: condition(of: $0)) }
    }
}

/// A container as lists show it.
package struct ListedContainer: Sendable, Hashable {
    package var record: ContainerRecord
    package var condition: ContainerCondition

    package init(record: ContainerRecord, condition: ContainerCondition) {
        self.record = record
        self.condition = condition
    }
}
