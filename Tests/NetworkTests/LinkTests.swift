internal import Glibc
internal import Network
internal import OCI
internal import Synchronization
internal import Sys
internal import TestSupport
import Testing

@Suite(.enabled(if: NetworkLab.isPossible, Comment(rawValue: NetworkLab.requirements)))
struct LinkTests {
    @Test func containersOnABridgeReachEachOtherAndTheHost() throws {
        let lab = try NetworkLab()
        try lab.bridge("runimg0", "172.20.0.1/16", "fd00:20::1/64")
        let one = try lab.container(
            on: "runimg0", ["172.20.0.2/16", "fd00:20::2/64"], gateways: ["172.20.0.1", "fd00:20::1"])
        let other = try lab.container(on: "runimg0", ["172.20.0.3/16", "fd00:20::3/64"])
        for address in ["172.20.0.1", "172.20.0.3", "fd00:20::1", "fd00:20::3", "127.0.0.1"] {
            #expect(try one.namespace.reaches(address), "\(address)")
        }
        #expect(try lab.host.reaches("172.20.0.3"))
        #expect(try other.namespace.run("ip", "-br", "link", "show", "eth0").contains("02:42:ac:14:00:03"))
        let routes = try one.namespace.run("ip", "-o", "route")
        #expect(routes.contains("default via 172.20.0.1 dev eth0"))
        #expect(try one.namespace.run("ip", "-6", "-o", "route").contains("default via fd00:20::1 dev eth0"))
        #expect(try one.namespace.run("ip", "-o", "addr").contains("172.20.255.255"))
    }

    @Test func aBridgeIsWhatItIsToBe() throws {
        let lab = try NetworkLab()
        try lab.bridge("br-four", "10.4.0.1/24", mtu: 1400)
        let shown = try lab.host.run("ip", "-d", "link", "show", "br-four")
        #expect(shown.contains("mtu 1400") && shown.contains("forward_delay 0") && shown.contains("stp_state 0"))
        #expect(shown.contains("UP"))
        let six = "/proc/sys/net/ipv6/conf/br-four/disable_ipv6"
        #expect(try lab.host.run("cat", six, "/proc/sys/net/ipv4/conf/br-four/forwarding") == "1\n1\n")
        #expect(try lab.host.run("cat", "/proc/sys/net/ipv4/conf/br-four/route_localnet") == "0\n")
        // Its address is its own, and no port changes it.
        let before = try mac(lab, "br-four")
        #expect(before.bytes[0] & 3 == 2)
        _ = try lab.container(on: "br-four", ["10.4.0.2/24"])
        #expect(try mac(lab, "br-four") == before)
        try lab.bridge("br-six", "10.6.0.1/24", "fd00:6::1/64")
        let conf = "/proc/sys/net/ipv6/conf/br-six"
        #expect(try lab.host.run("cat", "\(conf)/accept_ra", "\(conf)/accept_redirects") == "0\n0\n")
        #expect(!(try lab.host.run("ip", "-6", "addr", "show", "dev", "br-six")).contains("tentative"))
    }

    private func mac(_ lab: NetworkLab, _ name: String) throws -> MACAddress {
        let link = try lab.host.perform { () throws(NetworkError) -> Link? in
            var route = try RouteSocket()
            return try route.link(named: name)
        }
        return try #require(link?.mac)
    }

    @Test func aBridgeIsRepaired() throws {
        let lab = try NetworkLab()
        let made = try lab.bridge("runimg0", "172.20.0.1/16")
        let before = try mac(lab, "runimg0")
        try lab.host.run("ip", "addr", "flush", "dev", "runimg0")
        try lab.host.run("ip", "link", "set", "runimg0", "down")
        #expect(try lab.bridge("runimg0", "172.20.0.1/16") == made)
        #expect(try lab.host.run("ip", "-o", "addr", "show", "up").contains("172.20.0.1/16"))
        #expect(try mac(lab, "runimg0") == before)
        let again = try lab.host.perform { () throws(NetworkError) -> Bool in
            var route = try RouteSocket()
            let description = BridgeDescription(name: "runimg0", addresses: [NetworkLab.prefix("172.20.0.1/16")])
            return try route.ensureBridge(description).isNew
        }
        #expect(!again)
    }

