internal import Network
internal import OCI
internal import Sys

/// Networks that CNI's files describe, as far as they are the same for all containers.
extension Engine {
    var foreignDirectory: String { configuration.cniConfigurations ?? CNIConfigurations.usual }
    var foreignNetworks: CNIConfigurations { CNIConfigurations(directory: foreignDirectory) }

    var foreignPlugins: [String] { configuration.cniPlugins.map { [$0] } ?? CNIPlugins.usual }

    /// As lists show them. An ID has the name in it and nothing else, so it is the same wherever the file is.
    func foreignRecords() -> [NetworkRecord] {
        if rootless != nil { return [] }
        return foreignNetworks.all().map { entry in
            let name = NetworkMode.foreignPrefix + entry.network.name
            var record = NetworkRecord(id: Engine.foreignID(name), name: name, created: "0001-01-01T00:00:00Z")
            record.driver = .cni
            return record
        }
    }

    private static func foreignID(_ name: String) -> String { Digest.of("runimg's network \(name)".utf8).hex }

    /// What a new container asks of such networks, against what these take.
    func settleForeign(_ request: inout RunRequest) throws(EngineError) {
        var options = request.networking ?? NetworkOptions()
        if options.endpoints.isEmpty {
            options.endpoints = [EndpointOptions(network: request.isolation.network.rawValue)]
        }
        let publishes = !options.published.isEmpty || options.publishesAll
        _ = try foreignNetworks(of: options.endpoints, request.isolation.network, publishes: publishes) { $0 == $1 }
        for index in options.endpoints.indices {
            options.endpoints[index].network = Engine.foreignID(options.endpoints[index].network)
        }
        request.networking = options
    }

    /// The networks as they are now, one for each endpoint; throws for what they do not take.
    private func foreignNetworks(
        of endpoints: [EndpointOptions], _ mode: NetworkMode, publishes: Bool, isNamed: (String, String) -> Bool
    ) throws(EngineError) -> [CNINetwork] {
        var problems: [String] = []
        let all = foreignNetworks.all { problems.append($0) }
        var result: [CNINetwork] = []
        for (index, endpoint) in endpoints.enumerated() {
            let found = all.first { isNamed(NetworkMode.foreignPrefix + $0.network.name, endpoint.network) }
            guard let network = found?.network else {
                let typed = index == 0 ? mode.rawValue : endpoint.network
                // In a record the others go by their IDs.
                let name = ResourceName.isContainerID(typed) ? String(typed.prefix(12)) : "\(ForeignText(typed))"
                throw .network(.noCNINetwork(name, directory: foreignDirectory, problems))
            }
            try Engine.check(endpoint, on: network)
            result.append(network)
        }
        if publishes, !result.contains(where: { $0.takes("portMappings") }) {
            throw .invalid(
                "ports can't be published on network cni:\(result.first?.name ?? ""): none of its plugins has the "
                    + "capability portMappings (the plugin portmap has it)")
        }
        return result
    }

    /// What the user asks must not get lost on the way.
    private static func check(_ endpoint: EndpointOptions, on network: CNINetwork) throws(EngineError) {
        let asked = [
            (endpoint.address != nil || endpoint.address6 != nil, "ips", "an address of one's own"),
            (endpoint.mac != nil, "mac", "a MAC address of one's own"),
            (!endpoint.aliases.isEmpty, "aliases", "an alias"),
        ]
        for (isAsked, capability, what) in asked where isAsked && !network.takes(capability) {
            throw .invalid(
                "\(what) can't be had on network cni:\(network.name): none of its plugins has the capability "
                    + capability)
        }
    }

    /// What is to be made for a start, with nothing of it made.
    func plannedAttachments(
        of record: ContainerRecord, _ published: [PublishedPort]
    ) throws(EngineError) -> [CNIAttachment] {
        let endpoints = record.request.networking?.endpoints ?? []
        let networks = try foreignNetworks(
            of: endpoints, record.request.isolation.network, publishes: !published.isEmpty
        ) {
            Engine.foreignID($0) == $1
        }
        var result: [CNIAttachment] = []
        var isPublished = published.isEmpty
        for (index, network) in networks.enumerated() {
            var offered = Engine.capabilities(endpoints[index], record)
            if !isPublished, network.takes("portMappings") {
                offered["portMappings"] = Engine.mappings(published)
                isPublished = true
            }
            result.append(
                CNIAttachment(
                    network, container: record.id, interface: "\(Engine.interfacePrefix)\(index)", offered))
        }
        return result
    }

    private static func capabilities(_ endpoint: EndpointOptions, _ record: ContainerRecord) -> [String: JSONValue] {
        var result: [String: JSONValue] = [:]
        let names = [record.name] + endpoint.aliases + [record.shortID]
        result["aliases"] = .array(names.map { .string($0) })
        result["mac"] = endpoint.mac.map { .string("\($0)") }
        let addresses = [endpoint.address, endpoint.address6].compactMap(\.self)
        if !addresses.isEmpty { result["ips"] = .array(addresses.map { .string("\($0)") }) }
        return result
    }

    /// As the plugin portmap takes them: one without an address is for both versions.
    private static func mappings(_ published: [PublishedPort]) -> JSONValue {
        let everywhere = published.filter { $0.address.isUnspecified && !$0.address.isVersion6 }
        let needed = published.filter { port in
            !port.address.isUnspecified || !port.address.isVersion6
                || !everywhere.contains { $0.port == port.port && $0.hostPort == port.hostPort }
        }
        return .array(
            needed.map { port in
                var members: [String: JSONValue] = [
                    "hostPort": .number("\(port.hostPort)"), "containerPort": .number("\(port.port.number)"),
                    "protocol": .string(port.port.transport.rawValue),
                ]
                if port.address != .any4 { members["hostIP"] = .string("\(port.address)") }
                return .object(members)
            })
    }

    /// The place on a network that its plugins have given.
    func foreignEndpoint(
        _ attachment: CNIAttachment, _ result: CNIResult, _ options: EndpointOptions
    ) throws(EngineError) -> Endpoint {
        let name = NetworkMode.foreignPrefix + attachment.network
        return Endpoint(
            network: options.network, networkName: name, driver: .cni, link: "", port: nil,
            interface: attachment.interface, mac: result.mac ?? MACAddress(of: .any4), addresses: result.addresses,
            gateways: result.gateways, aliases: options.aliases)
    }
}
