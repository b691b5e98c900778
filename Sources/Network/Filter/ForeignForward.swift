internal import CLinux
internal import Glibc
internal import Sys

/// The chains by which others decide what the host passes on: those of iptables(8), and firewalld's. Each firewall of the
/// kernel can drop a packet, whatever ours says of it, and docker sets a policy that drops; so what comes from our bridges
/// and goes to them is let through there first. Ours decides on it all the same.
package enum ForeignForward {
    private struct Chain {
        let family: RuleTable.Family
        let table: String
        let name: String

        var title: String { "\(family == .six ? "ip6" : family == .inet ? "inet" : "ip") \(table) \(name)" }
    }

    private static let chains = [
        Chain(family: .four, table: "filter", name: "FORWARD"), Chain(family: .six, table: "filter", name: "FORWARD"),
        Chain(family: .inet, table: "firewalld", name: "filter_FORWARD"),
    ]

    /// Lets each bridge's packets through where there are such chains and they do not do so; of the
    /// firewall's network namespace, in which the calling thread must be. Returns the chains that were changed, for people.
    package static func open(
        _ bridges: [String], by firewall: inout Firewall
    ) throws(NetworkError) -> [String] {
        var result: [String] = []
        for chain in chains {
            let isChanged = try change(
                &firewall, chain, { present in bridges.flatMap(marks).filter { present[$0] == nil } }, { _ in [] })
            if isChanged { result.append(chain.title) }
        }
        for legacy in LegacyTables.all where try legacy.open(bridges) {
            result.append("\(legacy.program) filter FORWARD")
        }
        return result
    }

    /// Takes back what was said for a bridge; what is not there is no error.
    package static func close(_ bridge: String, by firewall: inout Firewall) throws(NetworkError) {
        let gone = marks(bridge)
        for chain in chains {
            _ = try change(&firewall, chain, { _ in [] }, { present in gone.compactMap { present[$0] } })
        }
        for legacy in LegacyTables.all { try legacy.close(bridge) }
    }

    /// The comments of a bridge's two rules, by which they are found again.
    private static func marks(_ bridge: String) -> [String] { ["runimg: from \(bridge)", "runimg: to \(bridge)"] }

    /// Does what the closures say of what is there; false where that is nothing, or the table's owner lets nobody.
    private static func change(
        _ firewall: inout Firewall, _ chain: Chain, _ added: ([String: UInt64]) -> [String],
        _ removed: ([String: UInt64]) -> [UInt64]
    ) throws(NetworkError) -> Bool {
        for _ in 0..<10 {
            let generation = try firewall.generation()
            guard let present = try firewall.comments(chain.family, chain.table, chain.name) else { return false }
            let (new, old) = (added(present), removed(present))
            if new.isEmpty && old.isEmpty { return false }
            var batch = FirewallBatch(expecting: generation)
            for mark in new { batch.insert(rule(mark), mark, chain.family, chain.table, chain.name) }
            for handle in old { batch.remove(rule: handle, of: chain.name, chain.table, chain.family) }
            do throws(NetworkError) {
                try firewall.commit(batch)
                return true
            } catch .firewallChanged {
                continue
            } catch .kernel(let refusal) where chain.family == .inet && refusal.errno == .notPermitted {
                // firewalld 2 owns its table (NFT_TABLE_F_OWNER).
                return false
            }
        }
        throw .firewallChanged
    }

    /// As iptables(8) writes it, so that it can read it.
    private static func rule(_ mark: String) -> Rule {
        let words = mark.split(separator: " ")
        return Rule {
            $0.meta(words[1] == "from" ? NFT_META_IIFNAME : NFT_META_OIFNAME)
            $0.compare(Array(words[2].utf8) + [0])
            $0.count()
            $0.verdict(.accept)
        }
    }
}

extension Firewall {
    /// The rules of somebody's chain that have a comment, with their handles; nil where there is no such chain.
    fileprivate mutating func comments(
        _ family: RuleTable.Family, _ table: String, _ chain: String
    ) throws(NetworkError) -> [String: UInt64]? {
        var question = NetlinkRequest()
        question.firewall(NFT_MSG_GETCHAIN, 0, family) {
            $0.attribute(NFTA_CHAIN_TABLE.rawValue, text: table)
            $0.attribute(NFTA_CHAIN_NAME.rawValue, text: chain)
        }
        do throws(NetworkError) {
            _ = try ask(question)
        } catch .firewallMissing {
            return nil
        }
        var list = NetlinkRequest()
        list.firewall(NFT_MSG_GETRULE, 0, family) {
            $0.attribute(NFTA_RULE_TABLE.rawValue, text: table)
            $0.attribute(NFTA_RULE_CHAIN.rawValue, text: chain)
        }
        var result: [String: UInt64] = [:]
        for rule in try dump(list) where rule.text(NFTA_RULE_CHAIN.rawValue) == chain {
            guard let handle: UInt64 = rule.big(NFTA_RULE_HANDLE.rawValue),
                let comment = Rule.comment(Array(rule[NFTA_RULE_USERDATA.rawValue] ?? []))
            else { continue }
            result[comment] = handle
        }
        return result
    }
}

extension Rule {
    /// NFTNL_UDATA_RULE_COMMENT: a type, a length, the text with its NUL.
    fileprivate static func commented(_ text: String) -> [UInt8] {
        [0, UInt8(text.utf8.count + 1)] + Array(text.utf8) + [0]
    }

    fileprivate static func comment(_ data: [UInt8]) -> String? {
        guard data.count > 2, data[0] == 0, data.count >= 2 + Int(data[1]) else { return nil }
        return String(decoding: data.dropFirst(2).prefix { $0 != 0 }, as: UTF8.self)
    }
}

extension FirewallBatch {
    /// Before all others of the chain.
    fileprivate mutating func insert(
        _ rule: Rule, _ comment: String, _ family: RuleTable.Family, _ table: String, _ chain: String
    ) {
        message(NFT_MSG_NEWRULE, NLM_F_CREATE, family) {
            $0.attribute(NFTA_RULE_TABLE.rawValue, text: table)
            $0.attribute(NFTA_RULE_CHAIN.rawValue, text: chain)
            $0.attribute(NFTA_RULE_EXPRESSIONS.rawValue | UInt32(NLA_F_NESTED), rule.expressions.bytes)
            $0.attribute(NFTA_RULE_USERDATA.rawValue, Rule.commented(comment))
        }
    }

    fileprivate mutating func remove(
        rule handle: UInt64, of chain: String, _ table: String, _ family: RuleTable.Family
    ) {
        message(NFT_MSG_DELRULE, 0, family) {
            $0.attribute(NFTA_RULE_TABLE.rawValue, text: table)
            $0.attribute(NFTA_RULE_CHAIN.rawValue, text: chain)
            $0.attribute(NFTA_RULE_HANDLE.rawValue, big: handle)
        }
    }
}
