internal import Network
internal import OCI
internal import Sys
internal import TestSupport
import Testing

@Suite(.enabled(if: NetworkLab.isPossible, Comment(rawValue: NetworkLab.requirements)))
struct ConnectionTests {
    /// Answers each datagram with its own name.
    private static let server = """
        import socket, sys
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.bind(("0.0.0.0", 53))
        while True:
            _, a = s.recvfrom(512)
            s.sendto(sys.argv[1].encode(), a)
        """

    /// From one port, as one that goes on.
    private static let client = """
        import socket
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.bind(("0.0.0.0", 4711))
        s.settimeout(1)
        s.sendto(b"?", ("10.99.0.1", 5353))
        try: print(s.recvfrom(512)[0].decode())
        except TimeoutError: print("nobody")
        """

    private final class Answerer {
        private let process: ChildProcess

        init(_ name: String, in namespace: NetworkNamespace) throws {
            guard let nsenter = Tool.find("nsenter") else { throw Errno.noEntry }
            process = try ChildProcess(
                nsenter, namespace.entry + ["python3", "-c", ConnectionTests.server, name],
                environment: Tool.baseEnvironment)
        }
    }

    @Test func aSenderThatGoesOnReachesTheNewContainer() throws {
        let lab = try NetworkLab()
        let far = try lab.machine("lan0", host: "10.99.0.1", machine: "10.99.0.2")
        try lab.bridge("runimg0", "172.20.0.1/16")
        let old = try lab.container(on: "runimg0", ["172.20.0.2/16"], gateways: ["172.20.0.1"])
        let new = try lab.container(on: "runimg0", ["172.20.0.3/16"], gateways: ["172.20.0.1"])
        let answerers = [try Answerer("old", in: old.namespace), try Answerer("new", in: new.namespace)]
        try lab.host.run("sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward")
        var state = FirewallState()
        state.networks = [FirewallNetwork(bridge: "runimg0", prefixes: [NetworkLab.prefix("172.20.0.0/16")])]
        state.endpoints = [old.endpoint("runimg0"), new.endpoint("runimg0")]
        func publish(_ target: String) throws {
            state.ports = [FirewallTests.port("0.0.0.0", 5353, .init(53, .udp), target)]
            try lab.firewall(state)
        }
        func answer() throws -> String { try far.run("python3", "-c", ConnectionTests.client) }
        try publish("172.20.0.2")
        #expect(try Wait.until(seconds: 20) { try answer() == "old\n" })
        try publish("172.20.0.3")
        // This is what it is for.
        #expect(try answer() == "old\n")
        let ports = state.ports
        try lab.host.perform { () throws(NetworkError) in
            var connections = try Connections()
            try connections.forget(ports)
        }
        #expect(try Wait.until(seconds: 20) { try answer() == "new\n" })
        withExtendedLifetime(answerers) {}
    }
}
