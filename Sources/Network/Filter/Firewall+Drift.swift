/// What somebody changed in our tables.
extension Firewall {
    /// Where the tables are not what the state means, in sentences for people; empty where they are.
    package mutating func drift(from state: FirewallState) throws(NetworkError) -> [String] {
        var result: [String] = []
        for table in state.tables {
            guard let isActive = try tableIsActive(table.family) else {
                result.append("table \(table.title) is missing")
                continue
            }
            if !isActive { result.append("table \(table.title) is switched off") }
            let findings = try driftOfChains(table) + (try driftOfSets(table))
            result += findings.map { "table \(table.title): \($0)" }
        }
        return result
    }

    private mutating func driftOfChains(_ table: RuleTable) throws(NetworkError) -> [String] {
        let present = try chains(table.family)
        let rules = try rules(table.family)
        var result = present.keys.sorted().filter { name in !table.chains.contains { $0.name == name } }.map {
            "chain \($0) is not ours"
        }
        for chain in table.chains {
            guard let hook = present[chain.name] else {
                result.append("chain \(chain.name) is missing")
                continue
            }
            if hook != chain.hook { result.append("chain \(chain.name) is entered elsewhere or has another policy") }
            var wanted = chain.rules.map(\.tag)
            var found = rules.filter { $0.chain == chain.name }.map(\.tag)
            if chain.isUnordered {
                wanted.sort { $0.lexicographicallyPrecedes($1) }
                found.sort { $0.lexicographicallyPrecedes($1) }
            }
            if wanted.count != found.count {
                result.append("chain \(chain.name) has \(found.count) rules in place of \(wanted.count)")
            } else if wanted != found {
                result.append("chain \(chain.name) has other rules, or in another order")
            }
        }
        return result
    }

    private mutating func driftOfSets(_ table: RuleTable) throws(NetworkError) -> [String] {
        let present = try sets(table.family)
        var result = present.keys.sorted().filter { name in !table.sets.contains { $0.name == name } }.map {
            "set \($0) is not ours"
        }
        for set in table.sets {
            guard let sizes = present[set.name] else {
                result.append("set \(set.name) is missing")
                continue
            }
            guard sizes == [UInt32(set.key.size), UInt32(set.value.size)] else {
                result.append("set \(set.name) is of another type")
                continue
            }
            let found = Set(try elements(of: set.name, table.family))
            let lacks = set.elements.subtracting(found).count
            let more = found.subtracting(set.elements).count
            if lacks > 0 { result.append("set \(set.name) lacks \(lacks) of its \(set.elements.count) elements") }
            if more > 0 { result.append("set \(set.name) has \(more) elements too many") }
        }
        return result
    }
}
