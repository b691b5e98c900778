internal import OCI

/// Where a pull may connect to, known before anything was fetched: ports of its own, and the addresses that
/// `DestinationPolicy` allows for redirects and token servers, whatever the names were.
package struct ConnectionPolicy: Sendable {
    /// Ports of the endpoints and their proxies, https, and DNS over TCP, ascending.
    package let ports: [UInt16]
    private let isLocal: Bool
    private let addresses: Set<HostAddress>

    /// Proxies are those that `environment` names.
    package init(endpoints: [Endpoint], environment: [String: String]) {
        self.init(endpoints: endpoints, proxies: ProxySettings(environment: environment))
    }

    package init(endpoints: [Endpoint], proxies: ProxySettings) {
        var ports: Set<UInt16> = endpoints.isEmpty ? [] : [53, WebURL.Scheme.https.defaultPort]
        for endpoint in endpoints {
            ports.formUnion(endpoint.port.map { [$0] } ?? endpoint.schemes.map(\.defaultPort))
        }
        if !endpoints.isEmpty { ports.formUnion(proxies.ports) }
        self.ports = ports.sorted()
        isLocal = endpoints.contains { HostAddress.isLoopback(host: $0.host) }
        addresses = Set(endpoints.compactMap { HostAddress($0.host) })
    }

    /// Whether a TCP connection to that address, 4 or 16 bytes in network order, may be made.
    package func allows(_ address: [UInt8], port: UInt16) -> Bool {
        guard !ports.isEmpty, address.count == 4 || address.count == 16 else { return false }
        let address = HostAddress(bytes: address)
        if addresses.contains(address) { return true }
        if address.isLinkLocal { return false }
        // The unspecified address is this machine as well.
        let isHere = address.isLoopback || address.bytes.allSatisfy { $0 == 0 }
        return !isHere || isLocal || ports.contains(port)
    }
}
