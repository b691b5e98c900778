internal import CLinux

/// A rule of nf_tables: expressions that are worked off until one does not match. They hand bytes on in registers, here
/// named by their word of four bytes.
struct Rule {
    /// The bridge that it is of, where rules come and go with networks.
    let owner: String
    /// The expressions, encoded.
    private(set) var expressions = NetlinkRequest()

    init(owner: String = "", _ body: (inout Rule) -> Void) {
        self.owner = owner
        body(&self)
    }

    enum Verdict {
        case accept, drop
        case jump(String)
    }

    enum Base: UInt32 {
        case link = 0
        case network = 1
        case transport = 2
    }

    private static func register(_ word: Int) -> UInt32 { NFT_REG32_00.rawValue + UInt32(word) }

    private mutating func expression(_ name: String, _ body: (inout NetlinkRequest) -> Void) {
        expressions.nested(NFTA_LIST_ELEM.rawValue) {
            $0.attribute(NFTA_EXPR_NAME.rawValue, text: name)
            $0.nested(NFTA_EXPR_DATA.rawValue, body)
        }
    }

    mutating func meta(_ key: nft_meta_keys, to word: Int = 0) {
        expression("meta") {
            $0.attribute(NFTA_META_DREG.rawValue, big: Rule.register(word))
            $0.attribute(NFTA_META_KEY.rawValue, big: key.rawValue)
        }
    }

    mutating func payload(_ base: Base, _ offset: Int, _ count: Int, to word: Int = 0) {
        expression("payload") {
            $0.attribute(NFTA_PAYLOAD_DREG.rawValue, big: Rule.register(word))
            $0.attribute(NFTA_PAYLOAD_BASE.rawValue, big: base.rawValue)
            $0.attribute(NFTA_PAYLOAD_OFFSET.rawValue, big: UInt32(offset))
            $0.attribute(NFTA_PAYLOAD_LEN.rawValue, big: UInt32(count))
        }
    }

    mutating func compare(_ bytes: [UInt8], isEqual: Bool = true) {
        expression("cmp") {
            $0.attribute(NFTA_CMP_SREG.rawValue, big: Rule.register(0))
            $0.attribute(NFTA_CMP_OP.rawValue, big: (isEqual ? NFT_CMP_EQ : NFT_CMP_NEQ).rawValue)
            $0.nested(NFTA_CMP_DATA.rawValue) { $0.attribute(NFTA_DATA_VALUE.rawValue, bytes) }
        }
    }

    /// The key is in the first register; a map's value goes there.
    mutating func lookup(_ set: String, isIn: Bool = true, isMap: Bool = false) {
        expression("lookup") {
            $0.attribute(NFTA_LOOKUP_SET.rawValue, text: set)
            $0.attribute(NFTA_LOOKUP_SREG.rawValue, big: Rule.register(0))
            if isMap { $0.attribute(NFTA_LOOKUP_DREG.rawValue, big: Rule.register(0)) }
            if !isIn { $0.attribute(NFTA_LOOKUP_FLAGS.rawValue, big: UInt32(NFT_LOOKUP_F_INV.rawValue)) }
        }
    }

    /// Any of these bits, or none, of what the connection is.
    mutating func connection(_ key: nft_ct_keys, hasAny bits: UInt32, _ expected: Bool = true) {
        expression("ct") {
            $0.attribute(NFTA_CT_DREG.rawValue, big: Rule.register(0))
            $0.attribute(NFTA_CT_KEY.rawValue, big: key.rawValue)
        }
        mask(withUnsafeBytes(of: bits) { Array($0) })
        compare([0, 0, 0, 0], isEqual: !expected)
    }

    mutating func mask(_ bits: [UInt8]) {
        expression("bitwise") {
            $0.attribute(NFTA_BITWISE_SREG.rawValue, big: Rule.register(0))
            $0.attribute(NFTA_BITWISE_DREG.rawValue, big: Rule.register(0))
            $0.attribute(NFTA_BITWISE_LEN.rawValue, big: UInt32(bits.count))
            $0.nested(NFTA_BITWISE_MASK.rawValue) { $0.attribute(NFTA_DATA_VALUE.rawValue, bits) }
            $0.nested(NFTA_BITWISE_XOR.rawValue) {
                $0.attribute(NFTA_DATA_VALUE.rawValue, [UInt8](repeating: 0, count: bits.count))
            }
        }
    }

    /// The kind of the destination's address, as of rtnetlink(7): RTN_LOCAL …
    mutating func destinationType() {
        expression("fib") {
            $0.attribute(NFTA_FIB_DREG.rawValue, big: Rule.register(0))
            $0.attribute(NFTA_FIB_RESULT.rawValue, big: NFT_FIB_RESULT_ADDRTYPE.rawValue)
            $0.attribute(NFTA_FIB_FLAGS.rawValue, big: NFTA_FIB_F_DADDR.rawValue)
        }
    }

    /// To the address in the first register and the port behind it.
    mutating func translateDestination(isVersion6: Bool) {
        expression("nat") {
            $0.attribute(NFTA_NAT_TYPE.rawValue, big: NFT_NAT_DNAT.rawValue)
            $0.attribute(NFTA_NAT_FAMILY.rawValue, big: UInt32(isVersion6 ? 10 : 2))
            $0.attribute(NFTA_NAT_REG_ADDR_MIN.rawValue, big: Rule.register(0))
            $0.attribute(NFTA_NAT_REG_PROTO_MIN.rawValue, big: Rule.register(isVersion6 ? 4 : 1))
        }
    }

    /// Counts, as each rule of iptables(8) does.
    mutating func count() { expression("counter") { _ in } }

    mutating func masquerade() { expression("masq") { _ in } }

    mutating func verdict(_ verdict: Verdict) {
        expression("immediate") {
            $0.attribute(NFTA_IMMEDIATE_DREG.rawValue, big: NFT_REG_VERDICT.rawValue)
            $0.nested(NFTA_IMMEDIATE_DATA.rawValue) {
                $0.nested(NFTA_DATA_VERDICT.rawValue) {
                    switch verdict {
                    // NF_ACCEPT and NF_DROP.
                    case .accept: $0.attribute(NFTA_VERDICT_CODE.rawValue, big: Int32(1))
                    case .drop: $0.attribute(NFTA_VERDICT_CODE.rawValue, big: Int32(0))
                    case .jump(let chain):
                        $0.attribute(NFTA_VERDICT_CODE.rawValue, big: NFT_JUMP.rawValue)
                        $0.attribute(NFTA_VERDICT_CHAIN.rawValue, text: chain)
                    }
                }
            }
        }
    }

    /// What is kept with the rule in the kernel: by it a dump tells the rule, whatever the kernel makes of its bytes. A
    /// part of a type that nft(8) does not know and passes over, with a hash of the expressions and the owner.
    var tag: [UInt8] {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in expressions.bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        let text = withUnsafeBytes(of: hash.bigEndian) { Array($0) } + Array(owner.utf8)
        return [Rule.tagType, UInt8(text.count)] + text
    }

    private static let tagType: UInt8 = 0x72
    private static let hashSize = 8

    /// The owner in a tag; nil where it is none of ours.
    static func owner(_ tag: [UInt8]) -> String? {
        guard tag.count >= 2 + hashSize, tag[0] == tagType else { return nil }
        return String(decoding: tag.dropFirst(2 + hashSize), as: UTF8.self)
    }
}
