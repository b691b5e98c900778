internal import Network
internal import OCI
internal import Sys

/// A network that is up in one network namespace of the host, as `RUN/networks/NAMESPACE/ID/network.json` says.
struct ActiveNetwork: Sendable, Hashable {
    var id: String
    var name: String
    var driver: NetworkRecord.Driver
    /// The bridge, or the parent of a macvlan, and its index (netdevice(7)).
    var link: String
    var index: Int32
    var mtu: Int
    var subnets: [NetworkRecord.Subnet]
    var isInternal: Bool
    var masquerades = true
    var allowsPeers = true
    /// Whether the bridge is ours to delete.
    var isOwn = true
    /// The mode of a macvlan.
    var mode: String?

    var hasIPv6: Bool { subnets.contains { $0.prefix.isVersion6 } }

    /// Addresses that no container gets: the network's own, the gateway, those that were named, the one of broadcasts.
    func reserved(in subnet: NetworkRecord.Subnet) -> Set<IPAddress> {
        var result = Set(subnet.reserved.values)
        if let gateway = subnet.gateway { result.insert(gateway) }
        // Two hosts share a /31 without either (RFC 3021).
        if subnet.prefix.length < subnet.prefix.address.bitCount - 1 {
            result.insert(subnet.prefix.network.address)
            if !subnet.prefix.isVersion6 { result.insert(subnet.prefix.last) }
        }
        return result
    }

    static func decode(_ bytes: [UInt8]) -> ActiveNetwork? { try? ActiveNetwork(reading: bytes) }

    /// As text.
    var encoded: [UInt8] { FieldWriter.line(self) }
}
