package import OCI

/// A network as the firewall sees it.
package struct FirewallNetwork: Sendable, Hashable {
    package var bridge: String
    package var prefixes: [IPPrefix]
    /// Nothing leaves it and nothing comes in.
    package var isInternal: Bool
    /// What leaves it comes from the host's own address.
    package var masquerades: Bool
    /// Its containers reach each other (docker's `enable_icc`).
    package var allowsPeers: Bool

    package init(
        bridge: String, prefixes: [IPPrefix], isInternal: Bool = false, masquerades: Bool = true,
        allowsPeers: Bool = true
    ) {
        self.bridge = bridge
        self.prefixes = prefixes
        self.isInternal = isInternal
        self.masquerades = masquerades
        self.allowsPeers = allowsPeers
    }
}

/// A container's place on a bridge: what may come out of it.
package struct FirewallEndpoint: Sendable, Hashable {
    package var bridge: String
    /// The port of the bridge.
    package var port: String
    package var mac: MACAddress
    package var addresses: [IPAddress]

    package init(bridge: String, port: String, mac: MACAddress, addresses: [IPAddress]) {
        self.bridge = bridge
        self.port = port
        self.mac = mac
        self.addresses = addresses
    }
}

/// A port of the host that the kernel leads to a container.
package struct FirewallPort: Sendable, Hashable {
    package var published: PublishedPort
    package var target: IPAddress

    package init(_ published: PublishedPort, target: IPAddress) {
        self.published = published
        self.target = target
    }
}

/// All that the firewall is to do.
package struct FirewallState: Sendable, Hashable {
    package var networks: [FirewallNetwork] = []
    package var endpoints: [FirewallEndpoint] = []
    package var ports: [FirewallPort] = []
    /// Interfaces that forward version 4 only since we said so (`Forwarding`), and those of version 6.
    package var switched: [String] = []
    package var switched6: [String] = []

    package init() {}
}
