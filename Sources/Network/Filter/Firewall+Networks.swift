internal import CLinux

/// One network more or less.
extension Firewall {
    /// How often a change is tried anew that somebody else's overtook.
    private static let patience = 10

    /// What is there already is no error.
    package mutating func add(_ network: FirewallNetwork) throws(NetworkError) {
        try onGeneration { (firewall: inout Firewall, generation) throws(NetworkError) in
            let present = try firewall.postrouting(of: network.bridge)
            var batch = FirewallBatch(expecting: generation)
            for group in Firewall.grouped(.inet, network.elements) {
                batch.add(group.elements, to: group.set, group.family)
            }
            // In the place of others, should the network have been another one.
            for rule in present { batch.remove(rule: rule.handle, of: FirewallState.postrouting, .inet) }
            for rule in network.rules { batch.add(rule, to: FirewallState.postrouting, .inet) }
            try firewall.commit(batch)
        }
    }

    /// What is not there is no error.
    package mutating func remove(network bridge: String) throws(NetworkError) {
        let network = FirewallNetwork(bridge: bridge, prefixes: [], isInternal: true)
        do throws(NetworkError) {
            try onGeneration { (firewall: inout Firewall, generation) throws(NetworkError) in
                let present = try firewall.postrouting(of: bridge)
                var batch = FirewallBatch(expecting: generation)
                for rule in present { batch.remove(rule: rule.handle, of: FirewallState.postrouting, .inet) }
                for group in Firewall.grouped(.inet, network.elements) {
                    batch.add(group.elements, to: group.set, group.family)
                    batch.remove(group.elements, from: group.set, group.family)
                }
                try firewall.commit(batch)
            }
        } catch .firewallMissing {
            return
        }
    }

    private mutating func postrouting(of bridge: String) throws(NetworkError) -> [ListedRule] {
        try rules(.inet).filter { $0.chain == FirewallState.postrouting && Rule.owner($0.tag) == bridge }
    }

    /// Between a look at the tables and a change nobody may come.
    private mutating func onGeneration(
        _ body: (inout Firewall, UInt32) throws(NetworkError) -> Void
    ) throws(NetworkError) {
        for _ in 0..<Firewall.patience {
            do throws(NetworkError) {
                return try body(&self, try generation())
            } catch .firewallChanged {
                continue
            }
        }
        throw .firewallChanged
    }
}
