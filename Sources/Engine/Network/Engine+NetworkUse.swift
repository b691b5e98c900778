internal import OCI
internal import Sys

/// Who is on which network.
extension Engine {
    /// The networks that are always there, and those that were made.
    func knownNetworks(_ records: [NetworkRecord]) -> [NetworkDetails] {
        let predefined = PredefinedNetwork.allCases.map { network in
            let record =
                network == .bridge
                ? standardNetwork(besides: records, HostRoute.all()) : network.record(configuration)
            var details = NetworkDetails(record)
            details.driver = network.driver
            details.isBuiltin = true
            return details
        }
        return predefined + (records + foreignRecords()).map(NetworkDetails.init)
    }

    /// The running containers on each network, by the network's ID.
    func networkMembers() -> [String: [NetworkMember]] {
        var result: [String: [NetworkMember]] = [:]
        for id in live.entered().sorted() {
            guard let endpoints = live.state(of: id)?.endpoints, !endpoints.isEmpty else { continue }
            let name = containers.summary(id)?.name ?? ""
            for endpoint in endpoints {
                result[endpoint.network, default: []].append(NetworkMember(id: id, name: name, endpoint: endpoint))
            }
        }
        return result
    }

    /// The containers whose records name each network, by the network's ID.
    func networkUsers(_ summaries: [ContainerSummary]) -> [String: [ContainerSummary]] {
        var result: [String: [ContainerSummary]] = [:]
        for summary in summaries {
            for network in Set(summary.networks.map(\.id)) { result[network, default: []].append(summary) }
        }
        return result
    }

    /// The names of the networks that were made, by ID.
    func networkNamesByID() -> [String: String] {
        let records = ((try? networks.all { _ in }) ?? []) + foreignRecords()
        return Dictionary(records.map { ($0.id, $0.name) }) { first, _ in first }
    }

    /// Those whose records can be read.
    func readableSummaries() throws(EngineError) -> [ContainerSummary] {
        try containers.identifiers().compactMap { containers.summary($0) }
    }

    func complete(
        _ network: inout NetworkDetails, _ members: [String: [NetworkMember]], _ users: [String: [ContainerSummary]]
    ) {
        network.members = members[network.record.id] ?? []
        // What is configured elsewhere is nobody's to clear away.
        network.isUsed =
            network.isBuiltin || network.record.driver == .cni || !network.members.isEmpty
            || users[network.record.id] != nil
    }
}
