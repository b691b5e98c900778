internal import OCI

/// Ports in docker's JSON: a list of the host's places by the container's port.
enum PortValue {
    /// As they are; null for one that is only exposed.
    static func live(_ ports: [ContainerPort: [PublishedPort]]) -> TemplateValue {
        map(
            ports.mapValues { places in
                places.isEmpty ? .nullList : .list(places.map { place("\($0.address)", "\($0.hostPort)") })
            })
    }

    /// As they were asked for.
    static func asked(_ mappings: [PortMapping]) -> TemplateValue {
        map(
            Dictionary(grouping: mappings, by: \.port).mapValues { list in
                .list(
                    list.map { mapping in
                        let numbers = mapping.hostPorts.map { range in
                            range.count == 1 ? "\(range.lowerBound)" : "\(range.lowerBound)-\(range.upperBound)"
                        }
                        return place(mapping.address?.description ?? "", numbers ?? "")
                    })
            })
    }

    private static func map(_ values: [ContainerPort: TemplateValue]) -> TemplateValue {
        .map(Dictionary(uniqueKeysWithValues: values.map { ($0.key.description, $0.value) }))
    }

    private static func place(_ address: String, _ port: String) -> TemplateValue {
        .record([.init("HostIp", .string(address)), .init("HostPort", .string(port))])
    }
}
