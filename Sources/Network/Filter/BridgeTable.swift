internal import CLinux

/// What may leave a container: only what comes from its own addresses, so that none can be taken for another or for the
/// gateway. A bridge learns nothing of what is dropped here.
extension FirewallState {
    static let bridge = RuleTable(
        family: .bridge,
        sets: [
            RuleSet(name: "ports", key: [.interface]),
            RuleSet(name: "senders4", key: [.interface, .mac, .four]),
            RuleSet(name: "senders6", key: [.interface, .mac, .six]),
        ],
        chains: [
            RuleChain(
                name: "prerouting", hook: .init(number: 0, priority: -300, type: "filter"),
                rules: [others, four, arp] + routersWords + [advertisement, six, Rule { $0.verdict(.drop) }])
        ])

    private static let sourceMAC = (Rule.Base.link, 6)

    /// Ports of other bridges, and those of ours that are no container's.
    private static let others = Rule {
        $0.interface(.input, isIn: "ports", false)
        $0.verdict(.accept)
    }

    private static let four = Rule {
        $0.ether(0x0800)
        $0.sender(isVersion6: false, mac: sourceMAC, address: (.network, 12))
        $0.verdict(.accept)
    }

    /// The frame's sender and the one that it speaks of.
    private static let arp = Rule {
        $0.ether(0x0806)
        // Ethernet and version 4, with the lengths that the rest lies behind.
        $0.payload(.network, 0, 6)
        $0.compare([0, 1, 8, 0, 6, 4])
        $0.sender(isVersion6: false, mac: sourceMAC, address: (.network, 14))
        $0.sender(isVersion6: false, mac: (.network, 8), address: (.network, 14))
        $0.verdict(.accept)
    }

    /// ICMPv6 of routers, which no container is: advertisements and redirects.
    private static let routersWords = [134, 137].map { (type: UInt8) in
        Rule {
            $0.neighbourMessage(type)
            $0.verdict(.drop)
        }
    }

    /// A neighbour advertisement speaks of its sender only.
    private static let advertisement = Rule {
        $0.neighbourMessage(136)
        $0.sender(isVersion6: true, mac: sourceMAC, address: (.transport, 8), false)
        $0.verdict(.drop)
    }

    private static let six = Rule {
        $0.ether(0x86dd)
        $0.sender(isVersion6: true, mac: sourceMAC, address: (.network, 8))
        $0.verdict(.accept)
    }
}
