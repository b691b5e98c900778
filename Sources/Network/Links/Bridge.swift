internal import CLinux
internal import Glibc
package import OCI
internal import Sys

/// The bridge of a network as it is to be.
package struct BridgeDescription: Sendable {
    package var name: String
    /// The gateways of the network's containers, with its prefixes' lengths.
    package var addresses: [IPPrefix]
    /// nil: the kernel's usual one.
    package var mtu: Int?
    package var hasIPv6: Bool

    package init(name: String, addresses: [IPPrefix], mtu: Int? = nil, hasIPv6: Bool = false) {
        self.name = name
        self.addresses = addresses
        self.mtu = mtu
        self.hasIPv6 = hasIPv6
    }
}

extension RouteSocket {
    /// Makes the bridge, or makes good what it lacks; what it has besides stays. Reads and writes settings of the calling
    /// thread's namespace, which must be the socket's.
    package mutating func ensureBridge(
        _ wanted: BridgeDescription
    ) throws(NetworkError) -> (index: Int32, isNew: Bool) {
        if let link = try link(named: wanted.name) {
            try repair(link, wanted, has: try addresses(link.index).map(\.prefix))
            return (link.index, false)
        }
        let isNew = try makeBridge(wanted)
        guard let link = try link(named: wanted.name) else {
            throw .system(SystemFailure("make", wanted.name, Errno(rawValue: ENODEV)))
        }
        try repair(link, wanted, has: [])
        return (link.index, isNew)
    }

    /// Down, without addresses; false where another command was faster.
    private mutating func makeBridge(_ wanted: BridgeDescription) throws(NetworkError) -> Bool {
        var request = NetlinkRequest()
        request.message(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL) {
            $0.linkHeader()
            $0.attribute(IFLA_IFNAME, text: wanted.name)
            // Given, it does not change with the ports.
            $0.attribute(IFLA_ADDRESS, MACAddress.random().bytes)
            if let mtu = wanted.mtu { $0.attribute(IFLA_MTU, number: UInt32(mtu)) }
            $0.nested(IFLA_LINKINFO) {
                $0.attribute(IFLA_INFO_KIND, text: "bridge")
                $0.nested(IFLA_INFO_DATA) {
                    $0.attribute(IFLA_BR_FORWARD_DELAY, number: UInt32(0))
                    $0.attribute(IFLA_BR_STP_STATE, number: UInt32(0))
                }
            }
        }
        do throws(NetlinkRefusal) {
            try socket.request(request)
            return true
        } catch  where error.errno == .exists {
            return false
        } catch {
            throw .kernel(KernelRefusal("make the bridge", wanted.name, error))
        }
    }

    private mutating func repair(
        _ link: Link, _ wanted: BridgeDescription, has present: [IPPrefix]
    ) throws(NetworkError) {
        guard link.kind == "bridge" else { throw .notABridge(link.name, kind: link.kind) }
        let missing = wanted.addresses.filter { !present.contains($0) }
        // Before it is up, and has an address of the version.
        if !link.isUp || missing.contains(where: \.isVersion6) { try RouteSocket.configure(wanted) }
        var request = NetlinkRequest()
        for address in missing { request.addAddress(address, to: link.index) }
        if let mtu = wanted.mtu, mtu != link.mtu {
            request.message(RTM_NEWLINK) {
                $0.linkHeader(link.index)
                $0.attribute(IFLA_MTU, number: UInt32(mtu))
            }
        }
        if !link.isUp { request.message(RTM_NEWLINK) { $0.linkHeader(link.index, up: true) } }
        try perform("configure the bridge", link.name, request)
    }

    private static func configure(_ wanted: BridgeDescription) throws(NetworkError) {
        let four = "ipv4/conf/\(wanted.name)"
        let six = "ipv6/conf/\(wanted.name)"
        try Sysctl.write("\(four)/forwarding", "1")
        try Sysctl.write("\(four)/accept_redirects", "0")
        if !wanted.hasIPv6 { return try Sysctl.writeIfPresent("\(six)/disable_ipv6", "1") }
        // A container may not give the host routes, nor keep it from having the gateway's address.
        for name in ["accept_ra", "accept_redirects", "accept_dad", "disable_ipv6"] {
            try Sysctl.write("\(six)/\(name)", "0")
        }
    }
}

extension MACAddress {
    /// One that is nobody's: locally administered.
    static func random() -> MACAddress {
        var bytes = (0..<6).map { _ in UInt8.random(in: 0...255) }
        bytes[0] = bytes[0] & 0xfc | 0x02
        return MACAddress(bytes: bytes) ?? MACAddress(of: .any4)
    }
}
