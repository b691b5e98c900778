internal import CLinux
internal import Glibc
package import OCI

extension RouteSocket {
    /// The addresses of one link, or of all, without those that the kernel makes itself for the link.
    package mutating func addresses(_ index: Int32? = nil) throws(NetworkError) -> [(link: Int32, prefix: IPPrefix)] {
        var question = NetlinkRequest()
        question.message(RTM_GETADDR) { $0.addressHeader(AF_UNSPEC, length: 0, link: index ?? 0) }
        return try dump("addresses", question).compactMap { reply -> (link: Int32, prefix: IPPrefix)? in
            guard reply.type == UInt16(RTM_NEWADDR), let length: UInt8 = reply.payload.number(at: 1),
                let link: Int32 = reply.payload.number(at: 4)
            else { return nil }
            let attributes = reply.attributes(after: 8)
            // With a peer, IFA_ADDRESS is that one's.
            guard let bytes = attributes[IFA_LOCAL] ?? attributes[IFA_ADDRESS], let address = IPAddress(bytes: bytes),
                !(address.isVersion6 && address.isLinkLocal), let prefix = IPPrefix(address, length: Int(length))
            else { return nil }
            return (link, prefix)
        }.filter { index == nil || $0.link == index }
    }

    /// Where packets can go, both versions and all tables but the kernel's local one: without default routes.
    package mutating func routes() throws(NetworkError) -> [IPPrefix] {
        var question = NetlinkRequest()
        question.message(RTM_GETROUTE) { request in
            for _ in 0..<3 { request.number(UInt32(0)) }
        }
        return try dump("routes", question).compactMap { reply in
            guard reply.type == UInt16(RTM_NEWROUTE), let family: UInt8 = reply.payload.number(at: 0),
                let length: UInt8 = reply.payload.number(at: 1), let table: UInt8 = reply.payload.number(at: 4),
                let type: UInt8 = reply.payload.number(at: 7)
            else { return nil }
            let isOther = table == UInt8(RT_TABLE_LOCAL.rawValue) || type == UInt8(RTN_MULTICAST)
            guard !isOther, length > 0, [UInt8(AF_INET), UInt8(AF_INET6)].contains(family) else { return nil }
            let attributes = reply.attributes(after: 12)
            guard let bytes = attributes[RTA_DST.rawValue], let address = IPAddress(bytes: bytes) else { return nil }
            return IPPrefix(address, length: Int(length))
        }
    }
}

extension NetlinkRequest {
    /// struct ifaddrmsg.
    mutating func addressHeader(_ family: Int32, length: Int, flags: UInt32 = 0, link: Int32) {
        number(UInt8(family))
        number(UInt8(length))
        number(UInt8(truncatingIfNeeded: flags))
        number(UInt8(RT_SCOPE_UNIVERSE.rawValue))
        number(link)
    }

    /// Gives a link an address, or leaves it that it has. One of version 6 is usable at once, without a look for others
    /// that have it.
    mutating func addAddress(_ prefix: IPPrefix, to link: Int32) {
        let family = prefix.isVersion6 ? AF_INET6 : AF_INET
        message(RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE) {
            let flags = prefix.isVersion6 ? UInt32(IFA_F_NODAD) : 0
            $0.addressHeader(family, length: prefix.length, flags: flags, link: link)
            $0.attribute(IFA_LOCAL, prefix.address.bytes)
            $0.attribute(IFA_ADDRESS, prefix.address.bytes)
            if !prefix.isVersion6, prefix.length < 31 { $0.attribute(IFA_BROADCAST, prefix.last.bytes) }
        }
    }

    /// The default route, in place of another.
    mutating func addDefaultRoute(by gateway: IPAddress, link: Int32) {
        message(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE) {
            $0.number(UInt8(gateway.isVersion6 ? AF_INET6 : AF_INET))
            // struct rtmsg: lengths of destination and source, type of service.
            for _ in 0..<3 { $0.number(UInt8(0)) }
            $0.number(UInt8(RT_TABLE_MAIN.rawValue))
            $0.number(UInt8(RTPROT_BOOT))
            $0.number(UInt8(RT_SCOPE_UNIVERSE.rawValue))
            $0.number(UInt8(RTN_UNICAST))
            $0.number(UInt32(0))
            $0.attribute(RTA_GATEWAY.rawValue, gateway.bytes)
            $0.attribute(RTA_OIF.rawValue, number: link)
        }
    }
}
