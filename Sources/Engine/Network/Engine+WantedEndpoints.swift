internal import Network
internal import OCI
internal import Sys

/// A network that a container is to be on, and how.
struct WantedEndpoint {
    var network: NetworkRecord
    var options: EndpointOptions
}

extension Engine {
    /// The networks of a container that has some of its own.
    func wantedEndpoints(of record: ContainerRecord) throws(EngineError) -> [WantedEndpoint] {
        let asked = record.request.networking ?? NetworkOptions()
        var result: [WantedEndpoint] = []
        if record.request.isolation.network == .bridge {
            var options = EndpointOptions(network: PredefinedNetwork.bridge.id)
            options.mac = asked.mac
            result.append(WantedEndpoint(network: PredefinedNetwork.bridge.record(configuration), options: options))
        }
        for options in asked.endpoints {
            if options.network == PredefinedNetwork.bridge.id {
                result.append(WantedEndpoint(network: PredefinedNetwork.bridge.record(configuration), options: options))
                continue
            }
            guard let network = try networks.load(options.network) else {
                throw .noSuchNetwork(options.network)
            }
            result.append(WantedEndpoint(network: network, options: options))
        }
        return result
    }

    /// Starts the process that holds the ports; it ends with the container's. Into a user's network it connects from inside,
    /// to the container's own address, so that the container never takes a stranger for itself.
    func holdPorts(
        _ attached: AttachedNetworks, of record: ContainerRecord, pidfd: Int32
    ) throws(EngineError) -> LiveState.Process? {
        guard let ports = attached.ports else { return nil }
        var targets = PortTargets()
        var inside: NetworkNamespace?
        if case .user(let program) = record.request.isolation.network {
            targets.version4 = program.address.flatMap { IPAddress($0) }
            inside = attached.namespace
        } else {
            targets.version4 = attached.addresses.first { !$0.isVersion6 }
            targets.version6 = attached.addresses.first { $0.isVersion6 }
        }
        let holder = try network { () throws(NetworkError) in
            try PortHolder.start(ports, id: record.id, to: targets, pidfd: pidfd, inside: inside)
        }
        return LiveState.Process(pid: holder.pid, startTime: holder.startTime)
    }
}
