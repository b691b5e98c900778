internal import Network
internal import OCI
internal import Sys

/// The firewall as what is up here needs it.
extension HostNetworks {
    /// The whole of it, by what is written down: networks that are up, and the entries of all who have an address.
    func firewallState() -> FirewallState {
        let networks = allActive()
        var state = FirewallState()
        state.networks = networks.filter { $0.driver == .bridge }.map(\.firewall)
        // Whoever has made the host a router since has made it one for all.
        state.switched = Forwarding.isRouter ? [] : switched()
        state.switched6 = switched(version6: true)
        for holder in holders() {
            guard let entry = LiveContainers.state(at: holder) else { continue }
            state.endpoints += (entry.endpoints ?? []).compactMap(\.firewall)
            state.ports += entry.firewallPorts
        }
        return state
    }

    /// Lets an entry's endpoints and ports through, which are written down by now. Where somebody else has changed the
    /// ruleset since we left it, what is ours is looked at first, and made anew where it differs. Returns the firewall's
    /// socket: to close it may take time, which others need not wait for.
    func admit(_ entry: LiveState) throws(EngineError) -> OwnedDescriptor? {
        let endpoints = (entry.endpoints ?? []).compactMap(\.firewall)
        let ports = entry.firewallPorts
        if endpoints.isEmpty, ports.isEmpty { return nil }
        var firewall = try network { () throws(NetworkError) in try Firewall() }
        for _ in 0..<HostNetworks.patience {
            let now = try network { () throws(NetworkError) in try firewall.generation() }
            if now != generation(), try mend(&firewall) { continue }
            let next: UInt32?
            do throws(NetworkError) {
                next = try firewall.add(endpoints, ports, expecting: now)
            } catch .firewallChanged, .firewallMissing {
                try setGeneration(nil)
                continue
            } catch {
                throw .network(error)
            }
            try forgetDatagrams(ports)
            try setGeneration(next)
            return OwnedDescriptor(firewall.release())
        }
        throw .invalid("somebody else changes this machine's firewall all the time; try again")
    }

    /// How often a start begins again when others change the ruleset meanwhile.
    private static let patience = 50

    /// Whether the ruleset was not as it should be, and is now.
    private func mend(_ firewall: inout Firewall) throws(EngineError) -> Bool {
        let state = firewallState()
        let drift = try network { () throws(NetworkError) in try firewall.drift(from: state) }
        if !drift.isEmpty {
            try rebuild(&firewall)
            return true
        }
        return try network { () throws(NetworkError) in
            try !ForeignForward.open(state.networks.map(\.bridge), by: &firewall).isEmpty
        }
    }

    /// Makes our tables as they should be, whatever is there, and has those of others let our bridges' packets through.
    func rebuild(_ firewall: inout Firewall) throws(EngineError) {
        let state = firewallState()
        let generation = try network { () throws(NetworkError) in
            try firewall.replace(with: state)
            _ = try ForeignForward.open(state.networks.map(\.bridge), by: &firewall)
            return try firewall.generation()
        }
        try setGeneration(generation)
    }

    /// Lets through no more what an entry had. Returns the firewall's socket: to close it takes time, which others need not
    /// wait for.
    func expel(_ entry: LiveState) throws(EngineError) -> OwnedDescriptor? {
        let endpoints = (entry.endpoints ?? []).compactMap(\.firewall)
        let ports = entry.firewallPorts
        if endpoints.isEmpty, ports.isEmpty { return nil }
        // From another namespace its rules can't be changed; whoever comes by there next looks at them.
        guard isHere() else {
            try setGeneration(nil)
            return nil
        }
        var firewall = try network { () throws(NetworkError) in try Firewall() }
        let before = try network { () throws(NetworkError) in try firewall.generation() }
        try network { () throws(NetworkError) in try firewall.remove(endpoints, ports) }
        try forgetDatagrams(ports)
        if before == generation() { try setGeneration(before &+ 1) }
        return OwnedDescriptor(firewall.release())
    }

    /// Datagrams to a port go where the first one of their sender went, until they are forgotten.
    private func forgetDatagrams(_ ports: [FirewallPort]) throws(EngineError) {
        if !ports.contains(where: { $0.published.port.transport == .udp }) { return }
        try network { () throws(NetworkError) in
            var connections = try Connections()
            try connections.forget(ports)
        }
    }
}

extension ActiveNetwork {
    var firewall: FirewallNetwork {
        FirewallNetwork(
            bridge: link, prefixes: subnets.map(\.prefix.network), isInternal: isInternal, masquerades: masquerades,
            allowsPeers: allowsPeers)
    }
}

extension Endpoint {
    /// nil where no bridge of ours is between.
    var firewall: FirewallEndpoint? {
        guard let port else { return nil }
        return FirewallEndpoint(bridge: link, port: port, mac: mac, addresses: addresses.map(\.address))
    }
}

extension LiveState {
    /// The published ports that the kernel leads to the container, to an address of the same version.
    var firewallPorts: [FirewallPort] {
        guard proxiesPorts != true else { return [] }
        let targets = (endpoints ?? []).filter { $0.port != nil }.flatMap { $0.addresses.map(\.address) }
        return (published ?? []).compactMap { port in
            targets.first { $0.version == port.address.version }.map { FirewallPort(port, target: $0) }
        }
    }
}
