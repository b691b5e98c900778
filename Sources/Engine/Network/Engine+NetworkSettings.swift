internal import Network
internal import OCI

extension Engine {
    /// What the configuration says of all networks.
    var networkSettings: NetworkSettings {
        var settings = NetworkSettings()
        settings.mtu = configuration.mtu ?? settings.mtu
        settings.pools = pools.filter { !$0.base.isVersion6 }
        if let bridge = configuration.bridgeAddress {
            var subnet = NetworkRecord.Subnet(bridge.network)
            subnet.gateway = bridge.address
            settings.usual = subnet
        }
        return settings
    }

    /// What a subnet that is chosen now may not overlap: where the host's packets go, and the networks that were made.
    func takenSubnets() throws(EngineError) -> [IPPrefix] {
        HostRoute.all().map(\.prefix) + (try networks.all { _ in }).flatMap { $0.subnets.map(\.prefix) }
    }

    /// A network by its name, its ID or the beginning of that, or the default one.
    func networkRecord(named text: String) throws(EngineError) -> NetworkRecord {
        if text.hasPrefix(NetworkMode.foreignPrefix) {
            throw .invalid(
                "containers come onto networks of CNI's when they are started, by --network \(ForeignText(text))")
        }
        var damage: EngineError?
        let usual = PredefinedNetwork.bridge.record(configuration)
        let all = [usual] + (try networks.all { damage = $0 })
        guard let found = try all.find(text) else { throw damage ?? .noSuchNetwork(text) }
        return found
    }
}
