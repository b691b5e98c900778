internal import CLinux
package import OCI

/// A link of a container's own on one of the host's, which other machines see as a machine.
package struct MacvlanDescription: Sendable {
    /// How containers on one parent see each other: docker's `macvlan_mode`.
    package enum Mode: String, Sendable, CaseIterable {
        case bridge, vepa, `private`, passthru

        fileprivate var bits: UInt32 {
            switch self {
            case .bridge: MACVLAN_MODE_BRIDGE.rawValue
            case .vepa: MACVLAN_MODE_VEPA.rawValue
            case .private: MACVLAN_MODE_PRIVATE.rawValue
            case .passthru: MACVLAN_MODE_PASSTHRU.rawValue
            }
        }
    }

    package var parent: String
    package var mode: Mode
    /// Borrowed.
    package var namespace: Int32
    package var interface: String
    package var mac: MACAddress
    /// nil: the parent's.
    package var mtu: Int?

    package init(
        parent: String, mode: Mode = .bridge, namespace: Int32, interface: String, mac: MACAddress, mtu: Int? = nil
    ) {
        self.parent = parent
        self.mode = mode
        self.namespace = namespace
        self.interface = interface
        self.mac = mac
        self.mtu = mtu
    }
}

extension RouteSocket {
    /// Makes the link in the container's namespace, up.
    package mutating func makeMacvlan(_ wanted: MacvlanDescription) throws(NetworkError) {
        guard let parent = try link(named: wanted.parent) else { throw .noParent(wanted.parent) }
        var request = NetlinkRequest()
        request.message(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL) {
            $0.linkHeader(up: true)
            $0.attribute(IFLA_IFNAME, text: wanted.interface)
            $0.attribute(IFLA_ADDRESS, wanted.mac.bytes)
            $0.attribute(IFLA_LINK, number: parent.index)
            $0.attribute(IFLA_NET_NS_FD, number: UInt32(wanted.namespace))
            if let mtu = wanted.mtu { $0.attribute(IFLA_MTU, number: UInt32(mtu)) }
            $0.nested(IFLA_LINKINFO) {
                $0.attribute(IFLA_INFO_KIND, text: "macvlan")
                $0.nested(IFLA_INFO_DATA) { $0.attribute(IFLA_MACVLAN_MODE, number: wanted.mode.bits) }
            }
        }
        try perform("make \(wanted.interface) on", wanted.parent, request)
    }
}
