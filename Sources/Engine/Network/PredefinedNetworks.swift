package import OCI

/// The networks that are there without having been made. Their IDs are the same everywhere.
package enum PredefinedNetwork: String, Sendable, Hashable, CaseIterable {
    case bridge, host, none

    package static let bridgeName = "runimg0"

    package var id: String { Digest.of("runimg's network \(rawValue)".utf8).hex }

    /// docker's word.
    package var driver: String { self == .none ? "null" : rawValue }

    /// Whether a name of a mode, of ours or docker's, stands where a network's could.
    static func isReserved(_ name: String) -> Bool {
        NetworkMode.names.contains(name)
            || ["default", "container", "ns", "private", "slirp4netns", "pasta"].contains(name)
    }

    /// Without subnets: those of the default network are the engine's to know.
    package func record(_ configuration: Configuration) -> NetworkRecord {
        var record = NetworkRecord(id: id, name: rawValue, created: "0001-01-01T00:00:00Z")
        guard self == .bridge else { return record }
        record.options = [
            NetworkOptionKey.isDefault: "true", NetworkOptionKey.bridgeName: PredefinedNetwork.bridgeName,
            NetworkOptionKey.connectsContainers: "\(configuration.connectsContainers ?? true)",
            NetworkOptionKey.masquerades: "\(configuration.masquerades ?? true)",
            NetworkOptionKey.publishAddress: "\(configuration.publishAddress ?? .any4)",
            NetworkOptionKey.mtu: "\(configuration.mtu ?? 1500)",
        ]
        return record
    }
}

/// docker's options of networks that mean something here.
package enum NetworkOptionKey {
    package static let isDefault = "com.docker.network.bridge.default_bridge"
    package static let bridgeName = "com.docker.network.bridge.name"
    package static let connectsContainers = "com.docker.network.bridge.enable_icc"
    package static let masquerades = "com.docker.network.bridge.enable_ip_masquerade"
    package static let publishAddress = "com.docker.network.bridge.host_binding_ipv4"
    package static let mtu = "com.docker.network.driver.mtu"
    package static let parent = "parent"
    package static let macvlanMode = "macvlan_mode"
}

/// What a network's options say; checked when it was made.
extension NetworkRecord {
    /// Whether its containers may talk to each other.
    package var connectsContainers: Bool { isOn(NetworkOptionKey.connectsContainers) }
    /// Whether its containers go outward by the host's addresses.
    package var masquerades: Bool { isOn(NetworkOptionKey.masquerades) }
    /// Where `-p` without an address publishes.
    package var publishAddress: IPAddress? { options[NetworkOptionKey.publishAddress].flatMap { IPAddress($0) } }
    /// nil: the usual one.
    package var mtu: Int? { options[NetworkOptionKey.mtu].flatMap { Int($0) }.flatMap { $0 > 0 ? $0 : nil } }
    /// The interface of the host that a macvlan is on.
    package var parent: String? { options[NetworkOptionKey.parent] }

    private func isOn(_ key: String) -> Bool { options[key].flatMap(NetworkRecord.flag) ?? true }

    /// As Go's strconv.ParseBool.
    static func flag(_ text: String) -> Bool? {
        if ["1", "t", "T", "TRUE", "true", "True"].contains(text) { return true }
        return ["0", "f", "F", "FALSE", "false", "False"].contains(text) ? false : nil
    }
}
