internal import FoundationEssentials
package import OCI

/// A container's place on a network of CNI's: what takes it back again, whatever has become of the files since.
package struct CNIAttachment: Sendable, Hashable {
    /// The network's name.
    package private(set) var network: String
    package private(set) var container: String
    /// In the container.
    package private(set) var interface: String
    /// The network, as JSON.
    private var configuration: String
    /// What plugins may take of the runtime, as JSON.
    private var capabilities: String
    /// What the last plugin has answered; nil until then.
    package internal(set) var result: String?

    package init(_ network: CNINetwork, container: String, interface: String, _ capabilities: [String: JSONValue]) {
        self.network = network.name
        self.container = container
        self.interface = interface
        configuration = network.text
        self.capabilities = JSONValue.object(capabilities).text
    }

    func described() throws(NetworkError) -> CNINetwork {
        do throws(CNIFault) {
            return try CNINetwork(parsing: Array(configuration.utf8))
        } catch {
            throw .cni("\(error)")
        }
    }

    var offered: [String: JSONValue] { (try? JSONValue(parsing: Array(capabilities.utf8)))?.object ?? [:] }
}

extension CNIAttachment: FieldRecord {
    package static let blank = CNIAttachment()

    private init() { (network, container, interface, configuration, capabilities) = ("", "", "", "", "") }

    package mutating func fields<Coder: FieldCoder>(_ coder: inout Coder) throws(Coder.Failure) {
        try coder.field("network", &network, .required)
        try coder.field("container", &container, .required)
        try coder.field("interface", &interface, .required)
        try coder.field("configuration", &configuration, .required)
        try coder.field("capabilities", &capabilities, .required)
        try coder.field("result", &result)
    }
}

/// What a network of CNI's has given to a container.
package struct CNIResult: Sendable, Hashable {
    /// Version 4 first.
    package private(set) var addresses: [IPPrefix] = []
    package private(set) var gateways: [IPAddress] = []
    package private(set) var mac: MACAddress?
    package private(set) var servers: [IPAddress] = []
    package private(set) var search: [String] = []
    package private(set) var options: [String] = []

    package init(_ attachment: CNIAttachment) {
        guard let text = attachment.result, let value = try? JSONValue(parsing: Array(text.utf8)) else { return }
        let interfaces = value["interfaces"]?.array ?? []
        for address in value["ips"]?.array ?? [] {
            let owner = address["interface"]?.integer.flatMap { Int(exactly: $0) }
            // An address of the host's end is none of the container's.
            if let owner, interfaces.indices.contains(owner), !CNIResult.isInside(interfaces[owner]) { continue }
            guard let prefix = address["address"]?.string.flatMap({ IPPrefix($0) }) else { continue }
            addresses.append(prefix)
            if let gateway = address["gateway"]?.string.flatMap({ IPAddress($0) }) { gateways.append(gateway) }
        }
        addresses = addresses.filter { !$0.isVersion6 } + addresses.filter(\.isVersion6)
        let own = interfaces.first { CNIResult.isInside($0) && $0["name"]?.string == attachment.interface }
        mac = own?["mac"]?.string.flatMap { MACAddress($0) }
        servers = (value["dns"]?["nameservers"]?.strings ?? []).compactMap { IPAddress($0) }
        search = value["dns"]?["search"]?.strings ?? value["dns"]?["domain"]?.string.map { [$0] } ?? []
        options = value["dns"]?["options"]?.strings ?? []
    }

    private static func isInside(_ interface: JSONValue) -> Bool { !(interface["sandbox"]?.string ?? "").isEmpty }
}
