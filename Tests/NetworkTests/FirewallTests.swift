internal import CLinux
internal import Network
internal import OCI
internal import TestSupport
import Testing

@Suite(.enabled(if: NetworkLab.isPossible, Comment(rawValue: NetworkLab.requirements)))
struct FirewallTests {
    /// A state with something of everything.
    static func example() -> FirewallState {
        var state = FirewallState()
        state.networks = [
            FirewallNetwork(
                bridge: "runimg0", prefixes: ["172.17.0.0/16", "fd00:17::/64"].map(NetworkLab.prefix)),
            FirewallNetwork(
                bridge: "br-inside", prefixes: [NetworkLab.prefix("172.18.0.0/16")], isInternal: true,
                allowsPeers: false),
            FirewallNetwork(
                bridge: "br-plain", prefixes: [NetworkLab.prefix("172.19.128.0/18")], masquerades: false),
        ]
        let addresses = ["172.17.0.2", "fd00:17::2"].map(NetworkLab.address)
        state.endpoints = [
            FirewallEndpoint(
                bridge: "runimg0", port: "veth1", mac: MACAddress(of: addresses[0]), addresses: addresses)
        ]
        state.ports = [
            port("0.0.0.0", 8080, .init(80), "172.17.0.2"), port("10.1.2.3", 53, .init(54, .udp), "172.17.0.2"),
            port("::", 8080, .init(80), "fd00:17::2"), port("fd01::1", 99, .init(98, .sctp), "fd00:17::2"),
            // The kernel leads neither: a process does.
            port("127.0.0.1", 81, .init(80), "172.17.0.2"), port("::", 82, .init(80), "172.17.0.2"),
        ]
        state.switched = ["eth0"]
        state.switched6 = ["eth1"]
        return state
    }

    static func port(_ address: String, _ number: UInt16, _ port: ContainerPort, _ target: String) -> FirewallPort {
        FirewallPort(
            PublishedPort(port, address: NetworkLab.address(address), hostPort: number),
            target: NetworkLab.address(target))
    }

    @Test func theTablesAreWhatIsMeant() throws {
        let lab = try NetworkLab()
        try lab.firewall(FirewallTests.example())
        let inet = FirewallTests.ordered(try lab.host.run("nft", "list", "table", "inet", "runimg"))
        #expect(inet == FirewallTests.inet)
        let bridge = FirewallTests.ordered(try lab.host.run("nft", "list", "table", "bridge", "runimg"))
        #expect(bridge == FirewallTests.bridge)
        #expect(try lab.drift(FirewallTests.example()) == [])
    }

    @Test func aReplacementLeavesOthersAlone() throws {
        let lab = try NetworkLab()
        try lab.host.run("nft", "add table inet other; add chain inet other c; add rule inet other c accept")
        try lab.firewall(FirewallTests.example())
        var state = FirewallState()
        state.networks = [FirewallTests.example().networks[2]]
        try lab.firewall(state)
        #expect(try lab.drift(state) == [])
        #expect(try lab.drift(FirewallTests.example()).count > 5)
        try lab.host.perform { () throws(NetworkError) in
            var firewall = try Firewall()
            try firewall.removeAll()
            // Once more, with nothing there.
            try firewall.removeAll()
        }
        let left = try lab.host.run("nft", "list", "ruleset")
        #expect(left.contains("table inet other") && !left.contains("runimg"))
    }

    @Test(arguments: [
        ("flush ruleset", "table inet runimg is missing"),
        ("delete table bridge runimg", "table bridge runimg is missing"),
        ("flush chain inet runimg forward", "table inet runimg: chain forward has 0 rules in place of 11"),
        (
            "add rule inet runimg forward accept",
            "table inet runimg: chain forward has 12 rules in place of 11"
        ),
        (
            "flush chain inet runimg output; add rule inet runimg output accept; add rule inet runimg output accept; "
                + "add rule inet runimg output accept",
            "table inet runimg: chain output has other rules, or in another order"
        ),
        (
            "add chain inet runimg forward { type filter hook forward priority 0; policy drop; }",
            "table inet runimg: chain forward is entered elsewhere or has another policy"
        ),
        ("add chain inet runimg more", "table inet runimg: chain more is not ours"),
        (
            "delete element inet runimg published4 { tcp . 8080 }",
            "table inet runimg: set published4 lacks 1 of its 1 elements"
        ),
        (
            "add element bridge runimg ports { \"eth7\" }",
            "table bridge runimg: set ports has 1 elements too many"
        ),
        ("add table inet runimg { flags dormant; }", "table inet runimg is switched off"),
    ])
    func whatSomebodyChangedIsFound(_ change: (command: String, finding: String)) throws {
        let lab = try NetworkLab()
        let state = FirewallTests.example()
        try lab.firewall(state)
        try lab.host.run("nft", change.command)
        let found = try lab.drift(state)
        #expect(found.contains(change.finding), "\(found)")
        try lab.firewall(state)
        #expect(try lab.drift(state) == [])
    }

