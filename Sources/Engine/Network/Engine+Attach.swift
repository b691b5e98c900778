internal import Network
internal import OCI
internal import Sys

/// The way of a container onto its networks when it starts, and off them when it has ended.
extension Engine {
    /// Makes the network of a container that is about to start, all of it: what can fail does so before anything runs. What
    /// is made is written into the entry first, so that whoever finds that can take it back. nil where the launch makes the
    /// namespace, or joins another's.
    func attach(_ record: ContainerRecord, _ entry: inout LiveContainer) throws(EngineError) -> AttachedNetworks? {
        switch record.request.isolation.network {
        case .none, .host, .container: return nil
        case .user(let program):
            let address = program.address.flatMap { IPAddress($0) }
            let ports = try bindPorts(record, PortEndpoint(name: record.name, addresses: address.map { [$0] } ?? []))
            let namespace = try network { () throws(NetworkError) in try NetworkNamespace() }
            return AttachedNetworks(namespace, [], ports)
        case .path(let path):
            // Whatever is in it is somebody else's.
            let namespace = try network { () throws(NetworkError) in try NetworkNamespace(at: path) }
            return AttachedNetworks(namespace, [], nil)
        case .cni: return try attachForeign(record, &entry)
        case .bridge, .named: break
        }
        let host = try HostNetworks()
        // From here on nobody removes one of them.
        let wanted = try wantedEndpoints(of: record)
        let kernelServes = configuration.publishMode != .proxy
        let usual = [wanted.first?.network.publishAddress, configuration.publishAddress].lazy.compactMap { $0 }
            .first { !$0.isUnspecified }
        let ports = try bindPorts(
            record, PortEndpoint(name: record.name, isServedByKernel: kernelServes), at: usual)
        // A start that was cut short may have left some.
        if entry.state.endpoints != nil { try release(entry.state, of: record.id, host) }
        let taken = try lease(wanted, for: record, host)
        let firewall: OwnedDescriptor?
        do throws(EngineError) {
            try entry.record(
                taken.map(\.endpoint), in: host.identity, ports?.published, proxies: !kernelServes)
            firewall = try host.admit(entry.state)
            try introduce(record, taken.map(\.endpoint), host)
        } catch {
            _ = try? release(entry.state, of: record.id, host)
            throw error
        }
        let namespace = try plugOrRepair(taken, host, reflects: kernelServes && ports != nil)
        _ = consume host
        return AttachedNetworks(namespace, taken.map(\.endpoint), ports, firewall)
    }

    /// A place that was leased, and the network that it is on.
    struct Lease {
        var endpoint: Endpoint
        var network: ActiveNetwork
    }

    /// Leases a place on each network, or on none.
    func lease(
        _ wanted: [WantedEndpoint], for record: ContainerRecord, _ host: borrowing HostNetworks,
        besides: [Endpoint] = []
    ) throws(EngineError) -> [Lease] {
        var result: [Lease] = []
        var names = besides.map(\.interface)
        do throws(EngineError) {
            for one in wanted {
                let active = try bringUp(one.network, host)
                let interface = Engine.freeInterface(names)
                names.append(interface)
                result.append(try lease(one, active, interface, record, host))
            }
        } catch {
            for lease in result { giveBack(lease.endpoint, of: record.id, host) }
            throw error
        }
        return result
    }

    private func lease(
        _ wanted: WantedEndpoint, _ active: ActiveNetwork, _ interface: String, _ record: ContainerRecord,
        _ host: borrowing HostNetworks
    ) throws(EngineError) -> Lease {
        let holder = live.path(of: record.id)
        let leases = host.leases(active.id)
        var addresses: [IPPrefix] = []
        do throws(NetworkError) {
            for subnet in active.subnets {
                let asked = subnet.prefix.isVersion6 ? wanted.options.address6 : wanted.options.address
                let address = try leases.take(
                    for: holder, from: subnet.range ?? subnet.prefix, reserved: active.reserved(in: subnet),
                    wanted: asked)
                if let prefix = IPPrefix(address, length: subnet.prefix.length) { addresses.append(prefix) }
            }
        } catch {
            for prefix in addresses { try? leases.release(prefix.address, of: holder) }
            throw .network(error)
        }
        let mac = wanted.options.mac ?? MACAddress(of: addresses.first?.address ?? .any4)
        let index = Int(interface.dropFirst(Engine.interfacePrefix.utf8.count)) ?? 0
        let gateways = active.isInternal ? [] : active.subnets.compactMap(\.gateway)
        let endpoint = Endpoint(
            network: active.id, networkName: active.name, driver: active.driver, link: active.link,
            port: active.driver == .bridge ? Engine.portName(record.id, index) : nil, interface: interface, mac: mac,
            addresses: addresses, gateways: gateways, aliases: wanted.options.aliases)
        return Lease(endpoint: endpoint, network: active)
    }

