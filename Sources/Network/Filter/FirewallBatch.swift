internal import CLinux

/// A transaction of nf_tables: all of it, or nothing.
struct FirewallBatch {
    private(set) var request = NetlinkRequest()
    private var setCount: UInt32 = 0
    /// Elements in one message, so that their attribute stays below its 64 KiB.
    private static let elementsAtOnce = 400

    /// Without it nft(8) does not show names of interfaces: NFTNL_UDATA_SET_KEYBYTEORDER, four bytes.
    private static let machinesOrder: [UInt8] = [0, 4] + withUnsafeBytes(of: UInt32(1)) { Array($0) }

    /// Refused with ERESTART where the generation is another one by then.
    init(expecting generation: UInt32? = nil) {
        request.message(NFNL_MSG_BATCH_BEGIN) {
            $0.firewallHeader(0, resource: UInt16(NFNL_SUBSYS_NFTABLES))
            if let generation { $0.attribute(NFNL_BATCH_GENID.rawValue, big: generation) }
        }
    }

    /// The messages behind which there is nothing to come.
    var closed: NetlinkRequest {
        var result = request
        result.message(NFNL_MSG_BATCH_END) { $0.firewallHeader(0, resource: UInt16(NFNL_SUBSYS_NFTABLES)) }
        return result
    }

    mutating func message(
        _ type: nf_tables_msg_types, _ flags: Int32 = 0, _ family: RuleTable.Family,
        _ body: (inout NetlinkRequest) -> Void
    ) {
        request.firewall(type, flags, family, body)
    }

    /// Gone afterwards, whether it was there or not.
    mutating func remove(_ family: RuleTable.Family) {
        // Making one that is there does nothing.
        message(NFT_MSG_NEWTABLE, NLM_F_CREATE, family) { $0.attribute(NFTA_TABLE_NAME.rawValue, text: RuleTable.name) }
        message(NFT_MSG_DELTABLE, 0, family) { $0.attribute(NFTA_TABLE_NAME.rawValue, text: RuleTable.name) }
    }

    mutating func add(_ table: RuleTable) {
        let family = table.family
        message(NFT_MSG_NEWTABLE, NLM_F_CREATE, family) { $0.attribute(NFTA_TABLE_NAME.rawValue, text: RuleTable.name) }
        for set in table.sets { add(set, family) }
        for chain in table.chains { add(chain, family) }
        for set in table.sets { add(Array(set.elements), to: set.name, family) }
        for chain in table.chains {
            for rule in chain.rules { add(rule, to: chain.name, family) }
        }
    }

    private mutating func add(_ set: RuleSet, _ family: RuleTable.Family) {
        setCount += 1
        let number = setCount
        message(NFT_MSG_NEWSET, NLM_F_CREATE, family) {
            $0.attribute(NFTA_SET_TABLE.rawValue, text: RuleTable.name)
            $0.attribute(NFTA_SET_NAME.rawValue, text: set.name)
            $0.attribute(NFTA_SET_ID.rawValue, big: number)
            $0.attribute(NFTA_SET_KEY_TYPE.rawValue, big: set.key.number)
            $0.attribute(NFTA_SET_KEY_LEN.rawValue, big: UInt32(set.key.size))
            if set.key.count == 1 { $0.attribute(NFTA_SET_USERDATA.rawValue, FirewallBatch.machinesOrder) }
            if set.value.isEmpty { return }
            $0.attribute(NFTA_SET_FLAGS.rawValue, big: NFT_SET_MAP.rawValue)
            $0.attribute(NFTA_SET_DATA_TYPE.rawValue, big: set.value.number)
            $0.attribute(NFTA_SET_DATA_LEN.rawValue, big: UInt32(set.value.size))
        }
    }