    /// On as many threads.
    private func together(_ count: Int, _ body: @escaping @Sendable () -> Void) throws {
        if count == 0 { return }
        let thread = try JoinableThread(body)
        let others = Result { try together(count - 1, body) }
        thread.join()
        try others.get()
    }

    @Test func severalMakeOneBridge() throws {
        let lab = try NetworkLab()
        let host = lab.host
        let made = Mutex<[String]>([])
        try together(8) {
            let outcome: String
            do throws(NetworkError) {
                outcome = try host.perform { () throws(NetworkError) -> String in
                    var route = try RouteSocket()
                    let wanted = BridgeDescription(name: "runimg0", addresses: [NetworkLab.prefix("172.20.0.1/16")])
                    let bridge = try route.ensureBridge(wanted)
                    return "\(bridge.index) \(bridge.isNew)"
                }
            } catch {
                outcome = "\(error)"
            }
            made.withLock { $0.append(outcome) }
        }
        let all = made.withLock { $0 }
        #expect(all.count == 8 && all.filter { $0.hasSuffix(" true") }.count == 1, "\(all)")
        #expect(Set(all.map { $0.prefix { $0 != " " } }).count == 1, "\(all)")
    }

    @Test func anotherKindOfLinkIsNoBridge() throws {
        let lab = try NetworkLab()
        try lab.host.run("ip", "link", "add", "runimg0", "type", "veth", "peer", "name", "other")
        let error = #expect(throws: NetworkError.self) { try lab.bridge("runimg0", "172.20.0.1/16") }
        #expect("\(try #require(error))".contains("runimg0 is to be a bridge"))
        #expect("\(try #require(error))".contains("of kind veth"))
    }

    @Test func aPortOfADeadContainerIsReplaced() throws {
        let lab = try NetworkLab()
        try lab.bridge("runimg0", "172.20.0.1/16")
        try lab.host.run("ip", "link", "add", "veth1", "type", "veth", "peer", "name", "left")
        let container = try lab.container(on: "runimg0", ["172.20.0.2/16"])
        #expect(container.port == "veth1")
        #expect(try container.namespace.reaches("172.20.0.1"))
    }

    @Test func aPortGoesWithTheNamespace() throws {
        let lab = try NetworkLab()
        try lab.bridge("runimg0", "172.20.0.1/16")
        do { _ = try lab.container(on: "runimg0", ["172.20.0.2/16"]) }
        #expect(try lab.host.succeeds("ip", "link", "show", "veth1"))
        lab.forget()
        #expect(Wait.until(seconds: 20) { (try? lab.host.succeeds("ip", "link", "show", "veth1")) == false })
    }

    @Test func isolatedPortsReachOnlyTheHost() throws {
        let lab = try NetworkLab()
        try lab.bridge("runimg0", "172.20.0.1/16")
        let one = try lab.container(on: "runimg0", ["172.20.0.2/16"], isIsolated: true)
        _ = try lab.container(on: "runimg0", ["172.20.0.3/16"], isIsolated: true)
        #expect(try one.namespace.reaches("172.20.0.1"))
        #expect(try !one.namespace.pings("172.20.0.3"))
    }

    @Test func withoutIPv6ThereIsNone() throws {
        let lab = try NetworkLab()
        try lab.bridge("runimg0", "172.20.0.1/16")
        let container = try lab.container(on: "runimg0", ["172.20.0.2/16"])
        #expect(try container.namespace.run("ip", "-6", "-o", "addr", "show", "dev", "eth0").isEmpty)
        #expect(try lab.host.run("ip", "-6", "-o", "addr", "show", "dev", "runimg0").isEmpty)
    }

    /// Which takes some seconds: the kernel gives each pair its time.
    @Test func aFullBridgeSaysSo() throws {
        let lab = try NetworkLab()
        try lab.bridge("runimg0", "172.20.0.1/16")
        let script = """
            for n in $(seq 1 1023); do echo "link add p$n master runimg0 type veth peer name q$n"; done > "$0"
            ip -batch "$0"
            """
        let scratch = try Scratch()
        try lab.host.run("sh", "-c", script, scratch("batch"))
        let error = #expect(throws: NetworkError.self) {
            try lab.container(on: "runimg0", ["172.20.0.2/16"])
        }
        guard case .bridgeFull("runimg0") = error else { throw try #require(error) }
        #expect(try !lab.host.succeeds("ip", "link", "show", "veth1"))
    }

