internal import CLinux
internal import OCI

/// The tables that a state means.
extension FirewallState {
    var tables: [RuleTable] {
        var result = [FirewallState.inet, FirewallState.bridge]
        for network in networks {
            result[0].append(network.elements, network.rules)
        }
        for endpoint in endpoints { result[1].append(endpoint.elements) }
        for port in ports { result[0].append(port.elements) }
        result[0].append(switched.map { ("switched", RuleElement(key: .interface($0))) })
        result[0].append(switched6.map { ("switched6", RuleElement(key: .interface($0))) })
        return result
    }

    static let postrouting = "postrouting"

    private static let inet = RuleTable(
        family: .inet,
        sets: [
            RuleSet(name: "bridges", key: [.interface]),
            RuleSet(name: "internal", key: [.interface]),
            RuleSet(name: "within", key: [.interface, .interface]),
            RuleSet(name: "switched", key: [.interface]),
            RuleSet(name: "switched6", key: [.interface]),
            RuleSet(name: "published4", key: [.transport, .port], value: [.four, .port]),
            RuleSet(name: "published4at", key: [.four, .transport, .port], value: [.four, .port]),
            RuleSet(name: "published6", key: [.transport, .port], value: [.six, .port]),
            RuleSet(name: "published6at", key: [.six, .transport, .port], value: [.six, .port]),
        ],
        chains: [
            RuleChain(
                name: "published",
                rules: [false, true].flatMap { isVersion6 in
                    [true, false].map { isAt in Rule { $0.publish(isVersion6: isVersion6, isAt: isAt) } }
                }),
            RuleChain(
                name: "prerouting", hook: .init(number: 0, priority: -100, type: "nat"), rules: [Rule(leadLocal)]),
            RuleChain(
                name: "output", hook: .init(number: 3, priority: -100, type: "nat"),
                rules: loopbackStays + [Rule(leadLocal)]),
            RuleChain(name: "forward", hook: .init(number: 2, priority: 0, type: "filter"), rules: forward),
            RuleChain(name: postrouting, hook: .init(number: 4, priority: 100, type: "nat"), isUnordered: true),
        ])

    /// What is for one of the host's own addresses may be for a published port.
    private static func leadLocal(_ rule: inout Rule) {
        rule.destinationType()
        rule.compare(withUnsafeBytes(of: UInt32(RTN_LOCAL)) { Array($0) })
        rule.verdict(.jump("published"))
    }

    /// The kernel would have to take loopback addresses in from outside (route_localnet): a process serves these.
    private static let loopbackStays = ["127.0.0.0/8", "::1/128"].compactMap { IPPrefix($0) }.map { prefix in
        Rule {
            $0.version(isVersion6: prefix.isVersion6)
            $0.address(.output, within: prefix)
            $0.verdict(.accept)
        }
    }

    private static let forward: [Rule] = [
        // Other programs' bridges are theirs: docker switches forwarding on for all, and judges by rules of its own.
        Rule { isForOthers(&$0, "switched") },
        Rule { isForOthers(&$0, "switched6") },
        // The host forwards by these interfaces for containers only.
        Rule { becomesNoRouter(&$0, "switched", isVersion6: false) },
        Rule { becomesNoRouter(&$0, "switched6", isVersion6: true) },
        // None of our business.
        Rule {
            $0.interface(.input, isIn: "bridges", false)
            $0.interface(.output, isIn: "bridges", false)
            $0.verdict(.accept)
        },
        Rule {
            $0.isEstablished()
            $0.verdict(.accept)
        },
        // Within a bridge, where br_netfilter shows such packets.
        Rule {
            $0.meta(NFT_META_IIFNAME)
            $0.meta(NFT_META_OIFNAME, to: 4)
            $0.lookup("within")
            $0.verdict(.accept)
        },
        Rule {
            $0.interface(.input, isIn: "internal")
            $0.verdict(.drop)
        },
        Rule {
            $0.interface(.output, isIn: "internal")
            $0.verdict(.drop)
        },
        Rule {
            $0.isPublished()
            $0.verdict(.accept)
        },
        // Networks do not reach each other, and nobody reaches a port that is not published.
        Rule {
            $0.interface(.output, isIn: "bridges")
            $0.verdict(.drop)
        },
    ]

    private static func isForOthers(_ rule: inout Rule, _ set: String) {
        rule.interface(.input, isIn: set)
        rule.interface(.output, isIn: "bridges", false)
        // No link of hardware has a kind, and to ask for it ends the rule.
        rule.meta(NFT_META_OIFKIND)
        rule.compare(.interface("bridge"))
        rule.verdict(.accept)
    }

    private static func becomesNoRouter(_ rule: inout Rule, _ set: String, isVersion6: Bool) {
        rule.version(isVersion6: isVersion6)
        rule.interface(.input, isIn: set)
        rule.interface(.output, isIn: "bridges", false)
        rule.isNew()
        rule.verdict(.drop)
    }
}

extension RuleTable {
    mutating func append(_ elements: [(set: String, element: RuleElement)], _ rules: [Rule] = []) {
        for (name, element) in elements {
            for index in sets.indices where sets[index].name == name { sets[index].elements.insert(element) }
        }
        for index in chains.indices where chains[index].name == FirewallState.postrouting {
            chains[index].rules += rules
        }
    }
}