    static let interfacePrefix = "eth"

    private static func freeInterface(_ taken: [String]) -> String {
        for number in 0... where !taken.contains("\(interfacePrefix)\(number)") { return "\(interfacePrefix)\(number)" }
        return interfacePrefix
    }

    /// The host's end of a container's link: at most 15 bytes, and the same whoever asks.
    private static func portName(_ id: String, _ index: Int) -> String {
        "veth\(id.prefix(9))\(String(index, radix: 36).prefix(2))"
    }

    /// The network, up.
    func bringUp(_ record: NetworkRecord, _ host: borrowing HostNetworks) throws(EngineError) -> ActiveNetwork {
        try host.bringUp(record, networkSettings, notice: notice) { () throws(EngineError) in try takenSubnets() }
    }

    /// Makes the container's links. Where that fails since somebody has deleted a bridge, which nobody looks at before, that
    /// is made again.
    private func plugOrRepair(
        _ leases: [Lease], _ host: borrowing HostNetworks, reflects: Bool
    ) throws(EngineError) -> NetworkNamespace {
        do throws(EngineError) {
            return try plug(leases, reflects: reflects)
        } catch {
            var repaired = leases
            var isLost = false
            for (index, lease) in leases.enumerated() where try !isUp(lease.network) {
                isLost = true
                try host.forget(lease.network.id)
                guard let record = try wantedNetwork(lease.network.id) else { throw error }
                repaired[index].network = try bringUp(record, host)
                // It may have got other addresses, since others may have taken its subnet meanwhile.
                if repaired[index].network.subnets != lease.network.subnets { throw error }
            }
            if !isLost { throw error }
            return try plug(repaired, reflects: reflects)
        }
    }

    private func isUp(_ active: ActiveNetwork) throws(EngineError) -> Bool {
        try network { () throws(NetworkError) in
            var socket = try RouteSocket()
            return try socket.link(named: active.link)?.index == active.index
        }
    }

    private func wantedNetwork(_ id: String) throws(EngineError) -> NetworkRecord? {
        let usual = PredefinedNetwork.bridge
        return id == usual.id ? usual.record(configuration) : try networks.load(id)
    }

    /// Makes the container's namespace with its links in it. One whose ports the kernel serves reaches itself by them.
    private func plug(_ leases: [Lease], reflects: Bool) throws(EngineError) -> NetworkNamespace {
        let hasIPv6 = leases.contains { $0.network.hasIPv6 }
        let setups = Engine.setups(of: leases.map(\.endpoint))
        return try network { () throws(NetworkError) in
            try NetworkNamespace { (namespace, socket) throws(NetworkError) in
                try InterfaceSetup.prepareNamespace(hasIPv6: hasIPv6)
                for lease in leases { try Engine.plug(lease, into: namespace, &socket, reflects: reflects) }
                try InterfaceSetup.apply(setups)
            }
        }
    }

    /// The first network that leads anywhere has the default routes.
    static func setups(of endpoints: [Endpoint]) -> [InterfaceSetup] {
        var hasDefault = false
        return endpoints.map { endpoint in
            defer { hasDefault = hasDefault || !endpoint.gateways.isEmpty }
            return InterfaceSetup(
                name: endpoint.interface, addresses: endpoint.addresses,
                gateways: hasDefault ? [] : endpoint.gateways)
        }
    }

    /// Makes one link into a namespace.
    static func plug(
        _ lease: Lease, into namespace: Int32, _ socket: inout RouteSocket, reflects: Bool = false
    ) throws(NetworkError) {
        let (endpoint, network) = (lease.endpoint, lease.network)
        guard let port = endpoint.port else {
            return try socket.makeMacvlan(
                MacvlanDescription(
                    parent: endpoint.link, mode: network.mode.flatMap { .init(rawValue: $0) } ?? .bridge,
                    namespace: namespace, interface: endpoint.interface, mac: endpoint.mac))
        }
        try socket.makePort(
            PortDescription(
                name: port, bridge: endpoint.link, index: network.index, mtu: network.mtu,
                namespace: namespace, interface: endpoint.interface, mac: endpoint.mac,
                isIsolated: !network.allowsPeers, reflects: reflects))
    }
}
