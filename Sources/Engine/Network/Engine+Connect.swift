internal import Network
internal import OCI
internal import Sys

extension Engine {
    /// Puts a container onto one more network: one that runs at once, any other with its next start.
    package func connectNetwork(
        _ name: String, container: String, _ options: EndpointOptions
    ) throws(EngineError) {
        let found = try self.container(named: container)
        let network = try networkRecord(named: name)
        try containers.locked(found.id) { () throws(EngineError) in
            var record = try containers.load(found.id)
            var settled = options
            settled.network = network.id
            try checkConnection(record, network, settled)
            var networking = record.request.networking ?? NetworkOptions()
            if record.request.isolation.network == .none {
                // Its namespace was its own all the time.
                record.request.isolation.network = .named(network.name)
            }
            networking.endpoints.append(settled)
            record.request.networking = networking
            if condition(of: record).isRunning {
                try connectLive(record, WantedEndpoint(network: network, options: settled))
            }
            do throws(EngineError) {
                try containers.save(record)
            } catch {
                try? disconnectLive(record, network.id)
                throw error
            }
            noteNetwork("connect", network, container: record.id)
        }
    }

    private func checkConnection(
        _ record: ContainerRecord, _ network: NetworkRecord, _ options: EndpointOptions
    ) throws(EngineError) {
        switch record.request.isolation.network {
        case .host:
            throw .conflict("container cannot be disconnected from host network or connected to host network")
        case .container, .path:
            throw .conflict(
                "container sharing network namespace with another container or host cannot be connected to any other "
                    + "network")
        case .cni:
            throw .conflict("a container on networks of CNI's can be connected to no other network")
        case .user:
            throw .conflict("a container without root has one network for good; networks that are made need root")
        case .none, .bridge, .named: break
        }
        if networkIDs(of: record).contains(network.id) {
            throw .conflict(
                "endpoint with name \(record.name) already exists in network \(network.name)")
        }
        try Engine.checkEndpoint(options, on: network)
    }

    /// The networks that a container is on when it runs.
    func networkIDs(of record: ContainerRecord) -> [String] {
        let usual = record.request.isolation.network == .bridge ? [PredefinedNetwork.bridge.id] : []
        return usual + (record.request.networking?.endpoints.map(\.network) ?? [])
    }

    private func connectLive(_ record: ContainerRecord, _ wanted: WantedEndpoint) throws(EngineError) {
        let process = try process(of: record)
        let pidfd = process.pidfd.raw
        let inside = try network { () throws(NetworkError) in try NetworkNamespace(of: pidfd) }
        let host = try HostNetworks()
        guard var state = live.state(of: record.id), state.networkNamespace ?? host.identity == host.identity else {
            throw .conflict("container \(record.name) is in another network namespace of the host than this command")
        }
        let before = state.endpoints ?? []
        guard let lease = try lease([wanted], for: record, host, besides: before).first else { return }
        do throws(EngineError) {
            state.endpoints = before + [lease.endpoint]
            state.networkNamespace = host.identity
            try live.update(record.id, state)
            var only = state
            only.endpoints = [lease.endpoint]
            only.published = nil
            _ = try host.admit(only)
            try Engine.plug(lease, into: inside, Array(Engine.setups(of: state.endpoints ?? []).suffix(1)))
            try meet(record, lease.endpoint, host)
        } catch {
            take(lease.endpoint, from: record.id, &state, host)
            throw error
        }
    }

    private static func plug(
        _ lease: Lease, into inside: NetworkNamespace, _ setups: [InterfaceSetup]
    ) throws(EngineError) {
        let hasIPv6 = lease.network.hasIPv6
        try network { () throws(NetworkError) in
            // Of the interfaces that come from here on.
            try inside.perform { () throws(NetworkError) in try InterfaceSetup.prepareNamespace(hasIPv6: hasIPv6) }
            var socket = try RouteSocket()
            try plug(lease, into: inside.descriptor, &socket)
            try inside.perform { () throws(NetworkError) in try InterfaceSetup.apply(setups) }
        }
    }

    /// Takes a container off a network.
    package func disconnectNetwork(_ name: String, container: String, force: Bool) throws(EngineError) {
        let found = try self.container(named: container)
        let network = try networkRecord(named: name)
        try containers.locked(found.id) { () throws(EngineError) in
            var record = try containers.load(found.id)
            if record.request.isolation.network == .host {
                throw .conflict("container cannot be disconnected from host network or connected to host network")
            }
            guard networkIDs(of: record).contains(network.id) else {
                throw .conflict("container \(record.id) is not connected to network \(network.name)")
            }
            if condition(of: record).isRunning { try disconnectLive(record, network.id) }
            record.request.networking?.endpoints.removeAll { $0.network == network.id }
            let rest = record.request.networking?.endpoints ?? []
            if network.id == PredefinedNetwork.bridge.id || rest.isEmpty {
                record.request.isolation.network =
                    try rest.first.map { one throws(EngineError) in .named(try networkRecord(named: one.network).name) }
                    ?? .none
            }
            try containers.save(record)
            noteNetwork("disconnect", network, container: record.id)
        }
    }

    private func disconnectLive(_ record: ContainerRecord, _ network: String) throws(EngineError) {
        guard var state = live.state(of: record.id), let namespace = state.networkNamespace,
            let endpoint = state.endpoints?.first(where: { $0.network == network })
        else { return }
        let host = try HostNetworks(identity: namespace)
        let path = containers.directory(record.id) + "/hosts"
        for container in peerLines(on: network, host).map(\.container) + [record.id] {
            try NetworkHosts.remove(container: container, network: network, from: path)
        }
        take(endpoint, from: record.id, &state, host)
        try leadOutAnew(record, state.endpoints ?? [])
    }

    /// The way outward was the one that is gone: the next network has one, too.
    private func leadOutAnew(_ record: ContainerRecord, _ rest: [Endpoint]) throws(EngineError) {
        guard rest.contains(where: { !$0.gateways.isEmpty }), let process = try? process(of: record) else { return }
        let setups = Engine.setups(of: rest)
        let pidfd = process.pidfd.raw
        try network { () throws(NetworkError) in
            let inside = try NetworkNamespace(of: pidfd)
            try inside.perform { () throws(NetworkError) in try InterfaceSetup.apply(setups) }
        }
    }

    /// Undoes a place on a network while the container goes on.
    private func take(
        _ endpoint: Endpoint, from id: String, _ state: inout LiveState, _ host: borrowing HostNetworks
    ) {
        var gone = state
        gone.endpoints = [endpoint]
        gone.published = state.published?.filter { port in
            endpoint.addresses.contains { $0.address.version == port.address.version }
        }
        _ = try? host.expel(gone)
        if let port = endpoint.port, host.isHere() {
            try? network { () throws(NetworkError) in
                var socket = try RouteSocket()
                try socket.deleteLink(named: port)
            }
        }
        dismiss(id, endpoint, host)
        giveBack(endpoint, of: id, host)
        state.endpoints?.removeAll { $0.network == endpoint.network }
        try? live.update(id, state)
    }

    /// Tells a container that runs and the others of a network of each other.
    private func meet(_ record: ContainerRecord, _ endpoint: Endpoint, _ host: borrowing HostNetworks)
        throws(EngineError)
    {
        let path = containers.directory(record.id) + "/hosts"
        let others = peerLines(on: endpoint.network, host).filter { $0.container != record.id }
        for line in Engine.lines(of: record, endpoint) + others { try NetworkHosts.add(line, to: path) }
        try announce(record, endpoint, host)
    }
}
