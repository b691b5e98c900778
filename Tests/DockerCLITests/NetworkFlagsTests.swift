import DockerCLI
import Engine
import OCI
import Testing

/// The flags of `run` that say how a container is on its networks.
@Suite struct NetworkFlagsTests {
    private static func request(_ line: String, _ change: (inout RunRequest, inout NetworkOptions) -> Void) {
        var expected = RunRequest(image: "alpine")
        var options = NetworkOptions()
        change(&expected, &options)
        expected.isolation.networkAsked = line.contains("--net")
        expected.networking = options == NetworkOptions() ? nil : options
        let words = line.split(separator: " ").map(String.init)
        #expect(Parsed.run(words + ["alpine"]) == .request(expected, warnings: []), "\(line)")
    }

    private static func endpoint(_ network: String, _ change: (inout EndpointOptions) -> Void = { _ in })
        -> EndpointOptions
    {
        var endpoint = EndpointOptions(network: network)
        change(&endpoint)
        return endpoint
    }

    @Test func networksThatWereMade() {
        Self.request("--network mine") { request, options in
            request.isolation.network = .named("mine")
            options.endpoints = [Self.endpoint("mine")]
        }
        Self.request(
            "--network a --ip 10.9.0.2 --ip6 fd00::2 --network-alias web --net-alias www "
                + "--mac-address 02:42:ac:11:00:02 --network b"
        ) { request, options in
            request.isolation.network = .named("a")
            let first = Self.endpoint("a") {
                $0.address = IPAddress("10.9.0.2")
                $0.address6 = IPAddress("fd00::2")
                $0.aliases = ["web", "www"]
                $0.mac = MACAddress("02:42:ac:11:00:02")
            }
            options.endpoints = [first, Self.endpoint("b")]
        }
        Self.request(
            "--network name=a,alias=x,alias=y,ip=10.9.0.2,ip6=fd00::2,mac-address=02:42:ac:11:00:02,gw-priority=0"
        ) { request, options in
            request.isolation.network = .named("a")
            let only = Self.endpoint("a") {
                $0.aliases = ["x", "y"]
                $0.address = IPAddress("10.9.0.2")
                $0.address6 = IPAddress("fd00::2")
                $0.mac = MACAddress("02:42:ac:11:00:02")
            }
            options.endpoints = [only]
        }
    }

    /// The default network takes a MAC address; what else is asked of it the engine refuses.
    @Test func theDefaultNetwork() {
        Self.request("--mac-address 02:42:ac:11:00:02") { _, options in options.mac = MACAddress("02:42:ac:11:00:02") }
        Self.request("--network bridge") { _, _ in }
        Self.request("--ip 10.9.0.2") { _, options in
            options.endpoints = [Self.endpoint("bridge") { $0.address = IPAddress("10.9.0.2") }]
        }
        Self.request("--network name=bridge,alias=x") { _, options in
            options.endpoints = [Self.endpoint("bridge") { $0.aliases = ["x"] }]
        }
        Self.request("--network none --network-alias x") { request, options in
            request.isolation.network = .none
            options.endpoints = [Self.endpoint("none") { $0.aliases = ["x"] }]
        }
    }

    @Test func names() {
        Self.request(
            "--dns 192.0.2.1 --dns 2001:db8::1 --dns-search a.example --dns-search . --dns-option ndots:2 --dns-opt x"
        ) { _, options in
            options.dns.servers = [IPAddress("192.0.2.1"), IPAddress("2001:db8::1")].compactMap(\.self)
            options.dns.search = ["a.example", "."]
            options.dns.options = ["ndots:2", "x"]
        }
        Self.request(
            "--add-host a:192.0.2.1 --add-host b:::1 --add-host c=[fd00::1] --add-host d=host-gateway "
                + "--add-host e:[::1] --add-host f_g:host-gateway"
        ) { _, options in
            options.extraHosts = [
                ExtraHost(name: "a", address: IPAddress("192.0.2.1")), ExtraHost(name: "b", address: IPAddress("::1")),
                ExtraHost(name: "c", address: IPAddress("fd00::1")), ExtraHost(name: "d", address: nil),
                ExtraHost(name: "e", address: IPAddress("::1")), ExtraHost(name: "f_g", address: nil),
            ]
        }
    }

    @Test(arguments: [
        ("--ip x", "invalid IPv4 address: x"), ("--ip fd00::1", "invalid IPv4 address: fd00::1"),
        ("--ip6 10.9.0.1", "invalid IPv6 address: 10.9.0.1"), ("--ip 0.0.0.0", "invalid IPv4 address: 0.0.0.0"),
        ("--mac-address x", "x is not a valid mac address"),
        ("--mac-address 01:00:5e:00:00:01", "01:00:5e:00:00:01 is not a valid mac address"),
        (
            "--network name=a,ip=10.9.0.2 --ip 10.9.0.3",
            "conflicting options: cannot specify both --ip and per-network IPv4 address"
        ),
        (
            "--network name=a,alias=x --network-alias y",
            "conflicting options: cannot specify both --network-alias and per-network alias"
        ),
        ("--network name=a,driver-opt=x=y", "driver-opt of a network: not supported yet (planned)"),
        ("--network name=host,alias=x", "options of a network cannot be used with --network host"),
        (
            "--network a --network host",
            "conflicting options: cannot attach both user-defined and non-user-defined network-modes"
        ),
        ("--network container", "invalid network mode: invalid container format container:<name|id>"),
        ("--network-alias a#b", "--network-alias: \"a#b\" is not one word"),
        ("--network a --network -b", "network -b not found"),
    ])
    func refuses(_ line: String, _ message: String) {
        let words = line.split(separator: " ").map(String.init)
        guard case .refused(let said, _) = Parsed.run(words + ["a"]) else {
            Issue.record("\(line) is taken")
            return
        }
        #expect(said == message)
    }

    @Test(arguments: [
        ("--dns x", "--dns", "IP address is not correctly formatted: x"),
        ("--dns-search -x", "--dns-search", "-x is not a valid domain"),
        ("--dns-search 1.2", "--dns-search", "1.2 is not a valid domain"),
        ("--add-host a", "--add-host", "bad format for add-host: \"a\""),
        ("--add-host :1.2.3.4", "--add-host", "bad format for add-host: \":1.2.3.4\""),
        ("--add-host a:b:1.2.3.4", "--add-host", "invalid IP address in add-host: \"b:1.2.3.4\""),
        ("--add-host a:1.2.3", "--add-host", "invalid IP address in add-host: \"1.2.3\""),
    ])
    func refusesForms(_ line: String, _ flag: String, _ reason: String) {
        let words = line.split(separator: " ").map(String.init)
        let message = "invalid argument \(GoQuoted.text(words[1])) for \"\(flag)\" flag: \(reason)"
        guard case .refused(let said, _) = Parsed.run(words + ["a"]) else {
            Issue.record("\(line) is taken")
            return
        }
        #expect(said.hasPrefix(message), "\(said)")
    }
}

private enum GoQuoted {
    static func text(_ text: String) -> String { "\"\(text)\"" }
}
