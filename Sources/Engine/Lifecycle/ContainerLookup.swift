internal import Glibc
package import Sys

extension Engine {
    /// The container of this name, full ID or unique beginning of an ID. A name wins over an ID.
    package func container(named text: String) throws(EngineError) -> ContainerRecord {
        let name = text.hasPrefix("/") ? String(text.dropFirst()) : text
        if ResourceName.isValid(name), let id = containers.owner(of: name), let record = try existing(id) {
            return record
        }
        let isPrefix = !name.isEmpty && name.utf8.allSatisfy { $0.isHexDigit }
        guard isPrefix else { throw .noSuchContainer(text) }
        if ResourceName.isContainerID(name), let record = try existing(name) { return record }
        let found = try containers.identifiers().filter { $0.hasPrefix(name) }
        if found.count > 1 { throw .invalid("Multiple IDs found with provided prefix: \(name)") }
        guard let id = found.first, let record = try existing(id) else { throw .noSuchContainer(text) }
        return record
    }

    /// The directory of the container of this name, full ID or unique beginning of an ID, whatever its record says.
    func identifier(named text: String) throws(EngineError) -> String {
        let name = text.hasPrefix("/") ? String(text.dropFirst()) : text
        let all = try containers.identifiers()
        if ResourceName.isValid(name), let id = containers.owner(of: name), all.contains(id) { return id }
        let found = all.filter { !name.isEmpty && $0.hasPrefix(name) }
        if found.count > 1 { throw .invalid("Multiple IDs found with provided prefix: \(name)") }
        guard let id = found.first else { throw .noSuchContainer(text) }
        return id
    }

    /// nil where there is none (any more).
    func existing(_ id: String) throws(EngineError) -> ContainerRecord? {
        do throws(EngineError) {
            return try containers.load(id)
        } catch .system(let failure) where failure.errno == .noEntry {
            return nil
        }
    }

    /// What a container is at the moment: its record together with what lives.
    package func condition(of record: ContainerRecord) -> ContainerCondition {
        condition(of: record.id, recorded: record.state.status)
    }

    func condition(of id: String, recorded status: ContainerRecord.State.Status) -> ContainerCondition {
        guard live.isServed(id) else {
            // Nobody serves it: what the record calls running has died with its server.
            let isOver = status == .running || status == .restarting
            return isOver ? .exited : ContainerCondition(status)
        }
        // Just being entered; or what it is can't be told, and nothing may be done as if it had ended.
        guard let state = live.state(of: id) else { return live.hasEntry(id) ? .starting : ContainerCondition(status) }
        if let process = state.process, ProcessStatus.startTime(process.pid) == process.startTime {
            return .running(pid: process.pid, startedAt: state.startedAt ?? "")
        }
        if status == .restarting { return .restarting }
        // Just being started, or its end just being recorded.
        return state.process == nil ? .starting : .ending
    }

    /// The running container's first process. Throws docker's words where it does not run.
    package func process(of record: ContainerRecord) throws(EngineError) -> ContainerProcess {
        let state = live.state(of: record.id)
        if let process = state?.process, live.isServed(record.id), let pidfd = try? Pidfd.open(process.pid),
            // Asked with the descriptor open: from here on the number can't go to another.
            ProcessStatus.startTime(process.pid) == process.startTime
        {
            return ContainerProcess(pid: process.pid, pidfd: pidfd)
        }
        if let damage = live.damage(of: record.id), live.isServed(record.id) { throw damage }
        throw .notRunning(record.id)
    }
}

/// A container's first process, held by a descriptor so that its number can't come to mean another.
package struct ContainerProcess: ~Copyable {
    package let pid: Int32
    package let pidfd: OwnedFD
}

/// What a container is doing.
package enum ContainerCondition: Sendable, Hashable {
    case created
    case starting
    case running(pid: Int32, startedAt: String)
    case restarting
    /// Its process is gone, and its end is being recorded.
    case ending
    case exited

    init(_ status: ContainerRecord.State.Status) {
        switch status {
        case .created: self = .created
        case .running, .exited, .restarting: self = .exited
        }
    }

    package var isRunning: Bool { if case .running = self { true } else { false } }
}

extension UInt8 {
    fileprivate var isHexDigit: Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(self)
    }
}
