internal import Glibc
internal import OCI
internal import Runtime
internal import Sys

extension IsolationOptions {
    /// The containers whose namespaces are shared, by the names in the modes, each once.
    var shared: [SharedNamespaces] {
        var result: [SharedNamespaces] = []
        func add(_ owner: String, _ kind: NamespaceFlags) {
            if let index = result.firstIndex(where: { $0.owner == owner }) {
                result[index].kinds.formUnion(kind)
            } else {
                result.append(SharedNamespaces(owner: owner, kinds: kind))
            }
        }
        if case .container(let owner) = network { add(owner, .network) }
        if case .container(let owner) = ipc { add(owner, .ipc) }
        if case .container(let owner) = uts { add(owner, .uts) }
        if case .container(let owner) = pid { add(owner, .pid) }
        return result
    }
}

/// The first process of a container whose namespaces another one joins: held by a descriptor that was verified, so that
/// what is joined is that process's or nothing.
final class NamespaceOwner: Sendable {
    let pidfd: OwnedFD

    init(_ process: consuming ContainerProcess) throws(Errno) { pidfd = try process.pidfd.duplicate() }
}

extension Engine {
    /// Names of containers in the modes become full IDs, as docker keeps them. Throws for a container that is not there.
    func settleOwners(_ isolation: inout IsolationOptions) throws(EngineError) {
        if case .container(let name) = isolation.network {
            isolation.network = .container(try container(named: name).id)
        }
        if case .container(let name) = isolation.ipc { isolation.ipc = .container(try container(named: name).id) }
        if case .container(let name) = isolation.uts { isolation.uts = .container(try container(named: name).id) }
        if case .container(let name) = isolation.pid { isolation.pid = .container(try container(named: name).id) }
    }

    /// The name that a new container takes over with a namespace; nil where it shares none that has one.
    func sharedHostname(_ isolation: IsolationOptions) throws(EngineError) -> String? {
        if case .container(let id) = isolation.uts { return try owner(id).hostname }
        if case .container(let id) = isolation.network { return try owner(id).hostname }
        return nil
    }

    /// The files of a container's network: those of the container that it shares that with, as docker mounts them.
    func generatedFiles(of record: ContainerRecord) throws(EngineError) -> GeneratedFiles {
        var id = record.id
        var network = record.request.isolation.network
        var steps = 0
        while case .container(let next) = network {
            let other = try owner(next)
            (id, network) = (other.id, other.request.isolation.network)
            steps += 1
            // Each is older than the one that names it, unless a record is damaged.
            if steps > 100 { throw .invalid("cannot join own network namespace") }
        }
        return GeneratedFileWriter.paths(in: containers.directory(id))
    }

    /// The same for a reader, who is told of the container's own where the other is gone.
    func shownFiles(of record: ContainerRecord) -> GeneratedFiles {
        (try? generatedFiles(of: record)) ?? GeneratedFileWriter.paths(in: containers.directory(record.id))
    }

    /// The processes that a start joins, in the order of `IsolationOptions.shared`. In docker's words where one does not
    /// run or does not share.
    func namespaceOwners(of record: ContainerRecord) throws(EngineError) -> [NamespaceOwner] {
        var result: [NamespaceOwner] = []
        for shared in record.request.isolation.shared {
            let other = try owner(shared.owner)
            if other.id == record.id { throw .invalid("cannot join own \(Engine.word(shared.kinds)) namespace") }
            let condition = condition(of: other)
            if condition == .restarting { throw .cannotJoin(Engine.restarting(other, shared.kinds)) }
            guard let process = try? process(of: other) else {
                throw .cannotJoin(Engine.notRunning(other, condition, shared.kinds))
            }
            if shared.kinds.contains(.ipc), !other.request.isolation.ipc.isShareable {
                throw .invalid(
                    "failed to join IPC namespace: container \(other.id): non-shareable IPC "
                        + "(hint: use IpcMode:shareable for the donor container)")
            }
            do throws(Errno) {
                result.append(try NamespaceOwner(process))
            } catch {
                throw .system(SystemFailure("hold the process of", other.shortID, error))
            }
        }
        return result
    }

    /// The live containers whose processes are in this one's pid namespace, by way of others too, ended or not.
    func guests(of id: String) -> [String] {
        live.entered().filter { guest in
            var next = guest
            // Each is older than the one that names it, unless a record is damaged.
            for _ in 0..<100 {
                guard let record = try? containers.load(next), case .container(let owner) = record.request.isolation.pid
                else { return false }
                if owner == id { return true }
                next = owner
            }
            return false
        }
    }

    /// By its full ID alone: another may have that for a name by now.
    private func owner(_ id: String) throws(EngineError) -> ContainerRecord {
        guard ResourceName.isContainerID(id), let record = try existing(id) else { throw .noSuchContainer(id) }
        return record
    }

    private static func notRunning(
        _ other: ContainerRecord, _ condition: ContainerCondition, _ kinds: NamespaceFlags
    ) -> String {
        if !kinds.contains(.network) {
            return "failed to join \(word(kinds)) namespace: container \(other.id) is not running"
        }
        let state = condition == .created || condition == .starting ? "created" : "exited"
        return "cannot join network namespace of a non running container: container \(other.name) is \(state)"
    }

    private static func restarting(_ other: ContainerRecord, _ kinds: NamespaceFlags) -> String {
        let what =
            kinds.contains(.network)
            ? "cannot join network namespace of container" : "failed to join \(word(kinds)) namespace"
        return "\(what): Container \(other.id) is restarting, wait until the container is running"
    }

    /// docker's word for the first of the kinds that it would join.
    private static func word(_ kinds: NamespaceFlags) -> String {
        if kinds.contains(.network) { return "network" }
        if kinds.contains(.ipc) { return "IPC" }
        return kinds.contains(.pid) ? "PID" : "UTS"
    }
}
