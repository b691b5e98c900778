internal import Network
package import OCI
internal import Sys

extension ContainerRecord {
    /// What the image and the flags name, each once; what is published is exposed as well.
    package var exposedPorts: [ContainerPort] {
        let image = (execution.exposedPorts ?? [:]).keys.flatMap(ContainerPort.list)
        let asked = request.networking.map { $0.exposed + $0.published.map(\.port) } ?? []
        return Set(image + asked).sorted()
    }

    /// What a start publishes.
    var portMappings: [PortMapping] {
        guard let networking = request.networking else { return [] }
        guard networking.publishesAll else { return networking.published }
        let named = Set(networking.published.map(\.port))
        return networking.published + exposedPorts.filter { !named.contains($0) }.map { PortMapping($0) }
    }
}

extension ContainerPort {
    /// A name of an image's: `80`, `80/udp`, `8000-8010/tcp`; none for what is no port.
    package static func list(_ text: String) -> [ContainerPort] {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        let ends = parts[0].split(separator: "-", omittingEmptySubsequences: false).map { UInt16($0) }
        guard parts.count <= 2, ends.count <= 2, let first = ends[0], let last = ends[ends.count - 1], 0 < first,
            first <= last, let transport = PortProtocol(rawValue: parts.count == 2 ? parts[1].lowercased() : "tcp")
        else { return [] }
        return (first...last).map { ContainerPort($0, transport) }
    }
}

extension NetworkMode {
    /// Whether the container has ports of its own.
    package var hasPorts: Bool {
        switch self {
        case .none, .host, .container, .path: false
        default: true
        }
    }
}

extension Engine {
    /// The ports of a container that runs: where they are published; nowhere, for those that are only exposed. Empty for
    /// one that does not run, or has no network of its own.
    package func ports(of record: ContainerRecord) -> [ContainerPort: [PublishedPort]] {
        guard record.request.isolation.network.hasPorts, condition(of: record).isRunning else { return [:] }
        var result = Dictionary(uniqueKeysWithValues: record.exposedPorts.map { ($0, [PublishedPort]()) })
        for port in live.state(of: record.id)?.published ?? [] { result[port.port, default: []].append(port) }
        return result
    }

    /// Takes the ports that the container publishes; nil where it publishes none. `usual` is where those are that say
    /// nothing of it; nil: everywhere.
    func bindPorts(
        _ record: ContainerRecord, _ endpoint: PortEndpoint, at usual: IPAddress? = nil
    ) throws(EngineError) -> BoundPorts? {
        let mappings = record.portMappings.map { mapping in
            var settled = mapping
            settled.address = mapping.address ?? usual
            return settled
        }
        if mappings.isEmpty || !record.request.isolation.network.hasPorts { return nil }
        do throws(NetworkError) {
            return try PortBinding.bind(mappings, for: endpoint)
        } catch .port(let failure) {
            throw .network(.port(explained(failure)))
        } catch {
            throw .network(error)
        }
    }

    /// With who has the port: a container by its name.
    private func explained(_ failure: PortFailure) -> PortFailure {
        guard failure.errno == .addressInUse, failure.exhausted == nil else { return failure }
        var result = failure
        result.owner = PortOwner.of(failure.hostPort, failure.port.transport)
        if case .container(let id) = result.owner, let owner = try? containers.load(id) {
            result.owner = .container(owner.name)
        }
        return result
    }
}
