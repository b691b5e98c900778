internal import Glibc
internal import Sys

/// A host and one machine beyond it, which answers: `host` has a default route and resolves names by a server of its own.
package final class LocalNetwork {
    package let host: PrivateNetwork
    private let far: PrivateNetwork
    private let scratch: Scratch
    private var servers: [Int32] = []

    /// Of the machine beyond: a web server is there.
    package static let farAddress = "10.99.0.2"
    package static let hostAddress = "10.99.0.1"
    /// What every name resolves to.
    package static let answer = "10.99.0.77"
    /// A web server is there on the host's loopback, too.
    package static let loopbackPort = 8080
    package static let page = "from far away\n"

    package static let isPossible = PrivateNetwork.isPossible && Conditions.has("busybox", "python3")

    /// The first resolver of the machine, which the host's is to be; nil without one of version 4.
    package static let resolver: String? = {
        let text = String(decoding: (try? File.readAll("/etc/resolv.conf")) ?? [], as: UTF8.self)
        return text.split(separator: "\n").lazy.map { $0.split(separator: " ").map(String.init) }
            .first { $0.count > 1 && $0[0] == "nameserver" && !$0[1].contains(":") }?[1]
    }()

    /// Answers every question about an address.
    private static let nameServer = """
        import socket, sys
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.bind((sys.argv[1], 53))
        while True:
            q, a = s.recvfrom(512)
            r = b"\\xc0\\x0c\\x00\\x01\\x00\\x01\\x00\\x00\\x00\\x3c\\x00\\x04" + socket.inet_aton(sys.argv[2])
            n = q.index(b"\\0", 12) + 5
            isA = q[n - 4:n - 2] == b"\\x00\\x01"
            s.sendto(q[:2] + b"\\x81\\x80\\x00\\x01" + (b"\\x00\\x01" if isA else b"\\0\\0") + b"\\0\\0\\0\\0" + q[12:n]
                + (r if isA else b""), a)
        """

    package init(routes: Bool = true) throws {
        host = try PrivateNetwork()
        far = try PrivateNetwork()
        scratch = try Scratch()
        try host.run("ip", "link", "add", "lan0", "type", "veth", "peer", "name", "lan0", "netns", "\(far.pid)")
        for (network, address) in [(host, LocalNetwork.hostAddress), (far, LocalNetwork.farAddress)] {
            try network.run("ip", "addr", "add", "\(address)/24", "dev", "lan0")
            try network.run("ip", "link", "set", "lan0", "up")
        }
        if routes { try host.run("ip", "route", "add", "default", "via", LocalNetwork.farAddress) }
        try scratch.file("www/index.html", LocalNetwork.page)
        try serve(far, "busybox", "httpd", "-f", "-p", "\(LocalNetwork.farAddress):80", "-h", scratch("www"))
        try serve(host, "busybox", "httpd", "-f", "-p", "127.0.0.1:\(LocalNetwork.loopbackPort)", "-h", scratch("www"))
        if let resolver = LocalNetwork.resolver {
            if !resolver.hasPrefix("127.") { try host.run("ip", "addr", "add", "\(resolver)/32", "dev", "lo") }
            try serve(host, "python3", "-c", LocalNetwork.nameServer, resolver, LocalNetwork.answer)
        }
        let isUp = Wait.until(seconds: 20) {
            (try? host.run("busybox", "wget", "-qO-", "http://\(LocalNetwork.farAddress)/")) == LocalNetwork.page
        }
        if !isUp { throw SystemFailure("serve", LocalNetwork.farAddress, .timedOut) }
    }

    private func serve(_ network: PrivateNetwork, _ command: String...) throws {
        let line = network.prefix + command
        let null = try File.open("/dev/null", O_RDWR)
        servers.append(
            try Spawn.start(
                [Tool.find(line[0]) ?? line[0]] + line.dropFirst(), environment: Environment.all, input: null.raw,
                output: null.raw, error: null.raw))
        _ = consume null
    }

    deinit {
        for pid in servers {
            kill(pid, SIGKILL)
            _ = try? Spawn.wait(pid)
        }
    }
}
