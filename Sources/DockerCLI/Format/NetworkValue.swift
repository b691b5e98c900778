internal import Engine
internal import OCI

/// A network as docker's JSON.
enum NetworkValue {
    private typealias Field = TemplateValue.Field

    private static func text(_ name: String, _ value: String) -> Field { Field(name, .string(value)) }
    private static func flag(_ name: String, _ value: Bool) -> Field { Field(name, .bool(value)) }
    private static func map(_ values: [String: String]) -> TemplateValue { .map(values.mapValues { .string($0) }) }

    static func make(_ network: NetworkDetails) -> TemplateValue {
        let record = network.record
        return .record([
            text("Name", record.name), text("Id", record.id), text("Created", GoTime.trimmed(record.created)),
            text("Scope", "local"), text("Driver", network.driver), flag("EnableIPv4", network.hasIPv4),
            flag("EnableIPv6", record.hasIPv6), Field("IPAM", addresses(network)), flag("Internal", record.isInternal),
            flag("Attachable", false), flag("Ingress", false), Field("ConfigFrom", .record([text("Network", "")])),
            flag("ConfigOnly", false), Field("Containers", .map(members(network))),
            Field("Options", map(record.options)), Field("Labels", map(record.labels)),
        ])
    }

    private static func addresses(_ network: NetworkDetails) -> TemplateValue {
        let subnets = network.record.subnets.map { subnet in
            TemplateValue.record([
                text("Subnet", "\(subnet.prefix)"),
                Field("IPRange", .string(subnet.range.map { "\($0)" } ?? ""), omitsEmpty: true),
                Field("Gateway", .string(subnet.gateway.map { "\($0)" } ?? ""), omitsEmpty: true),
                Field(
                    "AuxiliaryAddresses", .map(subnet.reserved.mapValues { .string("\($0)") }), omitsEmpty: true),
            ])
        }
        return .record([
            text("Driver", "default"), Field("Options", network.isBuiltin ? .nullMap : .map([:])),
            Field("Config", network.driver == "host" || network.driver == "null" ? .nullList : .list(subnets)),
        ])
    }

    private static func members(_ network: NetworkDetails) -> [String: TemplateValue] {
        Dictionary(
            network.members.map { member in
                let endpoint = member.endpoint
                return (
                    member.id,
                    .record([
                        text("Name", member.name), text("EndpointID", endpoint.id(of: member.id)),
                        text("MacAddress", "\(endpoint.mac)"),
                        text("IPv4Address", endpoint.address4.map { "\($0)" } ?? ""),
                        text("IPv6Address", endpoint.address6.map { "\($0)" } ?? ""),
                    ])
                )
            }, uniquingKeysWith: { first, _ in first })
    }

    /// As a line of `network ls`.
    static func row(_ network: NetworkDetails, truncates: Bool) -> TemplateValue {
        let record = network.record
        let labels = record.labels.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        let fields = [
            ("CreatedAt", created(record)), ("Driver", network.driver),
            ("ID", truncates ? String(record.id.prefix(12)) : record.id), ("IPv4", "\(network.hasIPv4)"),
            ("IPv6", "\(record.hasIPv6)"), ("Internal", "\(record.isInternal)"),
            ("Labels", labels.joined(separator: ",")), ("Name", record.name), ("Scope", "local"),
        ]
        return .row(fields.map { .init($0.0, .string($0.1)) } + [.method("Label", .label(record.labels))])
    }

    /// As Go prints a time.
    private static func created(_ record: NetworkRecord) -> String {
        let (date, time) = GoTime.trimmed(record.created).cut("T")
        return "\(date) \((time ?? "").prefix { $0 != "Z" }) +0000 UTC"
    }

    static let header = TemplateValue.record(
        [
            ("CreatedAt", "CREATED AT"), ("Driver", "DRIVER"), ("ID", "NETWORK ID"), ("IPv4", "IPV4"),
            ("IPv6", "IPV6"), ("Internal", "INTERNAL"), ("Labels", "LABELS"), ("Name", "NAME"), ("Scope", "SCOPE"),
        ].map { TemplateValue.Field($0.0, .string($0.1)) } + [.method("Label", .labelHeader)])
}

extension NetworkDetails {
    fileprivate var hasIPv4: Bool { record.subnets.contains { !$0.prefix.isVersion6 } }
}

extension Endpoint {
    var address4: IPPrefix? { addresses.first { !$0.isVersion6 } }
    var address6: IPPrefix? { addresses.first { $0.isVersion6 } }

    /// docker has an ID for each; ours is made of what there is.
    func id(of container: String) -> String { Digest.of("\(network)/\(container)".utf8).hex }
}
