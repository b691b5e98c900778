internal import Network
internal import OCI
internal import TestSupport
import Testing

/// What a container says that is not so.
@Suite(.enabled(if: NetworkLab.isPossible, Comment(rawValue: NetworkLab.requirements)))
struct SpoofingTests {
    /// Sends one frame out of eth0: `mac` is the sender's, the rest is text of Python for what lies behind.
    private static let frames = """
        import socket, struct, sys
        own, gateway, victim = [bytes.fromhex(a.replace(":", "")) for a in sys.argv[2:5]]
        def four(a): return socket.inet_aton(a)
        def six(a): return socket.inet_pton(socket.AF_INET6, a)
        def sum16(data):
            data += b"\\0" * (len(data) % 2)
            s = sum(struct.unpack("!%dH" % (len(data) // 2), data))
            s = (s >> 16) + (s & 0xffff)
            return ~((s >> 16) + s) & 0xffff
        def arp(mac, sender, ip, target):
            return b"\\xff" * 6 + mac + b"\\x08\\x06" + struct.pack("!HHBBH", 1, 0x800, 6, 4, 2) + sender + four(ip) \\
                + b"\\0" * 6 + four(target)
        def icmp6(mac, source, target, body):
            pseudo = six(source) + six(target) + struct.pack("!II", len(body), 58)
            check = sum16(pseudo + body)
            body = body[:2] + struct.pack("!H", check) + body[4:]
            head = struct.pack("!IHBB", 0x60000000, len(body), 58, 255) + six(source) + six(target)
            return b"\\x33\\x33\\0\\0\\0\\1" + mac + b"\\x86\\xdd" + head + body
        def ip(mac, source, target):
            body = struct.pack("!HHHH", 4000, 9, 8, 0)
            head = struct.pack("!BBHHHBBH", 0x45, 0, 28, 1, 0, 64, 17, 0) + four(source) + four(target)
            head = head[:10] + struct.pack("!H", sum16(head)) + head[12:]
            return victim + mac + b"\\x08\\0" + head + body
        link = "fe80::42:acff:fe14:3"
        all = "ff02::1"
        neighbour = struct.pack("!BBHI", 136, 0, 0, 0x20000000) + six("fd00:20::1") + b"\\2\\1" + own
        router = struct.pack("!BBHBBHII", 134, 0, 0, 64, 0, 1800, 0, 0) + b"\\1\\1" + own \\
            + struct.pack("!BBBBIII", 3, 4, 64, 0xc0, 3600, 3600, 0) + six("fd00:66::")
        frame = {
            "arp": lambda: arp(own, own, "172.20.0.1", "172.20.0.2"),
            "arp-mac": lambda: arp(own, gateway, "172.20.0.3", "172.20.0.2"),
            "mac": lambda: arp(gateway, gateway, "172.20.0.3", "172.20.0.2"),
            "honest": lambda: arp(own, own, "172.20.0.3", "172.20.0.2"),
            "ip": lambda: ip(own, "172.20.0.1", "172.20.0.2"),
            "honest-ip": lambda: ip(own, "172.20.0.3", "172.20.0.2"),
            "neighbour": lambda: icmp6(own, link, all, neighbour),
            "router": lambda: icmp6(own, link, all, router),
            "other": lambda: b"\\xff" * 6 + own + b"\\x88\\xb5" + b"\\0" * 46,
        }[sys.argv[1]]()
        s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
        s.bind(("eth0", 0))
        for _ in range(3): s.send(frame)
        """

    private final class Scene {
        let lab: NetworkLab
        let victim: NetworkLab.Container
        let attacker: NetworkLab.Container
        let gateway: MACAddress

