internal import Network
internal import OCI
internal import Sys

/// Names of containers in each other's hosts files. The networks that have them belong to one data root, and all that is
/// done here is done with the right to change the host's networks.
extension Engine {
    /// Writes the files of a container that comes onto networks, and its lines into those of who is there.
    func introduce(
        _ record: ContainerRecord, _ endpoints: [Endpoint], _ host: borrowing HostNetworks
    ) throws(EngineError) {
        var peers: [PeerLine] = []
        for endpoint in endpoints where Engine.hasNames(endpoint) { peers += peerLines(on: endpoint.network, host) }
        try GeneratedFileWriter.write(
            GeneratedFileWriter.paths(in: containers.directory(record.id)), record,
            addresses: endpoints.flatMap { $0.addresses.map(\.address) },
            gateway: endpoints.lazy.compactMap(\.gateways.first).first, configuration: configuration, peers: peers)
        for endpoint in endpoints { try announce(record, endpoint, host) }
    }

    /// Tells the others on the network of a container that has come.
    func announce(
        _ record: ContainerRecord, _ endpoint: Endpoint, _ host: borrowing HostNetworks
    ) throws(EngineError) {
        guard Engine.hasNames(endpoint) else { return }
        let others = peers(on: endpoint.network, host)
        let lines = Engine.lines(of: record, endpoint)
        let text = lines.map { "\($0.address) \($0.names.joined(separator: " "))\n" }.joined()
        try host.saveNames(text, of: record.id, on: endpoint.network)
        for other in others where other != record.id {
            // One whose file can't be changed must not keep this container from starting.
            for line in lines { try? NetworkHosts.add(line, to: containers.directory(other) + "/hosts") }
        }
    }

    /// Takes a container's lines out of the files of the others.
    func dismiss(_ id: String, _ endpoint: Endpoint, _ host: borrowing HostNetworks) {
        guard Engine.hasNames(endpoint) else { return }
        try? File.unlink("\(host.names(endpoint.network))/\(id)")
        for other in peers(on: endpoint.network, host) where other != id {
            try? NetworkHosts.remove(
                container: id, network: endpoint.network, from: containers.directory(other) + "/hosts")
        }
    }

    /// The default network has no names, as docker's.
    private static func hasNames(_ endpoint: Endpoint) -> Bool { endpoint.network != PredefinedNetwork.bridge.id }

    private func peers(on network: String, _ host: borrowing HostNetworks) -> [String] {
        ((try? Directory.entries(host.names(network))) ?? []).map(\.name).filter(ResourceName.isContainerID).sorted()
    }

    /// What is known on the network: one that died and is not cleared away yet is left out.
    func peerLines(on network: String, _ host: borrowing HostNetworks) -> [PeerLine] {
        peers(on: network, host).filter { live.hasEntry($0) }.flatMap { id in
            let bytes = (try? File.readAll("\(host.names(network))/\(id)", limit: 1 << 16)) ?? []
            return String(decoding: bytes, as: UTF8.self).split(separator: "\n").compactMap {
                Engine.peerLine(String($0), network, id)
            }
        }
    }

    private static func peerLine(_ text: String, _ network: String, _ container: String) -> PeerLine? {
        let words = text.split(separator: " ").map(String.init)
        guard let address = words.first.flatMap({ IPAddress($0) }), words.count > 1 else { return nil }
        return PeerLine(address: address, names: Array(words.dropFirst()), network: network, container: container)
    }

    /// As docker's names of an endpoint: the container's own, what was asked for, the beginning of its ID.
    static func names(of record: ContainerRecord, _ endpoint: Endpoint) -> [String] {
        var seen: Set<String> = []
        return ([record.name] + endpoint.aliases + [record.shortID, record.hostname]).filter {
            !$0.isEmpty && seen.insert($0).inserted
        }
    }

    static func lines(of record: ContainerRecord, _ endpoint: Endpoint) -> [PeerLine] {
        endpoint.addresses.map {
            PeerLine(
                address: $0.address, names: names(of: record, endpoint), network: endpoint.network, container: record.id
            )
        }
    }
}
