internal import CLinux
internal import Glibc

/// A rule as the kernel lists it.
struct ListedRule {
    let chain: String
    let handle: UInt64
    let tag: [UInt8]
}

/// What is in the tables.
extension Firewall {
    mutating func dump(_ request: NetlinkRequest) throws(NetworkError) -> [NetlinkAttributes] {
        do throws(NetlinkRefusal) {
            return try socket.dump(request).map { $0.attributes(after: 4) }
        } catch {
            throw Firewall.meaning(error)
        }
    }

    /// nil where the table is not there, false where it is switched off.
    mutating func tableIsActive(_ family: RuleTable.Family) throws(NetworkError) -> Bool? {
        var request = NetlinkRequest()
        request.firewall(NFT_MSG_GETTABLE, 0, family) { $0.attribute(NFTA_TABLE_NAME.rawValue, text: RuleTable.name) }
        do throws(NetworkError) {
            let flags: UInt32? = try ask(request)?.attributes(after: 4).big(NFTA_TABLE_FLAGS.rawValue)
            return (flags ?? 0) & UInt32(NFT_TABLE_F_DORMANT.rawValue) == 0
        } catch .firewallMissing {
            return nil
        }
    }

    /// In order for each chain.
    mutating func rules(_ family: RuleTable.Family) throws(NetworkError) -> [ListedRule] {
        var request = NetlinkRequest()
        request.firewall(NFT_MSG_GETRULE, 0, family) { $0.attribute(NFTA_RULE_TABLE.rawValue, text: RuleTable.name) }
        return try dump(request).compactMap { rule in
            guard rule.text(NFTA_RULE_TABLE.rawValue) == RuleTable.name,
                let chain = rule.text(NFTA_RULE_CHAIN.rawValue),
                let handle: UInt64 = rule.big(NFTA_RULE_HANDLE.rawValue)
            else { return nil }
            return ListedRule(chain: chain, handle: handle, tag: Array(rule[NFTA_RULE_USERDATA.rawValue] ?? []))
        }
    }

    /// Their names, and how each is entered; one with a policy of its own has no hook here, as none of ours is.
    mutating func chains(_ family: RuleTable.Family) throws(NetworkError) -> [String: RuleChain.Hook?] {
        var request = NetlinkRequest()
        request.firewall(NFT_MSG_GETCHAIN, 0, family) { _ in }
        var result: [String: RuleChain.Hook?] = [:]
        for chain in try dump(request) where chain.text(NFTA_CHAIN_TABLE.rawValue) == RuleTable.name {
            let hook = chain.nested(NFTA_CHAIN_HOOK.rawValue)
            let policy: UInt32? = chain.big(NFTA_CHAIN_POLICY.rawValue)
            var found: RuleChain.Hook?
            if let number: UInt32 = hook.big(NFTA_HOOK_HOOKNUM.rawValue),
                let priority: Int32 = hook.big(NFTA_HOOK_PRIORITY.rawValue), policy == 1
            {
                found = .init(number: number, priority: priority, type: chain.text(NFTA_CHAIN_TYPE.rawValue) ?? "")
            }
            result[chain.text(NFTA_CHAIN_NAME.rawValue) ?? ""] = .some(found)
        }
        return result
    }

    /// Their names and the sizes of keys and values.
    mutating func sets(_ family: RuleTable.Family) throws(NetworkError) -> [String: [UInt32]] {
        var request = NetlinkRequest()
        request.firewall(NFT_MSG_GETSET, 0, family) { $0.attribute(NFTA_SET_TABLE.rawValue, text: RuleTable.name) }
        var result: [String: [UInt32]] = [:]
        for set in try dump(request) where set.text(NFTA_SET_TABLE.rawValue) == RuleTable.name {
            let key: UInt32? = set.big(NFTA_SET_KEY_LEN.rawValue)
            let value: UInt32? = set.big(NFTA_SET_DATA_LEN.rawValue)
            result[set.text(NFTA_SET_NAME.rawValue) ?? ""] = [key ?? 0, value ?? 0]
        }
        return result
    }

    mutating func elements(of set: String, _ family: RuleTable.Family) throws(NetworkError) -> [RuleElement] {
        var request = NetlinkRequest()
        request.firewall(NFT_MSG_GETSETELEM, 0, family) {
            $0.attribute(NFTA_SET_ELEM_LIST_TABLE.rawValue, text: RuleTable.name)
            $0.attribute(NFTA_SET_ELEM_LIST_SET.rawValue, text: set)
        }
        return try dump(request).flatMap { message in
            message.nested(NFTA_SET_ELEM_LIST_ELEMENTS.rawValue).map { item in
                let element = NetlinkAttributes(item.value)
                func bytes(_ type: UInt32) -> [UInt8] {
                    Array(element.nested(type)[NFTA_DATA_VALUE.rawValue] ?? [])
                }
                return RuleElement(
                    key: bytes(NFTA_SET_ELEM_KEY.rawValue), value: bytes(NFTA_SET_ELEM_DATA.rawValue))
            }
        }
    }
}