        init(isGuarded: Bool) throws {
            lab = try NetworkLab()
            try lab.bridge("runimg0", "172.20.0.1/16", "fd00:20::1/64")
            victim = try lab.container(on: "runimg0", ["172.20.0.2/16", "fd00:20::2/64"])
            attacker = try lab.container(on: "runimg0", ["172.20.0.3/16", "fd00:20::3/64"])
            var state = FirewallState()
            state.networks = [FirewallNetwork(bridge: "runimg0", prefixes: [NetworkLab.prefix("172.20.0.0/16")])]
            state.endpoints = [victim.endpoint("runimg0"), attacker.endpoint("runimg0")]
            try lab.firewall(state)
            if !isGuarded { try lab.host.run("nft", "delete", "table", "bridge", "runimg") }
            let link = try lab.host.perform { () throws(NetworkError) -> Link? in
                var route = try RouteSocket()
                return try route.link(named: "runimg0")
            }
            gateway = try #require(link?.mac)
            // It believes the last word.
            try victim.namespace.run("sh", "-c", "echo 0 > /proc/sys/net/ipv4/neigh/eth0/locktime")
            // The victim knows the gateway, and counts what arrives.
            for address in ["172.20.0.1", "fd00:20::1"] { #expect(try victim.namespace.reaches(address)) }
            try victim.namespace.run(
                "nft",
                """
                add table netdev t; add chain netdev t c { type filter hook ingress device "eth0" priority 0; }
                add counter netdev t seen
                """)
        }

        func send(_ frame: String) throws {
            try attacker.namespace.run(
                "python3", "-c", SpoofingTests.frames, frame, "\(attacker.mac)", "\(gateway)", "\(victim.mac)")
        }

        /// How many frames that match reach the victim while `frame` is sent, and a last honest one is there.
        func arrives(_ frame: String, _ match: String) throws -> Bool {
            try victim.namespace.run("nft", "add rule netdev t c \(match) counter name seen")
            try send(frame)
            // What was sent before it has arrived, or never does.
            #expect(try attacker.namespace.reaches("172.20.0.2"))
            return try !victim.namespace.run("nft", "list", "counter", "netdev", "t", "seen").contains("packets 0 ")
        }

        func knowsGateway(_ address: String) throws -> Bool {
            let seen = try victim.namespace.run("ip", "neigh", "show", address)
            return seen.contains("\(gateway)")
        }
    }

    private static let attacks: [(frame: String, match: String)] = [
        ("arp", "arp operation reply arp saddr ip 172.20.0.1"),
        ("arp-mac", "arp operation reply arp saddr ip 172.20.0.3"),
        ("mac", "arp operation reply arp saddr ip 172.20.0.3"),
        ("ip", "ip saddr 172.20.0.1 udp dport 9"), ("neighbour", "icmpv6 type nd-neighbor-advert"),
        ("router", "icmpv6 type nd-router-advert"), ("other", "meta protocol 0x88b5"),
    ]

    @Test("N2: a container can't speak as another or as the gateway", arguments: Self.attacks.indices)
    func aContainerSpeaksForItself(_ index: Int) throws {
        let attack = SpoofingTests.attacks[index]
        let scene = try Scene(isGuarded: true)
        #expect(try !scene.arrives(attack.frame, attack.match), "\(attack.frame)")
        for address in ["172.20.0.1", "fd00:20::1"] { #expect(try scene.knowsGateway(address), "\(attack.frame)") }
        #expect(
            try !scene.lab.host.run("bridge", "fdb", "show", "br", "runimg0").contains("\(scene.gateway) dev veth2"))
    }

    /// So the test above would see it.
    @Test(arguments: Self.attacks.indices) func withoutTheTableItArrives(_ index: Int) throws {
        let attack = SpoofingTests.attacks[index]
        let scene = try Scene(isGuarded: false)
        #expect(try scene.arrives(attack.frame, attack.match), "\(attack.frame)")
        if attack.frame == "arp" { #expect(try !scene.knowsGateway("172.20.0.1")) }
        if attack.frame == "neighbour" { #expect(try !scene.knowsGateway("fd00:20::1")) }
    }

    @Test func whatIsSoArrives() throws {
        let scene = try Scene(isGuarded: true)
        #expect(try scene.arrives("honest", "arp operation reply arp saddr ip 172.20.0.3"))
        #expect(try scene.arrives("honest-ip", "ip saddr 172.20.0.3 udp dport 9"))
        for address in ["172.20.0.2", "fd00:20::2", "fd00:20::1"] {
            #expect(try scene.attacker.namespace.reaches(address))
        }
    }

    @Test("N1: a container's router advertisement changes no route of the host", arguments: [true, false])
    func advertisementsAreNotTaken(_ isGuarded: Bool) throws {
        let scene = try Scene(isGuarded: isGuarded)
        let before = try scene.lab.host.run("ip", "-6", "route")
        try scene.send("router")
        #expect(try scene.attacker.namespace.reaches("172.20.0.1"))
        #expect(try scene.lab.host.run("ip", "-6", "route") == before)
        if isGuarded { return }
        // A host that would listen is told so.
        try scene.lab.host.run("sh", "-c", "echo 2 > /proc/sys/net/ipv6/conf/runimg0/accept_ra")
        try scene.send("router")
        #expect(try Wait.until(seconds: 10) { try scene.lab.host.run("ip", "-6", "route").contains("fd00:66::/64") })
    }
}
