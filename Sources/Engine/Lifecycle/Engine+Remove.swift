internal import Glibc
internal import Images
internal import Sys

extension Engine {
    /// Removes a container: its layer, record, name, log, and its volumes without a name where `volumes` or `--rm` asks.
    /// One that runs is killed when `force`, else left as it is.
    package func remove(_ name: String, force: Bool, volumes: Bool) throws(EngineError) {
        if let problem = remove([name], force: force, volumes: volumes)[0] { throw problem }
    }

    /// So many are removed at once: each holds a descriptor until its files are gone.
    private static let removedAtOnce = 64

    /// Removes several, each as `remove(_:force:volumes:)` does: by force they end side by side, and the disk is waited for
    /// once for many. Why each was not removed; nil for those that were.
    package func remove(_ names: [String], force: Bool, volumes: Bool) -> [EngineError?] {
        // What a removal that was killed has left.
        try? images.clean()
        let size = Engine.removedAtOnce
        return stride(from: 0, to: names.count, by: size).flatMap { start in
            removeAtOnce(Array(names[start..<min(start + size, names.count)]), force: force, volumes: volumes)
        }
    }

    private func removeAtOnce(_ names: [String], force: Bool, volumes: Bool) -> [EngineError?] {
        let known = names.count > 1 ? fullNames(names) : names
        if force, names.count > 1 { killAhead(known) }
        let removed = RemovedContainers(images)
        let problems = zip(names, known).map { name, known -> EngineError? in
            do throws(EngineError) {
                try remove(known, typed: name, force: force, volumes: volumes, into: removed)
                return nil
            } catch .noSuchContainer(let missing) where missing == known {
                return .noSuchContainer(name)
            } catch {
                return error
            }
        }
        var failure: EngineError?
        do throws(EngineError) {
            try containers.syncDirectory()
            // Their files go once they can't come back.
            try store { () throws(StoreError) in try removed.delete() }
        } catch {
            failure = error
        }
        return problems.map { $0 ?? failure }
    }

    /// IDs in place of their beginnings, so that the list of all containers is read once and not for each of a thousand.
    private func fullNames(_ names: [String]) -> [String] {
        guard let all = try? containers.identifiers() else { return names }
        return names.map { name in
            // A name wins over an ID.
            if name.isEmpty || !ResourceName.isValid(name) || containers.owner(of: name) != nil { return name }
            let found = all.filter { $0.hasPrefix(name) }
            return found.count == 1 ? found[0] : name
        }
    }

    /// `name` is a full one, in place of what was typed.
    private func remove(
        _ name: String, typed: String, force: Bool, volumes: Bool, into removed: RemovedContainers
    ) throws(EngineError) {
        let record: ContainerRecord
        do throws(EngineError) {
            record = try container(named: name)
        } catch .damaged where force {
            return try removeDamaged(try identifier(named: name))
        }
        clearDead(record.id)
        switch try force ? condition(of: record) : settledCondition(of: record) {
        case .running, .restarting, .starting, .ending:
            guard force else {
                throw .conflict(
                    "cannot remove container \"\(typed)\": container is running: "
                        + "stop the container before removing or force remove")
            }
            try end(record)
        case .created, .exited: break
        }
        let id = record.id
        do throws(EngineError) {
            let isGone = try containers.locked(id) { () throws(EngineError) in
                let record = try containers.load(id)
                guard !condition(of: record).isRunning else {
                    if force { return false }
                    throw .conflict("cannot remove container \"\(typed)\": it was started meanwhile")
                }
                try unmount(record, lazily: force)
                try MountsBelow.refuse(containers.layer(id), removing: "container \(typed)")
                try discard(record, volumes: volumes, into: removed)
                return true
            }
            // Started by another command since it was killed.
            if !isGone { return try remove(id, typed: typed, force: force, volumes: volumes, into: removed) }
            // Something of its end may not have been done in time.
            if live.hasEntry(id), !live.isServed(id) { sweep() }
        } catch .noSuchContainer {
            // With --rm it went by itself.
        }
    }

    /// Kills containers that are about to be removed by force, so that their ends go on side by side. Whatever goes wrong
    /// is said by the removal.
    private func killAhead(_ names: [String]) {
        for name in names {
            guard let record = try? container(named: name), let process = try? process(of: record) else { continue }
            try? live.markStopped(record.id, .going)
            try? deliver(SIGKILL, process.pidfd.raw)
            note("kill", record, ["signal": "\(SIGKILL)"])
        }
    }

    /// An end that is just being recorded is waited for, to the last file of its entry.
    private func settledCondition(of record: ContainerRecord) throws(EngineError) -> ContainerCondition {
        let end = Clock.monotonicNanoseconds + Int64(Engine.stopTimeout) * 1_000_000_000
        while true {
            let now = condition(of: record)
            // An entry on its way out, or in, says nothing for a moment; a damaged one for good.
            let isSilent =
                now == .starting && live.state(of: record.id) == nil && live.damage(of: record.id) == nil
            guard now == .ending || isSilent, Clock.monotonicNanoseconds < end else { return now }
            usleep(2000)
        }
    }

    private func end(_ record: ContainerRecord) throws(EngineError) {
        do throws(EngineError) {
            try stop(record.id, signal: "KILL", timeout: nil, mark: .going)
        } catch .noSuchContainer {
            return
        } catch .monitorDied {
            sweep()
        } catch .damaged {
            try killWhatRuns(in: record.id)
        }
    }

    /// Removes a container whose record can't be read. Which volumes it had nobody knows: they stay.
    private func removeDamaged(_ id: String) throws(EngineError) {
        try killWhatRuns(in: id)
        try containers.locked(id) { () throws(EngineError) in try containers.remove(id, name: nil) }
        sweep()
    }

    /// Ends a container whose first process can't be told, by its cgroup; its monitor ends with it.
    private func killWhatRuns(in id: String) throws(EngineError) {
        try live.hasEntry(id) ? live.markStopped(id) : ()
        try removeCgroup(of: id)
        let end = Clock.monotonicNanoseconds + Int64(Engine.stopTimeout) * 1_000_000_000
        while live.isServed(id), Clock.monotonicNanoseconds < end { usleep(2000) }
        if live.isServed(id) { throw .conflict("container \(id) can't be removed: its monitor does not end") }
        sweep()
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
            note("rename", renamed, ["oldName": "/\(record.name)"])
        }
    }

    /// All containers, newest first, each with what it does at the moment.
    package func list() throws(EngineError) -> [ListedContainer] {
        sweep()
        return try containers.all { _ in }.sorted { $0.created > $1.created }
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
