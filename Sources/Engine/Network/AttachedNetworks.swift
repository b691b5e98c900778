internal import Network
internal import OCI
internal import Sys

/// What a container that is being started has of the network: a namespace that its process joins, and the sockets of its
/// published ports until a process of their own holds them.
final class AttachedNetworks {
    let namespace: NetworkNamespace
    let ports: BoundPorts?
    /// None where a program leads outward.
    let endpoints: [Endpoint]

    /// What leads to the container, by whoever serves it.
    let published: [PublishedPort]?
    /// Of the firewall: closed with the start's end, since that may wait for what others have removed there.
    private let firewall: OwnedDescriptor?

    init(
        _ namespace: NetworkNamespace, _ endpoints: [Endpoint], _ ports: BoundPorts?,
        _ firewall: OwnedDescriptor? = nil, servedByOthers: [PublishedPort]? = nil
    ) {
        self.namespace = namespace
        self.endpoints = endpoints
        self.ports = ports
        self.firewall = firewall
        published = ports?.published ?? servedByOthers
    }

    /// The container's own addresses, for its hosts file.
    var addresses: [IPAddress] { endpoints.flatMap { $0.addresses.map(\.address) } }
    var gateway: IPAddress? { endpoints.lazy.compactMap(\.gateways.first).first }
}
