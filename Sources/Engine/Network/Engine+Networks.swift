internal import OCI
internal import Sys

/// The verbs on networks.
extension Engine {
    /// Makes a network, durably. Its bridge is made by the first container that is on it.
    package func createNetwork(_ request: NetworkRequest) throws(EngineError) -> NetworkDetails {
        guard rootless == nil else { throw .notSupportedYet("a network of one's own without root's rights") }
        let record = try networks.locked { () throws(EngineError) in
            // One that can't be read may have the name or the addresses.
            let others = try networks.all { error throws(EngineError) in throw error }
            let routes = HostRoute.all()
            let standard = standardNetwork(besides: others, routes)
            let plan = NetworkPlan(
                request: request, others: [standard] + others, routes: routes.map(\.prefix), pools: pools)
            let created = Clock.timestamp
            let record = try plan.record(id: Random.hex(bytes: 32), created: created)
            try networks.save(record)
            return record
        }
        noteNetwork("create", record)
        return NetworkDetails(record)
    }

    /// By name, ID or the beginning of an ID.
    package func networkDetails(named text: String) throws(EngineError) -> NetworkDetails {
        sweep()
        var damage: EngineError?
        let all = knownNetworks(try networks.all { damage = $0 })
        guard let record = try all.map(\.record).find(text), var found = all.first(where: { $0.record.id == record.id })
        else { throw damage ?? .noSuchNetwork(text) }
        complete(&found, networkMembers(), networkUsers(try readableSummaries()))
        return found
    }

    /// All by name, those that are always there with them. A record that can't be read hides no other.
    package func allNetworks(problem: (String) -> Void) throws(EngineError) -> [NetworkDetails] {
        sweep()
        let users = networkUsers(try readableSummaries())
        let members = networkMembers()
        return knownNetworks(try networks.all { problem("\($0)") }).map { network in
            var network = network
            complete(&network, members, users)
            return network
        }.sorted { $0.record.name < $1.record.name }
    }

    /// Removes a network. One that a container's record names is refused, whether or not that runs.
    package func removeNetwork(_ text: String) throws(EngineError) {
        sweep()
        let record = try networks.locked { () throws(EngineError) in
            var damage: EngineError?
            let all = knownNetworks(try networks.all { damage = $0 })
            guard let record = try all.map(\.record).find(text) else { throw damage ?? .noSuchNetwork(text) }
            if PredefinedNetwork.allCases.contains(where: { $0.id == record.id }) {
                throw .invalid("\(record.name) is a pre-defined network and cannot be removed")
            }
            if record.driver == .cni {
                throw .invalid(
                    "\(record.name) is configured in \(foreignDirectory) and cannot be removed here")
            }
            // No container comes onto it meanwhile.
            let host = try HostNetworks()
            try checkUnused(record)
            try host.takeDown(record)
            try networks.remove(record.id)
            _ = consume host
            return record
        }
        noteNetwork("destroy", record)
    }

    private func checkUnused(_ record: NetworkRecord) throws(EngineError) {
        let users = networkUsers(try allSummaries())[record.id] ?? []
        let members = networkMembers()[record.id] ?? []
        let named = Set(users.map { [$0.name, $0.id] } + members.map { [$0.name, $0.id] }).map { user in
            "name:\"\(user[0])\" id:\"\(user[1].prefix(12))\""
        }
        guard named.isEmpty else {
            throw .conflict(
                "error while removing network: network \(record.name) has active endpoints "
                    + "(\(named.sorted().joined(separator: ", ")))")
        }
    }

    /// Removes the networks with these IDs that no container names by now.
    package func pruneNetworks(_ ids: [String]) throws(EngineError) -> Reclaimed {
        var result = Reclaimed()
        for id in ids {
            do throws(EngineError) {
                guard let name = try networks.load(id)?.name else { continue }
                try removeNetwork(id)
                result.names.append(name)
            } catch .noSuchNetwork {
                continue
            } catch .conflict {
                continue
            } catch {
                result.problems.append("\(error)")
            }
        }
        HostNetworks.removeDead()
        notePrune("network", reclaimed: 0)
        return result
    }

    /// What can be typed for a network.
    package func networkNames() -> [String] {
        let made = (try? networks.all { _ in }) ?? []
        return (PredefinedNetwork.allCases.map(\.rawValue) + (made + foreignRecords()).map(\.name)).sorted()
    }

    /// Where networks without a subnet get theirs.
    var pools: [AddressPool] { configuration.addressPools ?? SubnetPools.usual }

    /// The default network, with the subnet of its bridge where that is up, else what it would get now.
    func standardNetwork(besides others: [NetworkRecord], _ routes: [HostRoute]) -> NetworkRecord {
        var record = PredefinedNetwork.bridge.record(configuration)
        if let bridge = configuration.bridgeAddress {
            var subnet = NetworkRecord.Subnet(bridge.network)
            subnet.gateway = bridge.address
            record.subnets = [subnet]
            return record
        }
        let up = routes.first { $0.interface == PredefinedNetwork.bridgeName && !$0.prefix.isVersion6 }?.prefix
        let taken = others.flatMap { $0.subnets.map(\.prefix) } + routes.map(\.prefix)
        guard let prefix = up ?? SubnetPools.free(in: pools.filter { !$0.base.isVersion6 }, apartFrom: taken) else {
            return record
        }
        var subnet = NetworkRecord.Subnet(prefix)
        subnet.gateway = prefix.address.advanced(by: 1)
        record.subnets = [subnet]
        return record
    }
}
