internal import Network
internal import OCI
internal import Sys
internal import TestSupport
import Testing

/// Beside another firewall, which passes nothing on: as docker leaves iptables(8).
@Suite(
    .enabled(
        if: NetworkLab.isPossible && Conditions.has("iptables-nft", "iptables-legacy"),
        Comment(rawValue: NetworkLab.requirements + ", iptables-nft and iptables-legacy")))
struct ForeignForwardTests {
    private func open(_ lab: NetworkLab) throws -> [String] {
        try lab.host.perform { () throws(NetworkError) in
            var firewall = try Firewall()
            return try ForeignForward.open(["runimg0"], by: &firewall)
        }
    }

    private func close(_ lab: NetworkLab) throws {
        try lab.host.perform { () throws(NetworkError) in
            var firewall = try Firewall()
            try ForeignForward.close("runimg0", by: &firewall)
        }
    }

    private func scene() throws -> (lab: NetworkLab, container: NetworkLab.Container) {
        let lab = try NetworkLab()
        _ = try lab.machine("lan0", host: "10.99.0.1", machine: "10.99.0.2")
        try lab.bridge("runimg0", "172.20.0.1/16")
        let container = try lab.container(on: "runimg0", ["172.20.0.2/16"], gateways: ["172.20.0.1"])
        var state = FirewallState()
        state.networks = [FirewallNetwork(bridge: "runimg0", prefixes: [NetworkLab.prefix("172.20.0.0/16")])]
        state.endpoints = [container.endpoint("runimg0")]
        try lab.host.perform { () throws(NetworkError) in
            var route = try RouteSocket()
            _ = try LabForwarding.enable(bridges: ["runimg0"], hasIPv6: false, by: &route)
        }
        try lab.firewall(state)
        return (lab, container)
    }

    @Test func withoutAnotherFirewallNothingIsDone() throws {
        let lab = try NetworkLab()
        #expect(try open(lab) == [])
        try close(lab)
        #expect(try lab.host.run("nft", "list", "ruleset").isEmpty)
    }

    @Test(arguments: ["iptables-nft", "iptables-legacy"]) func packetsPass(_ program: String) throws {
        let (lab, container) = try scene()
        try #require(try container.namespace.reaches("10.99.0.2"))
        for version in [program, program.replacing("iptables", "ip6tables")] {
            try lab.host.run(version, "-P", "FORWARD", "DROP")
            try lab.host.run(version, "-A", "FORWARD", "-i", "eth7", "-j", "ACCEPT")
        }
        let before = try lab.host.run(program, "-S", "FORWARD")
        #expect(try !container.namespace.pings("10.99.0.2"))
        let names =
            program == "iptables-nft"
            ? ["ip filter FORWARD", "ip6 filter FORWARD"] : ["iptables filter FORWARD", "ip6tables filter FORWARD"]
        #expect(try open(lab) == names)
        #expect(try container.namespace.reaches("10.99.0.2"))
        let rules = try lab.host.run(program, "-S", "FORWARD").lines
        #expect(rules.count == 4 && rules[0] == "-P FORWARD DROP" && rules[3] == "-A FORWARD -i eth7 -j ACCEPT")
        for direction in ["-i", "-o"] {
            let isThere = rules[1...2].contains {
                $0.hasPrefix("-A FORWARD \(direction) runimg0 ") && $0.hasSuffix("-j ACCEPT")
            }
            #expect(isThere, "\(rules)")
        }
        #expect(try open(lab) == [])
        try close(lab)
        #expect(try lab.host.run(program, "-S", "FORWARD") == before)
    }
}

extension String {
    fileprivate var lines: [String] { split(separator: "\n").map(String.init) }

    fileprivate func replacing(_ word: String, _ other: String) -> String {
        hasPrefix(word) ? other + dropFirst(word.count) : self
    }
}
