import DockerCLI
import Engine

/// Networks are those that the test put in; what is asked of them is noted.
extension RecordingEngine: NetworkVerbs {
    func createNetwork(_ request: NetworkRequest) throws -> NetworkDetails {
        askedNetworks.append(request)
        if let failure { throw failure }
        let details = NetworkDetails(
            NetworkRecord(id: String(repeating: "9", count: 64), name: request.name, created: "2025-11-21T16:00:00Z"))
        networkList.append(details)
        return details
    }

    func networkDetails(named text: String) throws -> NetworkDetails {
        guard let found = networkList.first(where: { $0.record.name == text || $0.record.id.hasPrefix(text) }) else {
            throw EngineError.noSuchNetwork(text)
        }
        return found
    }

    func allNetworks(problem: (String) -> Void) throws -> [NetworkDetails] { networkList }

    func removeNetwork(_ text: String) throws {
        let found = try networkDetails(named: text)
        if found.isUsed {
            throw EngineError.conflict("error while removing network: network \(text) has active endpoints")
        }
        networkList.removeAll { $0 == found }
    }

    func pruneNetworks(_ ids: [String]) throws -> Reclaimed {
        var result = Reclaimed()
        result.names = networkList.filter { ids.contains($0.record.id) }.map(\.record.name)
        return result
    }

    func connectNetwork(_ network: String, container: String, _ options: EndpointOptions) throws {
        connections.append(options)
        verbs.append("connect \(network) \(container)")
    }

    func disconnectNetwork(_ network: String, container: String, force: Bool) throws {
        verbs.append("disconnect \(network) \(container) \(force)")
    }
}
