internal import CLinux
internal import Glibc
internal import OCI
internal import Sys

/// What the kernel remembers of connections (nf_conntrack), of the network namespace in which the value was made.
package struct Connections: ~Copyable {
    private var socket: NetlinkSocket

    package init() throws(NetworkError) {
        do throws(Errno) {
            socket = try NetlinkSocket(NETLINK_NETFILTER)
        } catch {
            throw .system(SystemFailure("open", "a netlink socket", error))
        }
    }

    /// Has the next packet of each sender to these ports looked at anew. Datagrams have no end that the kernel could see:
    /// a sender that goes on would for ever reach what was there before. To be called when ports of UDP have come or gone.
    package mutating func forget(_ ports: [FirewallPort]) throws(NetworkError) {
        let datagrams = ports.map(\.published).filter { $0.port.transport == .udp }
        for family in [AF_INET, AF_INET6] {
            let wanted = datagrams.filter { $0.address.isVersion6 == (family == AF_INET6) }
            if wanted.isEmpty { continue }
            var request = NetlinkRequest()
            for connection in try all(family) {
                guard wanted.contains(where: connection.leads) else { continue }
                request.connection(IPCTNL_MSG_CT_DELETE, UInt8(family)) {
                    $0.attribute(CTA_TUPLE_ORIG.rawValue | UInt32(NLA_F_NESTED), connection.tuple)
                    $0.attribute(CTA_ID.rawValue, connection.id)
                }
            }
            try delete(request)
        }
    }

    private struct Connection {
        /// As its first packet was sent.
        let tuple: ArraySlice<UInt8>
        let id: ArraySlice<UInt8>
        let destination: IPAddress
        let port: UInt16

        func leads(_ published: PublishedPort) -> Bool {
            published.hostPort == port && (published.address.isUnspecified || published.address == destination)
        }
    }

    /// Those of UDP.
    private mutating func all(_ family: Int32) throws(NetworkError) -> [Connection] {
        var question = NetlinkRequest()
        question.connection(IPCTNL_MSG_CT_GET, UInt8(family)) { _ in }
        do throws(NetlinkRefusal) {
            return try socket.dump(question).compactMap { reply in
                let attributes = reply.attributes(after: 4)
                let addresses = attributes.nested(CTA_TUPLE_ORIG.rawValue).nested(CTA_TUPLE_IP.rawValue)
                let protocols = attributes.nested(CTA_TUPLE_ORIG.rawValue).nested(CTA_TUPLE_PROTO.rawValue)
                guard let tuple = attributes[CTA_TUPLE_ORIG.rawValue], let id = attributes[CTA_ID.rawValue],
                    let bytes = addresses[CTA_IP_V4_DST.rawValue] ?? addresses[CTA_IP_V6_DST.rawValue],
                    let destination = IPAddress(bytes: bytes),
                    let port: UInt16 = protocols.big(CTA_PROTO_DST_PORT.rawValue),
                    protocols[CTA_PROTO_NUM.rawValue]?.first == UInt8(IPPROTO_UDP)
                else { return nil }
                return Connection(tuple: tuple, id: id, destination: destination, port: port)
            }
        } catch  where error.errno == .notSupported || error.errno == .invalid {
            // A kernel that does not tell (nf_conntrack_netlink): nothing can be done.
            return []
        } catch {
            throw .kernel(KernelRefusal("list", "connections", error))
        }
    }

    private mutating func delete(_ request: NetlinkRequest) throws(NetworkError) {
        do throws(NetlinkRefusal) {
            try socket.request(request)
        } catch  where error.errno == .noEntry {
            // It ended by itself.
            return
        } catch {
            throw .kernel(KernelRefusal("forget", "connections", error))
        }
    }
}

extension NetlinkRequest {
    fileprivate mutating func connection(
        _ type: cntl_msg_types, _ family: UInt8, _ body: (inout NetlinkRequest) -> Void
    ) {
        message(UInt32(NFNL_SUBSYS_CTNETLINK) << 8 | type.rawValue) {
            $0.firewallHeader(family)
            body(&$0)
        }
    }
}