    @Test func containersComeAndGo() throws {
        let lab = try NetworkLab()
        let whole = FirewallTests.example()
        var state = whole
        state.endpoints = []
        state.ports = []
        let empty = state
        try lab.firewall(empty)
        try lab.host.perform { () throws(NetworkError) in
            var firewall = try Firewall()
            let generation = try firewall.generation()
            let next = try firewall.add(whole.endpoints, whole.ports, expecting: generation)
            let last = try firewall.add(whole.endpoints, whole.ports, expecting: next)
            guard try firewall.generation() == last else { throw .firewallChanged }
        }
        #expect(try lab.drift(whole) == [])
        for _ in 0..<2 {
            try lab.host.perform { () throws(NetworkError) in
                var firewall = try Firewall()
                try firewall.remove(whole.endpoints, whole.ports)
            }
            #expect(try lab.drift(empty) == [])
        }
    }

    @Test func aPortThatWasLeftIsTakenOver() throws {
        let lab = try NetworkLab()
        var state = FirewallTests.example()
        try lab.firewall(state)
        let other = FirewallTests.port("0.0.0.0", 8080, .init(81), "172.17.0.9")
        let old = state.ports
        try lab.host.perform { () throws(NetworkError) in
            var firewall = try Firewall()
            try firewall.add([], [other])
        }
        state.ports[0] = other
        #expect(try lab.drift(state) == [])
        // The old owner takes back what is its own only.
        try lab.host.perform { () throws(NetworkError) in
            var firewall = try Firewall()
            try firewall.remove([], old)
        }
        state.ports = [other]
        #expect(try lab.drift(state) == [])
    }

    @Test func networksComeAndGo() throws {
        let lab = try NetworkLab()
        let whole = FirewallTests.example()
        var state = whole
        state.networks.removeFirst()
        try lab.firewall(state)
        for _ in 0..<2 {
            try lab.host.perform { () throws(NetworkError) in
                var firewall = try Firewall()
                try firewall.add(whole.networks[0])
            }
            #expect(try lab.drift(whole) == [])
        }
        for _ in 0..<2 {
            try lab.host.perform { () throws(NetworkError) in
                var firewall = try Firewall()
                try firewall.remove(network: "runimg0")
            }
            #expect(try lab.drift(state) == [])
        }
    }

    @Test func whatIsMissingAndWhatWasChangedAreToldApart() throws {
        let lab = try NetworkLab()
        let state = FirewallTests.example()
        func add(_ generation: UInt32?) throws {
            try lab.host.perform { () throws(NetworkError) in
                var firewall = try Firewall()
                try firewall.add(state.endpoints, state.ports, expecting: generation)
            }
        }
        let missing = #expect(throws: NetworkError.self) { try add(nil) }
        guard case .firewallMissing = missing else { throw try #require(missing) }
        try lab.firewall(state)
        let generation = try lab.host.perform { () throws(NetworkError) in
            var firewall = try Firewall()
            return try firewall.generation()
        }
        try lab.host.run("nft", "add table inet other")
        let changed = #expect(throws: NetworkError.self) { try add(generation) }
        guard case .firewallChanged = changed else { throw try #require(changed) }
        try add(generation + 1)
        // Taking back from tables that are gone is no error.
        try lab.host.run("nft", "flush", "ruleset")
        try lab.host.perform { () throws(NetworkError) in
            var firewall = try Firewall()
            try firewall.remove(state.endpoints, state.ports)
            try firewall.remove(network: "runimg0")
        }
    }

    @Test func manyContainersAreOneTransaction() throws {
        let lab = try NetworkLab()
        var state = FirewallTests.example()
        let first = NetworkLab.address("172.17.1.0")
        for number in 0..<3000 {
            let address = first.advanced(by: UInt64(number))
            state.endpoints.append(
                FirewallEndpoint(
                    bridge: "runimg0", port: "veth-\(number)", mac: MACAddress(of: address), addresses: [address]))
            let port = PublishedPort(.init(80), address: .any4, hostPort: UInt16(10_000 + number))
            state.ports.append(FirewallPort(port, target: address))
        }
        try lab.firewall(state)
        #expect(try lab.drift(state) == [])
    }

    @Test func whoMayNotIsTold() throws {
        let lab = try NetworkLab()
        let errors = try lab.host.perform { () throws(NetworkError) -> [String] in
            // Of this thread only.
            _ = clinux_keep_capabilities(0)
            var result: [String] = []
            do throws(NetworkError) {
                var firewall = try Firewall()
                try firewall.removeAll()
            } catch {
                result.append("\(error)")
            }
            do throws(NetworkError) {
                var route = try RouteSocket()
                _ = try route.ensureBridge(BridgeDescription(name: "runimg0", addresses: []))
            } catch {
                result.append("\(error)")
            }
            return result
        }
        #expect(
            errors == [
                "the firewall can't be set: only root, with CAP_NET_ADMIN, may change it",
                "make the bridge runimg0: operation not permitted (EPERM); only root, with CAP_NET_ADMIN, may change "
                    + "networks",
            ])
    }
}