    private mutating func add(_ chain: RuleChain, _ family: RuleTable.Family) {
        message(NFT_MSG_NEWCHAIN, NLM_F_CREATE, family) {
            $0.attribute(NFTA_CHAIN_TABLE.rawValue, text: RuleTable.name)
            $0.attribute(NFTA_CHAIN_NAME.rawValue, text: chain.name)
            guard let hook = chain.hook else { return }
            $0.attribute(NFTA_CHAIN_TYPE.rawValue, text: hook.type)
            // NF_ACCEPT.
            $0.attribute(NFTA_CHAIN_POLICY.rawValue, big: UInt32(1))
            $0.nested(NFTA_CHAIN_HOOK.rawValue) {
                $0.attribute(NFTA_HOOK_HOOKNUM.rawValue, big: hook.number)
                $0.attribute(NFTA_HOOK_PRIORITY.rawValue, big: hook.priority)
            }
        }
    }

    /// At the chain's end.
    mutating func add(_ rule: Rule, to chain: String, _ family: RuleTable.Family) {
        message(NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND, family) {
            $0.attribute(NFTA_RULE_TABLE.rawValue, text: RuleTable.name)
            $0.attribute(NFTA_RULE_CHAIN.rawValue, text: chain)
            $0.attribute(NFTA_RULE_EXPRESSIONS.rawValue | UInt32(NLA_F_NESTED), rule.expressions.bytes)
            $0.attribute(NFTA_RULE_USERDATA.rawValue, rule.tag)
        }
    }

    mutating func remove(rule handle: UInt64, of chain: String, _ family: RuleTable.Family) {
        message(NFT_MSG_DELRULE, 0, family) {
            $0.attribute(NFTA_RULE_TABLE.rawValue, text: RuleTable.name)
            $0.attribute(NFTA_RULE_CHAIN.rawValue, text: chain)
            $0.attribute(NFTA_RULE_HANDLE.rawValue, big: handle)
        }
    }

    /// Those that are there stay; a key with another value is refused.
    mutating func add(_ elements: [RuleElement], to set: String, _ family: RuleTable.Family) {
        change(NFT_MSG_NEWSETELEM, NLM_F_CREATE, elements, set, family)
    }

    /// They have to be there.
    mutating func remove(_ elements: [RuleElement], from set: String, _ family: RuleTable.Family) {
        change(NFT_MSG_DELSETELEM, 0, elements.map { RuleElement(key: $0.key) }, set, family)
    }

    private mutating func change(
        _ type: nf_tables_msg_types, _ flags: Int32, _ elements: [RuleElement], _ set: String,
        _ family: RuleTable.Family
    ) {
        var rest = elements[...]
        while !rest.isEmpty {
            let part = rest.prefix(FirewallBatch.elementsAtOnce)
            rest = rest.dropFirst(part.count)
            message(type, flags, family) {
                $0.attribute(NFTA_SET_ELEM_LIST_TABLE.rawValue, text: RuleTable.name)
                $0.attribute(NFTA_SET_ELEM_LIST_SET.rawValue, text: set)
                $0.nested(NFTA_SET_ELEM_LIST_ELEMENTS.rawValue) { list in
                    for element in part { list.element(element) }
                }
            }
        }
    }
}

extension NetlinkRequest {
    /// struct nfgenmsg.
    mutating func firewallHeader(_ family: UInt8, resource: UInt16 = 0) {
        number(family)
        number(UInt8(0))
        number(resource.bigEndian)
    }

    mutating func firewall(
        _ type: nf_tables_msg_types, _ flags: Int32 = 0, _ family: RuleTable.Family?,
        _ body: (inout NetlinkRequest) -> Void
    ) {
        message(UInt32(NFNL_SUBSYS_NFTABLES) << 8 | type.rawValue, flags) {
            $0.firewallHeader(family?.rawValue ?? 0)
            body(&$0)
        }
    }

    fileprivate mutating func element(_ element: RuleElement) {
        nested(NFTA_LIST_ELEM.rawValue) {
            $0.nested(NFTA_SET_ELEM_KEY.rawValue) { $0.attribute(NFTA_DATA_VALUE.rawValue, element.key) }
            if element.value.isEmpty { return }
            $0.nested(NFTA_SET_ELEM_DATA.rawValue) { $0.attribute(NFTA_DATA_VALUE.rawValue, element.value) }
        }
    }
}
