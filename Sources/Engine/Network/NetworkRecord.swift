package import OCI

/// A network that was made, as `network/ID.json` keeps it, and the default one, which has no file.
package struct NetworkRecord: Sendable, Hashable {
    static let currentVersion = 1

    package var version: Int? = NetworkRecord.currentVersion
    package var id: String
    package var name: String
    /// RFC 3339.
    package var created: String
    package var driver = Driver.bridge
    /// At most one of each version; the first of version 4 where there is one.
    package var subnets: [Subnet] = []
    /// Without a way to the outside and to other networks.
    package var isInternal = false
    package var hasIPv6 = false
    package var labels: [String: String] = [:]
    /// `-o KEY=VALUE`, as docker names them.
    package var options: [String: String] = [:]

    package enum Driver: String, Sendable, Hashable, CaseIterable {
        case bridge, macvlan
        /// One that CNI's files describe: never a record's on disk, but that of an endpoint there.
        case cni
    }

    package init(id: String, name: String, created: String) {
        self.id = id
        self.name = name
        self.created = created
    }

    package struct Subnet: Sendable, Hashable {
        package var prefix: IPPrefix
        package var gateway: IPAddress?
        /// From which containers get their addresses; nil: the whole subnet.
        package var range: IPPrefix?
        /// Addresses that are somebody else's.
        package var reserved: [String: IPAddress] = [:]
        /// By the user: only in such a subnet may a container ask for an address.
        package var isAsked = false

        package init(_ prefix: IPPrefix) { self.prefix = prefix }
    }

    /// The name of its bridge on the host.
    package var bridge: String { options["com.docker.network.bridge.name"] ?? usualBridge }
    var usualBridge: String { "br-\(id.prefix(12))" }
}

/// A container's place on one network while it runs: kept in its entry, so that whoever finds that can take it back.
package struct Endpoint: Sendable, Hashable {
    /// The network's ID.
    package var network: String
    /// Its name when the container was started.
    package var networkName: String
    package var driver: NetworkRecord.Driver
    /// The bridge, or the parent of a macvlan.
    package var link: String
    /// The host's end of the veth pair; nil where there is none.
    package var port: String?
    /// In the container.
    package var interface: String
    package var mac: MACAddress
    /// With the subnets' lengths; version 4 first.
    package var addresses: [IPPrefix]
    package var gateways: [IPAddress]
    package var aliases: [String]
}
