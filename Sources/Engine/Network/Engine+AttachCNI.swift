internal import Glibc
internal import Network
internal import OCI
internal import Sys

/// The way of a container onto networks of CNI's, and off them.
extension Engine {
    /// As `attach`. The namespace is mounted in the entry, as ip-netns(8) does it: plugins are other programs and know a
    /// namespace by a path only, and what they have made in it they take back from there when the container has ended.
    func attachForeign(
        _ record: ContainerRecord, _ entry: inout LiveContainer
    ) throws(EngineError) -> AttachedNetworks {
        // A start that was cut short may have left some.
        if let old = entry.state.attachments { detachForeign(old, entry.path) }
        let host = try system { () throws(SystemFailure) in try NamespaceIdentity.current() }
        let published = try foreignPorts(of: record, in: host)
        var attachments = try plannedAttachments(of: record, published)
        let namespace = try network { () throws(NetworkError) in
            try NetworkNamespace { (_, _) throws(NetworkError) in try InterfaceSetup.apply([]) }
        }
        try entry.record(attachments, [], in: host, published)
        let place = try mount(namespace, in: entry.path)
        let plugins = CNIPlugins(directories: foreignPlugins, lock: entry.lockDescriptor)
        let asked = record.request.networking?.endpoints ?? []
        var endpoints: [Endpoint] = []
        var dns = DNSOptions()
        for index in attachments.indices {
            try network { () throws(NetworkError) in try plugins.add(&attachments[index], namespace: place) }
            let result = CNIResult(attachments[index])
            endpoints.append(try foreignEndpoint(attachments[index], result, asked[index]))
            try entry.record(attachments, endpoints, in: host, published)
            dns = dns.completed(by: DNSOptions(result))
        }
        var settings = configuration
        settings.dns = dns.completed(by: configuration.dns)
        try GeneratedFileWriter.write(
            GeneratedFileWriter.paths(in: containers.directory(record.id)), record,
            addresses: endpoints.flatMap { $0.addresses.map(\.address) },
            gateway: endpoints.lazy.compactMap(\.gateways.first).first, configuration: settings)
        // Where it has no address of a version, nothing of that leads to it.
        let reached = published.filter { port in
            endpoints.contains { $0.addresses.contains { $0.isVersion6 == port.address.isVersion6 } }
        }
        return AttachedNetworks(namespace, endpoints, nil, servedByOthers: reached)
    }

    /// Takes a container off such networks, the last first; can be done again. What a plugin can't take back is said, and
    /// is nobody's reason to keep the container.
    func detachForeign(_ attachments: [CNIAttachment], _ entry: String) {
        let place = "\(entry)/\(LiveContainer.networkMark)"
        let isThere = (try? NetworkNamespace(at: place)) != nil
        let plugins = CNIPlugins(directories: foreignPlugins)
        for attachment in attachments.reversed() {
            do throws(NetworkError) {
                try plugins.delete(attachment, namespace: isThere ? place : nil)
            } catch {
                notice("\(error)")
            }
        }
    }

    /// Where plugins find the namespace; unmounted with the rest of what a network lives by.
    private func mount(_ namespace: NetworkNamespace, in entry: String) throws(EngineError) -> String {
        let place = "\(entry)/\(LiveContainer.networkMark)"
        try system { () throws(SystemFailure) in
            try Directory.makePath("\(entry)/\(LiveContainer.networkDirectory)", mode: 0o700)
        }
        try call("mount the network namespace at", place) { () throws(Errno) in
            let mark = try File.open(place, O_WRONLY | O_CREAT | O_NOFOLLOW, mode: 0o600)
            // Here for all to see, until the container has ended.
            try PrivateMounts.bind(namespace.descriptor, onto: mark.raw)
        }
        return place
    }

    /// The ports of the host, whose network namespace this is, that plugins are to lead to the container: free now, and no
    /// other such container's.
    private func foreignPorts(of record: ContainerRecord, in host: String) throws(EngineError) -> [PublishedPort] {
        guard let bound = try bindPorts(record, PortEndpoint(name: record.name, isServedByKernel: true)) else {
            return []
        }
        for id in live.entered() where id != record.id {
            guard let other = live.state(of: id), other.attachments != nil, other.networkNamespace == host
            else { continue }
            for port in bound.published where (other.published ?? []).contains(where: { $0.collides(with: port) }) {
                throw .conflict(
                    "Bind for \(port.address.text):\(port.hostPort) failed: port is already allocated (by container "
                        + "\(containers.summary(id)?.name ?? String(id.prefix(12))))")
            }
        }
        return bound.published
    }
}

extension PublishedPort {
    /// Whether both would get the same packets.
    fileprivate func collides(with other: PublishedPort) -> Bool {
        hostPort == other.hostPort && port.transport == other.port.transport
            && address.isVersion6 == other.address.isVersion6
            && (address == other.address || address.isUnspecified || other.address.isUnspecified)
    }
}

extension DNSOptions {
    fileprivate init(_ result: CNIResult) {
        self.init()
        servers = result.servers
        // They become words of a line.
        search = result.search.filter(HostsText.isName)
        options = result.options.filter(HostsText.isName)
    }
}
