internal import CLinux
internal import Glibc
package import OCI
internal import Sys

/// A pair of veth(4): one end is a port of a bridge, the other is in a container's namespace.
package struct PortDescription: Sendable {
    package var name: String
    /// Of the bridge; for messages its name as well.
    package var bridgeIndex: Int32
    package var bridge: String
    /// nil: the kernel's usual one.
    package var mtu: Int?
    /// Borrowed.
    package var namespace: Int32
    /// The name of the other end.
    package var interface: String
    package var mac: MACAddress
    /// Other isolated ports of the bridge can't be reached.
    package var isIsolated: Bool
    /// The container may get back what it sends: it reaches a published port of its own by the host's address also where
    /// br_netfilter leads the packet there within the bridge. It hears its own broadcasts, too.
    package var reflects: Bool

    package init(
        name: String, bridge: String, index: Int32, mtu: Int? = nil, namespace: Int32, interface: String,
        mac: MACAddress, isIsolated: Bool = false, reflects: Bool = false
    ) {
        self.name = name
        self.bridge = bridge
        bridgeIndex = index
        self.mtu = mtu
        self.namespace = namespace
        self.interface = interface
        self.mac = mac
        self.isIsolated = isIsolated
        self.reflects = reflects
    }
}

extension RouteSocket {
    /// Makes the pair, with the host's end up. One of the name that is there was left by somebody who was killed, and goes.
    package mutating func makePort(_ port: PortDescription) throws(NetworkError) {
        do throws(NetlinkRefusal) {
            try socket.request(RouteSocket.request(for: port))
            return
        } catch  where error.errno == .exists {
            try deleteLink(named: port.name)
        } catch {
            throw RouteSocket.failure(error, port)
        }
        do throws(NetlinkRefusal) {
            try socket.request(RouteSocket.request(for: port))
        } catch {
            throw RouteSocket.failure(error, port)
        }
    }

    private static func failure(_ refusal: NetlinkRefusal, _ port: PortDescription) -> NetworkError {
        if refusal.errno == Errno(rawValue: EXFULL) { return .bridgeFull(port.bridge) }
        return .kernel(KernelRefusal("connect \(port.interface) with", "\(port.bridge) by \(port.name)", refusal))
    }

    private static func request(for port: PortDescription) -> NetlinkRequest {
        var request = NetlinkRequest()
        request.message(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL) {
            $0.linkHeader(up: true)
            $0.attribute(IFLA_IFNAME, text: port.name)
            if let mtu = port.mtu { $0.attribute(IFLA_MTU, number: UInt32(mtu)) }
            $0.attribute(IFLA_MASTER, number: port.bridgeIndex)
            $0.nested(IFLA_LINKINFO) {
                $0.attribute(IFLA_INFO_KIND, text: "veth")
                $0.nested(IFLA_INFO_DATA) {
                    $0.nested(VETH_INFO_PEER) {
                        // It can't be up before it has a peer: that is done in the namespace.
                        $0.linkHeader()
                        $0.attribute(IFLA_IFNAME, text: port.interface)
                        $0.attribute(IFLA_ADDRESS, port.mac.bytes)
                        if let mtu = port.mtu { $0.attribute(IFLA_MTU, number: UInt32(mtu)) }
                        $0.attribute(IFLA_NET_NS_FD, number: UInt32(port.namespace))
                    }
                }
            }
        }
        if port.isIsolated || port.reflects { request.behave(as: port) }
        return request
    }
}

extension NetlinkRequest {
    /// How the bridge treats its port: to be said once it is one.
    fileprivate mutating func behave(as port: PortDescription) {
        message(RTM_NEWLINK) {
            $0.linkHeader()
            $0.attribute(IFLA_IFNAME, text: port.name)
            $0.nested(IFLA_LINKINFO) {
                $0.attribute(IFLA_INFO_SLAVE_KIND, text: "bridge")
                $0.nested(IFLA_INFO_SLAVE_DATA) {
                    if port.isIsolated { $0.attribute(IFLA_BRPORT_ISOLATED, number: UInt8(1)) }
                    if port.reflects { $0.attribute(IFLA_BRPORT_MODE, number: UInt8(1)) }
                }
            }
        }
    }
}
