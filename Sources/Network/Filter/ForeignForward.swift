internal import CLinux
internal import Glibc
internal import Sys

/// The chains by which iptables(8) decides what the host passes on. Each firewall of the kernel can drop a packet, whatever
/// ours says of it, and docker sets a policy that drops; so what comes from our bridges and goes to them is let through
/// there first. Ours decides on it all the same.
package enum ForeignForward {
    private static let table = "filter"
    private static let chain = "FORWARD"

    /// Lets each bridge's packets through where there are such chains and they do not do so; of the
    /// firewall's network namespace, in which the calling thread must be. Returns the chains that were changed, for people.
    package static func open(
        _ bridges: [String], by firewall: inout Firewall
    ) throws(NetworkError) -> [String] {
        var result: [String] = []
        for family in [RuleTable.Family.four, .six] {
            if try change(
                &firewall, family, { present in bridges.flatMap(marks).filter { present[$0] == nil } }, { _ in [] })
            {
                result.append("\(title(family)) \(table) \(chain)")
            }
            for legacy in LegacyTables.all where legacy.family == family {
                if try legacy.open(bridges) { result.append("\(legacy.program) \(table) \(chain)") }
            }
        }
        return result
    }

    /// Takes back what was said for a bridge; what is not there is no error.
    package static func close(_ bridge: String, by firewall: inout Firewall) throws(NetworkError) {
        let gone = marks(bridge)
        for family in [RuleTable.Family.four, .six] {
            _ = try change(&firewall, family, { _ in [] }, { present in gone.compactMap { present[$0] } })
            for legacy in LegacyTables.all where legacy.family == family { try legacy.close(bridge) }
        }
    }

    private static func title(_ family: RuleTable.Family) -> String { family == .six ? "ip6" : "ip" }

    /// The comments of a bridge's two rules, by which they are found again.
    private static func marks(_ bridge: String) -> [String] { ["runimg: from \(bridge)", "runimg: to \(bridge)"] }

    /// Does what the closures say of what is there; false where that is nothing.
    private static func change(
        _ firewall: inout Firewall, _ family: RuleTable.Family, _ added: ([String: UInt64]) -> [String],
        _ removed: ([String: UInt64]) -> [UInt64]
    ) throws(NetworkError) -> Bool {
        for _ in 0..<10 {
            let generation = try firewall.generation()
            guard let present = try firewall.comments(family, table, chain) else { return false }
            let (new, old) = (added(present), removed(present))
            if new.isEmpty && old.isEmpty { return false }
            var batch = FirewallBatch(expecting: generation)
            for mark in new { batch.insert(rule(mark), mark, family, table, chain) }
            for handle in old { batch.remove(rule: handle, of: chain, table, family) }
            do throws(NetworkError) {
                try firewall.commit(batch)
                return true
            } catch .firewallChanged {
                continue
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
