internal import Glibc
internal import Sys

/// Three hosts at one switch, each a network namespace of its own: `10.77.0.1` to `.3` and `fd77::1` to `::3`, without any
/// way further. On each of them a web server can be had that answers with the address of who asks.
package final class LocalAreaNetwork {
    package let hosts: [PrivateNetwork]
    private let ether: PrivateNetwork
    private var servers: [Int32] = []

    package static let isPossible = PrivateNetwork.isPossible && Conditions.has("python3")
    package static let requirements = "needs root, unshare, nsenter, ip and python3"

    /// In every host.
    package static let interface = "lan0"

    package init() throws {
        ether = try PrivateNetwork()
        try ether.run("ip", "link", "add", "switch", "type", "bridge")
        try ether.run("ip", "link", "set", "switch", "up")
        hosts = try (1...3).map { _ in try PrivateNetwork() }
        for (number, host) in hosts.enumerated() {
            try ether.run(
                "ip", "link", "add", "port\(number)", "type", "veth", "peer", "name", LocalAreaNetwork.interface,
                "netns", "\(host.pid)")
            try ether.run("ip", "link", "set", "port\(number)", "master", "switch", "up")
            try host.run("ip", "addr", "add", "\(address(number))/24", "dev", LocalAreaNetwork.interface)
            try host.run("ip", "addr", "add", "\(address6(number))/64", "dev", LocalAreaNetwork.interface, "nodad")
            try host.run("ip", "link", "set", LocalAreaNetwork.interface, "up")
        }
        // Whoever goes outward goes by the last one, which knows no other network.
        for host in hosts.dropLast() {
            try host.run("ip", "route", "add", "default", "via", address(2))
            try host.run("ip", "-6", "route", "add", "default", "via", address6(2))
        }
    }

    package func address(_ host: Int) -> String { "10.77.0.\(host + 1)" }
    package func address6(_ host: Int) -> String { "fd77::\(host + 1)" }

    /// Of both versions, one connection at a time: the client's address, in one line.
    private static let echoServer = """
        import socket, sys
        server = socket.create_server(("::", int(sys.argv[1])), family=socket.AF_INET6, dualstack_ipv6=True, backlog=64)
        while True:
            connection, peer = server.accept()
            connection.sendall((peer[0].removeprefix("::ffff:") + "\\n").encode())
            connection.close()
        """

    /// Serves on a port of a host, or of what else has a process with a network namespace.
    package func serve(_ prefix: [String], port: Int) throws {
        let line = prefix + ["python3", "-c", LocalAreaNetwork.echoServer, "\(port)"]
        let null = try File.open("/dev/null", O_RDWR)
        servers.append(
            try Spawn.start(
                [Tool.find(line[0]) ?? line[0]] + line.dropFirst(), environment: Environment.all, input: null.raw,
                output: null.raw, error: null.raw))
        _ = consume null
        let isUp = try Wait.until(seconds: 20) { try LocalAreaNetwork.ask("127.0.0.1", port, prefix) != nil }
        if !isUp { throw SystemFailure("serve", "port \(port)", .timedOut) }
    }

    /// What the server there says, asked from a host; nil where nobody answers within two seconds.
    package func ask(_ address: String, _ port: Int, from host: Int) throws -> String? {
        try Self.ask(address, port, hosts[host].prefix)
    }

    package static func ask(_ address: String, _ port: Int, _ prefix: [String]) throws -> String? {
        let client = """
            import socket, sys
            try:
                connection = socket.create_connection((sys.argv[1], int(sys.argv[2])), 2)
                print(connection.makefile().readline().strip())
            except OSError as error:
                print(error, file=sys.stderr)
            """
        let line = prefix + ["python3", "-c", client, address, "\(port)"]
        let output = try Tool.run(line[0], Array(line.dropFirst()))
        return output.lines.first.flatMap { $0.isEmpty ? nil : $0 }
    }

    package func stopServers() {
        for pid in servers {
            kill(pid, SIGKILL)
            _ = try? Spawn.wait(pid)
        }
        servers = []
    }

    deinit { stopServers() }
}