    @Test func listsSayWhatThereIs() throws {
        let lab = try NetworkLab()
        let index = try lab.bridge("runimg0", "172.20.0.1/16", "fd00:20::1/64")
        try lab.bridge("runimg1", "172.21.0.1/16")
        _ = try lab.container(on: "runimg0", ["172.20.0.2/16"])
        _ = try lab.container(on: "runimg1", ["172.21.0.2/16"])
        try lab.host.run("ip", "route", "add", "10.8.0.0/13", "dev", "runimg0", "table", "77")
        let seen = try lab.host.perform { () throws(NetworkError) -> ([String], [IPPrefix], [IPPrefix], Bool) in
            var route = try RouteSocket()
            let ports = try route.links(master: index).map(\.name)
            let addresses = try route.addresses(index).map(\.prefix)
            let isMissing = try route.link(named: "nothing") == nil
            try route.deleteLink(named: "nothing")
            try route.deleteLink(4711)
            return (ports, addresses, try route.routes(), isMissing)
        }
        #expect(seen.0 == ["veth1"])
        #expect(seen.1 == ["172.20.0.1/16", "fd00:20::1/64"].map(NetworkLab.prefix))
        let expected = ["172.20.0.0/16", "172.21.0.0/16", "fd00:20::/64", "10.8.0.0/13"].map(NetworkLab.prefix)
        #expect(Set(seen.2).isSuperset(of: expected))
        #expect(!seen.2.contains { $0.length == 0 || $0.length == 32 })
        #expect(seen.3)
    }

    @Test func aMacvlanIsAMachineOnTheParentsNetwork() throws {
        let lab = try NetworkLab()
        let far = try lab.machine("lan0", host: "10.99.0.1", machine: "10.99.0.2")
        let namespace = try NetworkNamespace()
        let mac = try #require(MACAddress("02:42:0a:63:00:09"))
        let fd = namespace.descriptor
        try lab.host.perform { () throws(NetworkError) in
            var route = try RouteSocket()
            try route.makeMacvlan(MacvlanDescription(parent: "lan0", namespace: fd, interface: "eth0", mac: mac))
        }
        let setup = InterfaceSetup(name: "eth0", addresses: [NetworkLab.prefix("10.99.0.9/24")])
        try namespace.perform { () throws(NetworkError) in try InterfaceSetup.apply([setup]) }
        #expect(try far.reaches("10.99.0.9"))
        #expect(try far.run("ip", "neigh", "show", "10.99.0.9").contains("\(mac)"))
        let error = #expect(throws: NetworkError.self) {
            try lab.host.perform { () throws(NetworkError) in
                var route = try RouteSocket()
                try route.makeMacvlan(MacvlanDescription(parent: "lan7", namespace: fd, interface: "eth1", mac: mac))
            }
        }
        #expect("\(try #require(error))".contains("no network interface lan7"))
    }

    @Test func refusalsSayWhatWasTriedAndWhy() throws {
        let lab = try NetworkLab()
        let error = #expect(throws: NetworkError.self) { try lab.bridge("a-name-of-more-than-15-bytes", "10.0.0.1/8") }
        let text = "\(try #require(error))"
        #expect(text.contains("a-name-of-more-than-15-bytes") && text.contains("(E"), "\(text)")
        // The kernel's own words come along.
        try lab.host.run("ip", "link", "add", "veth1", "type", "veth", "peer", "name", "other")
        let refused = #expect(throws: NetworkError.self) {
            try lab.host.perform { () throws(NetworkError) in
                var route = try RouteSocket()
                guard let link = try route.link(named: "veth1") else { return }
                try route.setMaster(link.index, to: link.index)
            }
        }
        guard case .kernel(let refusal) = refused else { throw try #require(refused) }
        #expect(refusal.errno == .notSupported || refusal.errno == .invalid)
    }

    @Test func aRunningProcesssNamespaceIsEntered() throws {
        let network = try PrivateNetwork()
        let pidfd = try Pidfd.open(network.pid)
        let namespace = try NetworkNamespace(of: pidfd.raw)
        try network.run("ip", "link", "add", "mark", "type", "veth", "peer", "name", "other")
        let isThere = try namespace.perform { () throws(NetworkError) -> Bool in
            var route = try RouteSocket()
            return try route.link(named: "mark")?.kind == "veth"
        }
        #expect(isThere)
    }
}
