internal import Glibc
internal import Network
internal import OCI
internal import Sys

/// Writes `/etc/hosts`, `/etc/hostname` and `/etc/resolv.conf` of a container into its directory on the host.
enum GeneratedFileWriter {
    private static let limit = 1 << 20

    static func paths(in directory: String) -> GeneratedFiles {
        GeneratedFiles(
            hosts: directory + "/hosts", hostname: directory + "/hostname", resolvConf: directory + "/resolv.conf")
    }

    /// `addresses` are the container's own, `gateway` what leads to the host (`host-gateway`), `peers` who else is on its
    /// networks.
    static func write(
        _ files: GeneratedFiles, _ record: ContainerRecord, addresses: [IPAddress] = [], gateway: IPAddress? = nil,
        configuration: Configuration, peers: [PeerLine] = []
    ) throws(EngineError) {
        var hosts = hosts(of: record, gateway: gateway)
        hosts.addresses += addresses
        hosts.peers = peers
        let asked = record.request.networking?.dns ?? DNSOptions()
        let resolver = resolver(record.request.isolation.network, asked.completed(by: configuration.dns))
        try write(hosts.text, to: files.hosts)
        try write("\(record.hostname)\n", to: files.hostname)
        try write(resolver, to: files.resolvConf)
    }

    /// With the host's own hosts file in the host's network, as docker does.
    private static func hosts(of record: ContainerRecord, gateway: IPAddress?) -> HostsText {
        var hosts = HostsText()
        hosts.extra = record.request.networking?.extraHosts ?? []
        hosts.gateway = gateway
        let hostname = record.hostname
        let domain = record.request.process.domainname.map { ["\(hostname).\($0)"] } ?? []
        hosts.names = domain + [hostname]
        switch record.request.isolation.network {
        case .host:
            hosts.base = read("/etc/hosts") ?? hosts.base
            // The container sees the host as the host sees itself.
            hosts.gateway = gateway ?? IPAddress("127.0.0.1")
            hosts.names = []
        case .user(let program):
            if let address = program.address.flatMap({ IPAddress($0) }) { hosts.addresses.append(address) }
        case .none, .bridge, .named, .cni, .path, .container: break
        }
        return hosts
    }

    private static func resolver(_ network: NetworkMode, _ asked: DNSOptions) -> String {
        let host = read("/etc/resolv.conf") ?? ""
        switch network {
        case .bridge, .named, .cni: return bridged(host, asked)
        case .path(let path):
            guard let own = resolverFile(ofNamespace: path) else { return bridged(host, asked) }
            return changed(own, asked)
        case .user(let program): return changed(program.resolverFile(host), asked)
        case .none, .host, .container: return changed(host, asked)
        }
    }

    /// That of a namespace with a name, as ip-netns(8) has them.
    private static func resolverFile(ofNamespace path: String) -> String? {
        guard !path.hasPrefix("/proc/"), let name = path.split(separator: "/").last, name != "..", name != "." else {
            return nil
        }
        return read("/etc/netns/\(name)/resolv.conf")
    }

    /// The text as it is where nothing is asked.
    private static func changed(_ text: String, _ asked: DNSOptions) -> String {
        if asked == DNSOptions() { return text }
        var file = ResolverFile(text)
        file.apply(asked)
        return file.text
    }

    /// For a network from which the host's loopback is not reached.
    static func bridged(
        _ host: String, _ asked: DNSOptions, localResolver: String? = read(ResolverFile.localResolverServers)
    ) -> String {
        var file = ResolverFile(host)
        if file.namesLocalResolver, let localResolver { file = ResolverFile(localResolver) }
        file.dropLocalServers()
        file.apply(asked)
        if !file.servers.isEmpty { return file.text }
        file.servers = ResolverFile.publicServers
        return """
            # The host's own names no server that a container can reach. "dns" in runimg's configuration, or --dns, does.
            \(file.text)
            """
    }

    private static func read(_ path: String) -> String? {
        (try? File.readAll(path, limit: limit)).map { String(decoding: $0, as: UTF8.self) }
    }

    private static func write(_ text: String, to path: String) throws(EngineError) {
        try call("write", path) { () throws(Errno) in
            let file = try File.open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, mode: 0o644)
            // Every user of the container reads these, whatever the caller's umask.
            try check { fchmod(file.raw, 0o644) }
            try File.write(file.raw, text)
        }
    }
}
