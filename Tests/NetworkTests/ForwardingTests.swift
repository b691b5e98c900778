internal import Network
internal import OCI
internal import TestSupport
import Testing

@Suite(.enabled(if: NetworkLab.isPossible, Comment(rawValue: NetworkLab.requirements)))
struct ForwardingTests {
    private func enable(_ lab: NetworkLab, hasIPv6: Bool) throws -> Forwarding {
        try lab.host.perform { () throws(NetworkError) in
            var route = try RouteSocket()
            return try LabForwarding.enable(bridges: ["runimg0"], hasIPv6: hasIPv6, by: &route)
        }
    }

    @Test func onlyWhatIsOffIsSwitched() throws {
        let lab = try NetworkLab()
        _ = try lab.machine("lan0", host: "10.98.0.1", machine: "10.98.0.2")
        _ = try lab.machine("lan1", host: "10.99.0.1", machine: "10.99.0.2")
        try lab.bridge("runimg0", "172.20.0.1/16", "fd00:20::1/64")
        try lab.host.run("sh", "-c", "echo 0 > /proc/sys/net/ipv4/ip_forward")
        try lab.host.run("sh", "-c", "echo 1 > /proc/sys/net/ipv4/conf/lan1/forwarding")
        let changed = try enable(lab, hasIPv6: true)
        #expect(changed.switched == ["lan0"])
        #expect(Set(changed.switched6).isSuperset(of: ["lan0", "lan1"]) && !changed.switched6.contains("runimg0"))
        #expect(Set(changed.advertised).isSuperset(of: ["lan0", "lan1"]))
        #expect(!changed.advertised.contains("runimg0"))
        let conf = "/proc/sys/net/ipv4/conf"
        let values = try lab.host.run(
            "cat", "\(conf)/lan0/forwarding", "\(conf)/runimg0/forwarding", "\(conf)/lo/forwarding",
            "/proc/sys/net/ipv4/ip_forward", "/proc/sys/net/ipv6/conf/lan0/accept_ra")
        #expect(values == "1\n1\n0\n0\n2\n")
        #expect(try enable(lab, hasIPv6: true).isEmpty)
    }

    @Test func aRouterIsLeftAsItIs() throws {
        let lab = try NetworkLab()
        _ = try lab.machine("lan0", host: "10.98.0.1", machine: "10.98.0.2")
        try lab.bridge("runimg0", "172.20.0.1/16")
        try lab.host.run("sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward")
        #expect(try enable(lab, hasIPv6: false).isEmpty)
    }
}
