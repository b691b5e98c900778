package import OCI

/// What the user asked of a container's networks: flags as typed, checked for form only.
package struct NetworkOptions: Sendable, Hashable {
    /// One for each `--network` of a network that was made; empty in the modes that are none (`IsolationOptions.network`).
    /// The first is the one of `NetworkMode.named`.
    package var endpoints: [EndpointOptions] = []
    package var published: [PortMapping] = []
    /// All ports that the image or `--expose` names (`-P`).
    package var publishesAll = false
    package var exposed: [ContainerPort] = []
    package var dns: DNSOptions = DNSOptions()
    /// `--add-host`: NAME:ADDRESS, with `host-gateway` for the host.
    package var extraHosts: [ExtraHost] = []
    /// On the default network; a named one has it in its endpoint.
    package var mac: MACAddress?

    package init() {}
}

/// resolv.conf(5) of a container; where something is empty it is the configuration's, else the host's.
package struct DNSOptions: Sendable, Hashable {
    package var servers: [IPAddress] = []
    package var search: [String] = []
    package var options: [String] = []

    package init() {}
}

/// A line of a container's hosts(5).
package struct ExtraHost: Sendable, Hashable {
    package var name: String
    /// nil: the host, as the container sees it.
    package var address: IPAddress?

    package init(name: String, address: IPAddress?) {
        self.name = name
        self.address = address
    }
}

/// How a container is to be on one network.
package struct EndpointOptions: Sendable, Hashable {
    /// As typed, then the network's full ID in a record.
    package var network: String
    package var aliases: [String] = []
    package var address: IPAddress?
    package var address6: IPAddress?
    package var mac: MACAddress?

    package init(network: String) { self.network = network }
}
