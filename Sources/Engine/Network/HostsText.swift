package import OCI

/// Another container in a container's hosts(5). What stands behind the line tells by whom it was written and for whom.
package struct PeerLine: Sendable, Hashable {
    package var address: IPAddress
    package var names: [String]
    /// IDs.
    package var network: String
    package var container: String

    package init(address: IPAddress, names: [String], network: String, container: String) {
        self.address = address
        self.names = names
        self.network = network
        self.container = container
    }

    static func mark(container: String, network: String) -> String {
        " # runimg \(network.prefix(12))/\(container.prefix(12))"
    }

    /// With its end.
    var text: String {
        HostsText.line(address, names) + PeerLine.mark(container: container, network: network) + "\n"
    }
}

/// The text of a container's hosts(5).
struct HostsText {
    static let standard = """
        127.0.0.1\tlocalhost
        ::1\tlocalhost ip6-localhost ip6-loopback
        fe00::0\tip6-localnet
        ff00::0\tip6-mcastprefix
        ff02::1\tip6-allnodes
        ff02::2\tip6-allrouters

        """

    var base = HostsText.standard
    var extra: [ExtraHost] = []
    /// What `host-gateway` stands for; nil: nothing is written for it.
    var gateway: IPAddress?
    var addresses: [IPAddress] = []
    /// The container's own.
    var names: [String] = []
    var peers: [PeerLine] = []

    /// Whether a word can stand in a line without becoming another thing: a name is not checked everywhere it comes from.
    static func isName(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { $0 > 0x20 && $0 != 0x7f && $0 != UInt8(ascii: "#") }
    }

    static func line(_ address: IPAddress, _ names: [String]) -> String {
        "\(address)\t\(names.filter(isName).joined(separator: " "))"
    }

    var text: String {
        var result = base
        if !result.isEmpty, !result.hasSuffix("\n") { result += "\n" }
        for host in extra {
            guard let address = host.address ?? gateway, HostsText.isName(host.name) else { continue }
            result += HostsText.line(address, [host.name]) + "\n"
        }
        if !names.isEmpty { for address in addresses { result += HostsText.line(address, names) + "\n" } }
        return result + peers.map(\.text).joined()
    }
}
