internal import Network
internal import OCI
internal import Sys

extension HostNetworks {
    /// Has a network up: as a rule one file says that it is, and what does not hold any more is found by its use.
    ///
    /// - Parameter taken: what a subnet that is chosen now must not overlap.
    func bringUp(
        _ record: NetworkRecord, _ settings: NetworkSettings, notice: (String) -> Void,
        taken: () throws(EngineError) -> [IPPrefix]
    ) throws(EngineError) -> ActiveNetwork {
        if let active = active(record.id), record.subnets.isEmpty || active.subnets == record.subnets { return active }
        HostNetworks.removeDead()
        // Whoever is killed from here on leaves a firewall that has to be looked at.
        try setGeneration(nil)
        var socket = try network { () throws(NetworkError) in try RouteSocket() }
        var active = ActiveNetwork(record, settings)
        if record.subnets.isEmpty {
            if let known = try standing(active.link, &socket) ?? settings.usual {
                active.subnets = [known]
            } else {
                active.subnets = [try free(settings, try taken())]
            }
        }
        if record.driver == .macvlan {
            active.index = try parent(of: record, &socket)
            try save(active)
            try restoreLeases(active.id)
            return active
        }
        let addresses = active.subnets.compactMap { subnet in
            subnet.gateway.flatMap { IPPrefix($0, length: subnet.prefix.length) }
        }
        let bridge = BridgeDescription(
            name: active.link, addresses: addresses, mtu: active.mtu, hasIPv6: active.hasIPv6)
        let made = try network { () throws(NetworkError) in try socket.ensureBridge(bridge) }
        active.index = made.index
        active.isOwn = made.isNew || active.link == record.usualBridge
        try save(active)
        try restoreLeases(active.id)
        if !active.isInternal { try switchForwarding(active, &socket, notice) }
        try rebuild()
        return active
    }

    /// The subnet of a bridge that is there: somebody lost what we had written down of it.
    private func standing(_ bridge: String, _ socket: inout RouteSocket) throws(EngineError) -> NetworkRecord.Subnet? {
        try network { () throws(NetworkError) in
            guard let link = try socket.link(named: bridge) else { return nil }
            guard let address = try socket.addresses(link.index).map(\.prefix).first(where: { !$0.isVersion6 }) else {
                return nil
            }
            var subnet = NetworkRecord.Subnet(address.network)
            subnet.gateway = address.address
            return subnet
        }
    }

    private func free(_ settings: NetworkSettings, _ taken: [IPPrefix]) throws(EngineError) -> NetworkRecord.Subnet {
        guard let prefix = SubnetPools.free(in: settings.pools, apartFrom: taken) else {
            throw .invalid(
                "all predefined address pools have been fully subnetted (\"default-address-pools\" or \"bip\" of the "
                    + "configuration names others)")
        }
        var subnet = NetworkRecord.Subnet(prefix)
        subnet.gateway = prefix.address.advanced(by: 1)
        return subnet
    }

    private func parent(of record: NetworkRecord, _ socket: inout RouteSocket) throws(EngineError) -> Int32 {
        let name = record.parent ?? ""
        let link = try network { () throws(NetworkError) in try socket.link(named: name) }
        guard let link else {
            throw .invalid("network \(record.name): its parent interface \"\(name)\" is not there (-o parent=NAME)")
        }
        return link.index
    }

    /// Written down before it is done: with the firewall that is made next, the host forwards for nobody else.
    private func switchForwarding(
        _ active: ActiveNetwork, _ socket: inout RouteSocket, _ notice: (String) -> Void
    ) throws(EngineError) {
        let bridges = Set(allActive().filter { $0.driver == .bridge && !$0.isInternal }.map(\.link))
        let changed = try network { () throws(NetworkError) in
            try Forwarding.needed(bridges: bridges, hasIPv6: active.hasIPv6, by: &socket)
        }
        try noteSwitched(changed.switched, changed.switched6)
        try network { () throws(NetworkError) in try changed.enable() }
        if !changed.switched.isEmpty {
            notice(
                "IPv4 forwarding is switched on between \(active.link) and \(changed.switched.joined(separator: ", ")); "
                    + "the firewall keeps it to containers")
        }
        if !changed.switched6.isEmpty { notice("IPv6 forwarding is switched on, for network \(active.name)") }
    }

    /// Takes a network's bridge away, which nobody is on; one that was there before us stays. What says that it is up goes
    /// last, so that a removal that was killed can be done again.
    func takeDown(_ record: NetworkRecord) throws(EngineError) {
        let active = active(record.id)
        if record.driver == .bridge, isHere() {
            try setGeneration(nil)
            let bridge = active?.link ?? record.bridge
            if active != nil || bridge == record.usualBridge {
                try remove(bridge, isOwn: active?.isOwn ?? true)
                try forget(record.id)
                if active != nil { try rebuild() }
            }
        }
        try call("remove", directory(record.id)) { () throws(Errno) in try Directory.removeTree(directory(record.id)) }
    }
}

extension HostNetworks {
    private func remove(_ bridge: String, isOwn: Bool) throws(EngineError) {
        try network { () throws(NetworkError) in
            var socket = try RouteSocket()
            // Never up, or removed before somebody was killed.
            guard try socket.link(named: bridge) != nil else { return }
            var firewall = try Firewall()
            try ForeignForward.close(bridge, by: &firewall)
            if isOwn { try socket.deleteLink(named: bridge) }
        }
    }

    private func rebuild() throws(EngineError) {
        var firewall = try network { () throws(NetworkError) in try Firewall() }
        try rebuild(&firewall)
    }
}

/// What the configuration says of all networks.
struct NetworkSettings {
    var mtu = 1500
    var pools = SubnetPools.usual
    /// Of the default network.
    var usual: NetworkRecord.Subnet?
}

extension ActiveNetwork {
    /// As a record and the settings want it, before it is up.
    init(_ record: NetworkRecord, _ settings: NetworkSettings) {
        self.init(
            id: record.id, name: record.name, driver: record.driver,
            link: record.driver == .macvlan ? record.parent ?? "" : record.bridge, index: 0,
            mtu: record.mtu ?? settings.mtu, subnets: record.subnets, isInternal: record.isInternal,
            masquerades: record.masquerades, allowsPeers: record.connectsContainers,
            mode: record.options[NetworkOptionKey.macvlanMode])
    }
}

/// Runs `body`; its failure becomes the engine's.
func network<T: ~Copyable>(_ body: () throws(NetworkError) -> T) throws(EngineError) -> T {
    do throws(NetworkError) {
        return try body()
    } catch {
        throw .network(error)
    }
}
