internal import OCI

/// What a new container asked of its networks, settled against those that are there.
extension Engine {
    /// IDs take the place of names; in docker's words where a network is not there, or not to be had as asked.
    func settleEndpoints(_ request: inout RunRequest) throws(EngineError) {
        if case .cni = request.isolation.network { return try settleForeign(&request) }
        guard case .named(let first) = request.isolation.network else {
            guard let endpoint = request.networking?.endpoints.first else { return }
            request.networking?.endpoints = []
            return try Engine.checkWithoutNetwork(endpoint)
        }
        var options = request.networking ?? NetworkOptions()
        if options.endpoints.isEmpty { options.endpoints = [EndpointOptions(network: first)] }
        var damage: EngineError?
        let records = try networks.all { damage = $0 }
        var seen: Set<String> = []
        for index in options.endpoints.indices {
            let name = options.endpoints[index].network
            guard let record = try records.find(name) else { throw damage ?? .noSuchNetwork(name) }
            guard seen.insert(record.id).inserted else {
                throw .invalid("network \"\(ForeignText(name))\" is specified multiple times")
            }
            options.endpoints[index].network = record.id
            try Engine.checkEndpoint(options.endpoints[index], on: record)
        }
        request.networking = options
    }

    private static func refusal(_ network: String, _ why: String) -> EngineError {
        .invalid("invalid config for network \(ForeignText(network)): invalid endpoint settings:\n\(why)")
    }

    /// The default network, the host's and the like have no addresses to choose and no names.
    private static func checkWithoutNetwork(_ endpoint: EndpointOptions) throws(EngineError) {
        if endpoint.address != nil || endpoint.address6 != nil {
            throw refusal(endpoint.network, "user specified IP address is supported on user defined networks only")
        }
        if !endpoint.aliases.isEmpty {
            throw refusal(
                endpoint.network, "network-scoped alias is supported only for containers in user defined networks")
        }
    }

    /// What a container may ask of a network, also of one that it is to be connected to.
    static func checkEndpoint(_ endpoint: EndpointOptions, on record: NetworkRecord) throws(EngineError) {
        for address in [endpoint.address, endpoint.address6].compactMap(\.self) {
            let subnets = record.subnets.filter { $0.isAsked && $0.prefix.isVersion6 == address.isVersion6 }
            if subnets.isEmpty {
                throw refusal(
                    record.name,
                    "user specified IP address is supported only when connecting to networks with user configured "
                        + "subnets")
            }
            guard let subnet = subnets.first(where: { $0.prefix.contains(address) }) else {
                throw refusal(
                    record.name, "no configured subnet or ip-range contain the IP address \(address)")
            }
            let isEdge =
                address == subnet.prefix.address || (!address.isVersion6 && address == subnet.prefix.last)
            if isEdge || address == subnet.gateway || subnet.reserved.values.contains(address) {
                throw .invalid("Address already in use")
            }
        }
    }
}
