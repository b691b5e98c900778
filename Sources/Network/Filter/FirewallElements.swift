internal import OCI

/// What networks, containers and their ports are in the tables' sets and maps, and the rules that only networks have.
extension FirewallNetwork {
    var elements: [(set: String, element: RuleElement)] {
        let name: [UInt8] = .interface(bridge)
        var result = [("bridges", RuleElement(key: name))]
        if isInternal { result.append(("internal", RuleElement(key: name))) }
        if allowsPeers { result.append(("within", RuleElement(key: name + name))) }
        return result
    }

    var rules: [Rule] {
        if isInternal { return [] }
        return prefixes.flatMap { prefix -> [Rule] in
            // A container that reaches another of its bridge by the host's address gets its answers by the host, too.
            let hairpin = Rule(owner: bridge) {
                $0.version(isVersion6: prefix.isVersion6)
                $0.address(.input, within: prefix)
                $0.interface(.output, is: bridge)
                $0.isPublished()
                $0.masquerade()
            }
            let outward = Rule(owner: bridge) {
                $0.version(isVersion6: prefix.isVersion6)
                $0.address(.input, within: prefix)
                $0.interface(.output, is: bridge, false)
                $0.masquerade()
            }
            return masquerades ? [outward, hairpin] : [hairpin]
        }
    }
}

extension FirewallEndpoint {
    var elements: [(set: String, element: RuleElement)] {
        let sender = [UInt8].interface(port) + mac.bytes.words
        var result = [("ports", RuleElement(key: .interface(port)))]
        result += addresses.map { address in
            (address.isVersion6 ? "senders6" : "senders4", RuleElement(key: sender + address.bytes))
        }
        guard addresses.contains(where: \.isVersion6) else { return result }
        // What it has for its link, and nobody's, from which it asks whether it may.
        for own in [linkLocal, IPAddress.any6.bytes] { result.append(("senders6", RuleElement(key: sender + own))) }
        return result
    }

    /// The address that the kernel makes of a hardware address (RFC 4291, appendix A).
    private var linkLocal: [UInt8] {
        let mac = mac.bytes
        return [0xfe, 0x80, 0, 0, 0, 0, 0, 0, mac[0] ^ 2, mac[1], mac[2], 0xff, 0xfe, mac[3], mac[4], mac[5]]
    }
}

extension FirewallPort {
    /// None where the kernel can't lead there: from a loopback address, or from one version to the other.
    var elements: [(set: String, element: RuleElement)] {
        let address = published.address
        if address.isLoopback || address.version != target.version { return [] }
        let transport: UInt8 =
            switch published.port.transport {
            case .tcp: 6
            case .udp: 17
            case .sctp: 132
            }
        func bytes(_ port: UInt16) -> [UInt8] { [UInt8(port >> 8), UInt8(port & 0xff), 0, 0] }
        let key = [transport, 0, 0, 0] + bytes(published.hostPort)
        let value = target.bytes + bytes(published.port.number)
        let map = target.isVersion6 ? "published6" : "published4"
        if address.isUnspecified { return [(map, RuleElement(key: key, value: value))] }
        return [("\(map)at", RuleElement(key: address.bytes + key, value: value))]
    }
}
