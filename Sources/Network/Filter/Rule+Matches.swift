internal import CLinux
internal import OCI

/// What the rules of a host with bridges ask, in terms of the expressions.
extension Rule {
    enum Direction {
        case input, output
        fileprivate var key: nft_meta_keys { self == .input ? NFT_META_IIFNAME : NFT_META_OIFNAME }
    }

    mutating func version(isVersion6: Bool) {
        meta(NFT_META_NFPROTO)
        compare([isVersion6 ? 10 : 2])
    }

    mutating func interface(_ direction: Direction, isIn set: String, _ expected: Bool = true) {
        meta(direction.key)
        lookup(set, isIn: expected)
    }

    mutating func interface(_ direction: Direction, is name: String, _ expected: Bool = true) {
        meta(direction.key)
        compare(.interface(name), isEqual: expected)
    }

    /// Comes from, or goes to, one of the prefix's addresses, whose version was asked for.
    mutating func address(_ direction: Direction, within prefix: IPPrefix) {
        let (size, source) = prefix.isVersion6 ? (16, 8) : (4, 12)
        payload(.network, direction == .input ? source : source + size, size)
        if prefix.length < size * 8 {
            mask((0..<size).map { UInt8(truncatingIfNeeded: 0xff00 >> min(max(prefix.length - $0 * 8, 0), 8)) })
        }
        compare(prefix.network.address.bytes)
    }

    mutating func ether(_ type: UInt16) {
        meta(NFT_META_PROTOCOL)
        compare([UInt8(type >> 8), UInt8(type & 0xff)])
    }

    mutating func isNew() {
        connection(NFT_CT_STATE, hasAny: Rule.establishedOrRelated, false)
    }

    mutating func isEstablished() {
        connection(NFT_CT_STATE, hasAny: Rule.establishedOrRelated)
    }

    /// By one of the published ports.
    mutating func isPublished() {
        connection(NFT_CT_STATUS, hasAny: 1 << 5)
    }

    private static let establishedOrRelated: UInt32 = 2 | 4

    /// Leads to a container by a map of published ports, whose key has the address where `isAt`.
    mutating func publish(isVersion6: Bool, isAt: Bool) {
        version(isVersion6: isVersion6)
        let words = isVersion6 ? 4 : 1
        if isAt { payload(.network, isVersion6 ? 24 : 16, words * 4) }
        meta(NFT_META_L4PROTO, to: isAt ? words : 0)
        payload(.transport, 2, 2, to: isAt ? words + 1 : 1)
        lookup("published\(isVersion6 ? 6 : 4)\(isAt ? "at" : "")", isMap: true)
        translateDestination(isVersion6: isVersion6)
    }

    /// The port, a hardware address and an address are a container's own. Both are `(base, offset)`.
    mutating func sender(isVersion6: Bool, mac: (Base, Int), address: (Base, Int), _ expected: Bool = true) {
        meta(NFT_META_IIFNAME)
        payload(mac.0, mac.1, 6, to: 4)
        payload(address.0, address.1, isVersion6 ? 16 : 4, to: 6)
        lookup(isVersion6 ? "senders6" : "senders4", isIn: expected)
    }

    /// A message of ICMPv6, whatever headers lie before it.
    mutating func neighbourMessage(_ type: UInt8) {
        ether(0x86dd)
        meta(NFT_META_L4PROTO)
        compare([58])
        payload(.transport, 0, 1)
        compare([type])
    }
}
