internal import CLinux
package import OCI

/// A network interface of the kernel.
package struct Link: Sendable, Hashable {
    package let index: Int32
    package let name: String
    /// `bridge`, `veth`, `macvlan` …; empty for hardware.
    package let kind: String
    package let mac: MACAddress?
    package let mtu: Int
    /// The index of the bridge that it is a port of.
    package let master: Int32?
    package let isUp: Bool
    package let isLoopback: Bool
    package let alias: String?

    /// Of an RTM_NEWLINK.
    init?(_ reply: NetlinkReply) {
        guard reply.type == UInt16(RTM_NEWLINK), let index: Int32 = reply.payload.number(at: 4),
            let flags: UInt32 = reply.payload.number(at: 8)
        else { return nil }
        let attributes = reply.attributes(after: Link.headerSize)
        guard let name = attributes.text(IFLA_IFNAME) else { return nil }
        let mtu: UInt32? = attributes.number(IFLA_MTU)
        self.index = index
        self.name = name
        kind = attributes.nested(IFLA_LINKINFO).text(IFLA_INFO_KIND) ?? ""
        mac = attributes[IFLA_ADDRESS].flatMap { MACAddress(bytes: Array($0)) }
        self.mtu = Int(mtu ?? 0)
        master = attributes.number(IFLA_MASTER)
        isUp = flags & Link.upFlag != 0
        isLoopback = flags & Link.loopbackFlag != 0
        alias = attributes.text(IFLA_IFALIAS)
    }

    /// struct ifinfomsg.
    static let headerSize = 16
    /// IFF_UP and IFF_LOOPBACK of netdevice(7).
    static let upFlag: UInt32 = 1
    static let loopbackFlag: UInt32 = 8
}

extension NetlinkRequest {
    /// struct ifinfomsg: the link by its index, or by an attribute; with `up` it is set up.
    mutating func linkHeader(_ index: Int32 = 0, up: Bool = false) {
        number(UInt32(0))
        number(index)
        number(up ? Link.upFlag : 0)
        number(up ? Link.upFlag : 0)
    }
}
