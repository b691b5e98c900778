internal import Glibc
internal import Network
internal import OCI
internal import Sys
internal import TestSupport

extension NetworkNamespace {
    /// What nsenter(1) is told, so that it enters.
    var entry: [String] { ["--net=/proc/\(getpid())/fd/\(descriptor)", "--"] }

    /// What a command in here prints.
    @discardableResult
    func run(_ command: String...) throws -> String {
        try Tool.check("nsenter", entry + command).stdout
    }

    /// Whether a command in here succeeds.
    func succeeds(_ command: String...) throws -> Bool {
        try Tool.run("nsenter", entry + command).status == 0
    }

    /// In the end: the kernel may be busy.
    func reaches(_ address: String) throws -> Bool {
        try Wait.until(seconds: 15) { try pings(address) }
    }

    /// One packet, and its answer.
    func pings(_ address: String) throws -> Bool {
        try succeeds("busybox", "ping", "-c", "1", "-W", "1", address)
    }
}

/// A host and containers on its bridges, in namespaces of the test's own, made by what is tested.
final class NetworkLab {
    struct Container {
        let namespace: NetworkNamespace
        let port: String
        let mac: MACAddress
        let addresses: [IPAddress]
    }

    static let isPossible = Conditions.isRoot && Conditions.has("nsenter", "ip", "busybox", "nft", "curl", "python3")
    static let requirements = "needs root, nsenter, ip, busybox, python3, curl and nft"

    let host: NetworkNamespace
    private var count = 0
    /// Nothing else may be in them.
    private var others: [NetworkNamespace] = []

    init() throws {
        host = try NetworkNamespace()
        try host.run("ip", "link", "set", "lo", "up")
    }

    static func prefix(_ text: String) -> IPPrefix {
        guard let prefix = IPPrefix(text) else { preconditionFailure("no prefix: \(text)") }
        return prefix
    }

    static func address(_ text: String) -> IPAddress { IPAddress(text) ?? .any4 }

    @discardableResult
    func bridge(_ name: String, _ addresses: String..., mtu: Int? = nil) throws -> Int32 {
        let prefixes = addresses.map(NetworkLab.prefix)
        let description = BridgeDescription(
            name: name, addresses: prefixes, mtu: mtu, hasIPv6: prefixes.contains(where: \.isVersion6))
        return try host.perform { () throws(NetworkError) in
            var route = try RouteSocket()
            return try route.ensureBridge(description).index
        }
    }

    /// A container with these addresses, whose gateways are `gateways`.
    func container(
        on bridge: String, _ addresses: [String], gateways: [String] = [], isIsolated: Bool = false,
        reflects: Bool = false
    ) throws -> Container {
        count += 1
        let prefixes = addresses.map(NetworkLab.prefix)
        let hasIPv6 = prefixes.contains(where: \.isVersion6)
        let namespace = try NetworkNamespace { (_, _) throws(NetworkError) in
            try InterfaceSetup.prepareNamespace(hasIPv6: hasIPv6)
        }
        let port = "veth\(count)"
        let mac = MACAddress(of: prefixes[0].address)
        let fd = namespace.descriptor
        try host.perform { () throws(NetworkError) in
            var route = try RouteSocket()
            guard let link = try route.link(named: bridge) else { throw .noParent(bridge) }
            try route.makePort(
                PortDescription(
                    name: port, bridge: bridge, index: link.index, namespace: fd, interface: "eth0", mac: mac,
                    isIsolated: isIsolated, reflects: reflects))
        }
        let setup = InterfaceSetup(
            name: "eth0", addresses: prefixes, gateways: gateways.map(NetworkLab.address))
        try namespace.perform { () throws(NetworkError) in try InterfaceSetup.apply([setup]) }
        others.append(namespace)
        return Container(namespace: namespace, port: port, mac: mac, addresses: prefixes.map(\.address))
    }

    /// A machine beside the host: the host is `host`, the machine `machine`, on a network of 24 bits. It knows no other.
    func machine(_ interface: String, host address: String, machine: String) throws -> NetworkNamespace {
        let far = try NetworkNamespace()
        try host.run(
            "ip", "link", "add", interface, "type", "veth", "peer", "name", "eth0", "netns",
            "/proc/\(getpid())/fd/\(far.descriptor)")
        for (namespace, name, own) in [(host, interface, address), (far, "eth0", machine)] {
            try namespace.run("ip", "addr", "add", "\(own)/24", "dev", name)
            try namespace.run("ip", "link", "set", name, "up")
            try namespace.run("ip", "link", "set", "lo", "up")
        }
        others.append(far)
        return far
    }

    /// Lets go of all namespaces but the host's.
    func forget() { others = [] }

    /// Makes the tables what the state means.
    func firewall(_ state: FirewallState) throws {
        try host.perform { () throws(NetworkError) in
            var firewall = try Firewall()
            try firewall.replace(with: state)
        }
    }

    /// What differs from it.
    func drift(_ state: FirewallState) throws -> [String] {
        try host.perform { () throws(NetworkError) in
            var firewall = try Firewall()
            return try firewall.drift(from: state)
        }
    }
}

extension NetworkLab.Container {
    func endpoint(_ bridge: String) -> FirewallEndpoint {
        FirewallEndpoint(bridge: bridge, port: port, mac: mac, addresses: addresses)
    }
}

/// A web server in a namespace, for the length of a test.
final class WebServer {
    static let page = "a page\n"
    private let scratch: Scratch
    private let process: ChildProcess

    init(in namespace: NetworkNamespace, port: Int = 80) throws {
        scratch = try Scratch()
        try scratch.file("index.html", WebServer.page)
        guard let nsenter = Tool.find("nsenter") else { throw Errno.noEntry }
        let arguments = ["busybox", "httpd", "-f", "-p", "[::]:\(port)", "-h", scratch.path]
        process = try ChildProcess(
            nsenter, namespace.entry + arguments,
            environment: Tool.baseEnvironment)
        guard Wait.until(seconds: 20, { (try? namespace.gets("127.0.0.1:\(port)")) == true }) else {
            throw SystemFailure("serve", "\(port)", .timedOut)
        }
    }
}

extension NetworkNamespace {
    /// Whether a web server answers at `HOST:PORT`, in the end.
    func gets(_ place: String) throws -> Bool {
        try Wait.until(seconds: 15) { try getsAtOnce(place) }
    }

    func getsAtOnce(_ place: String) throws -> Bool {
        let output = try Tool.run(
            "nsenter", entry + ["curl", "-gsm", "1", "--noproxy", "*", "http://\(place)/"])
        return output.stdout == WebServer.page
    }
}

/// What a host does before its firewall is made, in one step.
enum LabForwarding {
    static func enable(
        bridges: Set<String>, hasIPv6: Bool, by route: inout RouteSocket
    ) throws(NetworkError) -> Forwarding {
        let needed = try Forwarding.needed(bridges: bridges, hasIPv6: hasIPv6, by: &route)
        try needed.enable()
        return needed
    }
}
