import OCI
import TestSupport
import Testing

@testable import Registry

/// Where a pull connects to, known before anything was fetched: pure tables.
@Suite struct ConnectionPolicyTests {
    private func policy(
        _ name: String, mirrors: [String] = [], environment: [String: String] = [:]
    ) throws -> ConnectionPolicy {
        var configuration = RegistryConfiguration(environment: environment)
        configuration.rules = .hubMirrors(mirrors)
        let reference = try Reference(parsing: name)
        let endpoints = try Resolver.endpoints(for: reference, configuration: configuration)
        return ConnectionPolicy(endpoints: endpoints, environment: environment)
    }

    @Test(
        arguments: [
            ("alpine", [], [:], [53, 443]), ("r.example:5000/app", [], [:], [53, 443, 5000]),
            ("localhost/app", [], [:], [53, 80, 443]),
            ("alpine", ["https://m.example:8443", "http://127.0.0.1:5001"], [:], [53, 443, 5001, 8443]),
            ("alpine", [], ["https_proxy": "http://user:pass@proxy.example:3128/"], [53, 443, 3128]),
            ("alpine", [], ["HTTPS_PROXY": "socks5h://proxy.example"], [53, 443, 1080]),
            ("alpine", [], ["all_proxy": "[fd00::1]:8080"], [53, 443, 8080]),
            ("r.example:5000/app", ["https://m.example:8443"], [:], [53, 443, 5000]),
        ] as [(String, [String], [String: String], [UInt16])])
    func portsOfAllThatWasConfigured(
        name: String, mirrors: [String], environment: [String: String], ports: [UInt16]
    ) throws {
        #expect(try policy(name, mirrors: mirrors, environment: environment).ports == ports)
    }

    @Test(
        arguments: [
            ("r.example/app", "192.0.2.1", 9000, true), ("r.example/app", "10.0.0.1", 9000, true),
            ("r.example/app", "127.0.0.1", 9000, false), ("r.example/app", "::1", 9000, false),
            ("r.example/app", "::ffff:127.0.0.1", 9000, false), ("r.example/app", "0.0.0.0", 9000, false),
            ("r.example/app", "::", 9000, false), ("r.example/app", "127.0.0.53", 53, true),
            ("r.example:5000/app", "127.0.0.1", 5000, true), ("r.example:5000/app", "127.0.0.1", 5001, false),
            ("r.example/app", "169.254.169.254", 80, false), ("r.example/app", "169.254.169.254", 443, false),
            ("r.example/app", "fe80::1", 443, false), ("r.example/app", "100.100.100.200", 443, false),
            ("169.254.1.1:5000/app", "169.254.1.1", 5000, true),
            ("169.254.1.1:5000/app", "169.254.169.254", 5000, false),
            ("localhost:5000/app", "127.0.0.1", 9000, true), ("localhost:5000/app", "169.254.169.254", 443, false),
        ] as [(String, String, UInt16, Bool)])
    func addressesThatARegistryMaySendTo(name: String, address: String, port: UInt16, allowed: Bool) throws {
        let address = try #require(HostAddress(address))
        #expect(try policy(name).allows(address.bytes, port: port) == allowed)
    }

    @Test func aFileConnectsToNothing() throws {
        let policy = ConnectionPolicy(endpoints: [], environment: ["https_proxy": "http://proxy.example:3128"])
        #expect(policy.ports == [])
        #expect(!policy.allows([192, 0, 2, 1], port: 443))
    }
}
