internal import Engine
internal import OCI

/// Where a container is on networks, as docker's JSON.
enum NetworkSettingsValue {
    private typealias Field = TemplateValue.Field

    private static func text(_ name: String, _ value: String) -> Field { Field(name, .string(value)) }
    private static func number(_ name: String, _ value: Int64) -> Field { Field(name, .int(value)) }

    /// The fields that docker keeps for the default network alone.
    static func standard(_ details: ContainerDetails) -> [TemplateValue.Field] {
        let endpoint = details.endpoints.first { $0.network == PredefinedNetwork.bridge.id }
        return [
            text("EndpointID", endpoint?.id(of: details.record.id) ?? ""), text("Gateway", endpoint?.gateway4 ?? ""),
            text("GlobalIPv6Address", endpoint?.address6?.text ?? ""),
            number("GlobalIPv6PrefixLen", endpoint?.address6?.size ?? 0),
            text("IPAddress", endpoint?.address4?.text ?? ""), number("IPPrefixLen", endpoint?.address4?.size ?? 0),
            text("IPv6Gateway", endpoint?.gateway6 ?? ""), text("MacAddress", endpoint.map { "\($0.mac)" } ?? ""),
        ]
    }

    /// By name: where it is, or while it does not run where it will be.
    static func networks(_ details: ContainerDetails) -> [String: TemplateValue] {
        let record = details.record
        let mode = record.request.isolation.network
        // Those of another container are shown there.
        if case .container = mode { return [:] }
        // Nothing is known of one that somebody else has made.
        if case .path = mode { return [:] }
        let asked = record.request.networking?.endpoints ?? []
        var result: [String: TemplateValue] = [:]
        for (index, options) in asked.enumerated() {
            let typed = index == 0 ? mode.rawValue : String(options.network.prefix(12))
            let live = details.endpoints.first { $0.network == options.network }
            result[details.networkNames[options.network] ?? typed] = value(options, live, record)
        }
        // Those that it was connected to since.
        for live in details.endpoints where !asked.contains(where: { $0.network == live.network }) {
            result[live.networkName] = value(nil, live, record)
        }
        if result.isEmpty {
            var options = EndpointOptions(network: predefined(mode)?.id ?? "")
            options.mac = record.request.networking?.mac
            result[mode.rawValue] = value(options, nil, record)
        }
        return result
    }

    private static func predefined(_ mode: NetworkMode) -> PredefinedNetwork? {
        switch mode {
        case .bridge: .bridge
        case .host: .host
        case .none: PredefinedNetwork.none
        case .named, .cni, .path, .user, .container: nil
        }
    }

    private static func value(
        _ options: EndpointOptions?, _ live: Endpoint?, _ record: ContainerRecord
    ) -> TemplateValue {
        let aliases = options?.aliases ?? live?.aliases ?? []
        // What others find it by: on a network that was made.
        let isNamed = options.map { ResourceName.isContainerID($0.network) } ?? true
        let isDefault = (live?.network ?? options?.network) == PredefinedNetwork.bridge.id
        let names = live != nil && isNamed && !isDefault ? unique([record.name] + aliases + [record.shortID]) : []
        return .record([
            Field("IPAMConfig", options.flatMap(asked) ?? .null), Field("Links", .nullList),
            Field("Aliases", aliases.isEmpty ? .nullList : .strings(aliases)),
            text("MacAddress", live.map { "\($0.mac)" } ?? options?.mac.map { "\($0)" } ?? ""),
            Field("DriverOpts", .nullMap), number("GwPriority", 0),
            text("NetworkID", live?.network ?? options?.network ?? ""),
            text("EndpointID", live?.id(of: record.id) ?? ""), text("Gateway", live?.gateway4 ?? ""),
            text("IPAddress", live?.address4?.text ?? ""), number("IPPrefixLen", live?.address4?.size ?? 0),
            text("IPv6Gateway", live?.gateway6 ?? ""), text("GlobalIPv6Address", live?.address6?.text ?? ""),
            number("GlobalIPv6PrefixLen", live?.address6?.size ?? 0),
            Field("DNSNames", names.isEmpty ? .nullList : .strings(names)),
        ])
    }

    private static func unique(_ names: [String]) -> [String] {
        var seen: Set<String> = []
        return names.filter { seen.insert($0).inserted }
    }

    /// The addresses that the user chose; nil without.
    private static func asked(_ options: EndpointOptions) -> TemplateValue? {
        guard options.address != nil || options.address6 != nil else { return nil }
        return .record([
            Field("IPv4Address", .string(options.address.map { "\($0)" } ?? ""), omitsEmpty: true),
            Field("IPv6Address", .string(options.address6.map { "\($0)" } ?? ""), omitsEmpty: true),
        ])
    }
}

extension Endpoint {
    fileprivate var gateway4: String? { gateways.first { !$0.isVersion6 }.map { "\($0)" } }
    fileprivate var gateway6: String? { gateways.first { $0.isVersion6 }.map { "\($0)" } }
}

extension IPPrefix {
    /// The address alone.
    fileprivate var text: String { "\(address)" }
    fileprivate var size: Int64 { Int64(length) }
}
