import OCI
import Testing

@testable import Engine

/// What becomes of a `network create`, in docker's words where it is refused.
@Suite struct NetworkPlanTests {
    private static let standard: NetworkRecord = {
        var record = PredefinedNetwork.bridge.record(Configuration())
        record.subnets = [IPPrefix("172.17.0.0/16")].compactMap(\.self).map(NetworkRecord.Subnet.init)
        return record
    }()

    private static func other(_ name: String, _ subnets: String...) -> NetworkRecord {
        var record = NetworkRecord(id: String(repeating: "b", count: 64), name: name, created: "")
        record.subnets = subnets.compactMap { IPPrefix($0) }.map(NetworkRecord.Subnet.init)
        return record
    }

    private static func plan(
        _ request: NetworkRequest, _ others: [NetworkRecord] = [], routes: [String] = []
    ) throws -> NetworkRecord {
        try NetworkPlan(
            request: request, others: [standard] + others, routes: routes.compactMap { IPPrefix($0) },
            pools: SubnetPools.usual
        ).record(id: String(repeating: "a", count: 64), created: "2026-01-01T00:00:00Z")
    }

    private static func request(_ name: String = "n", _ change: (inout NetworkRequest) -> Void = { _ in })
        -> NetworkRequest
    {
        var request = NetworkRequest(name: name)
        change(&request)
        return request
    }

    private static func subnet(
        _ prefix: String, gateway: String? = nil, range: String? = nil, reserved: [String: String] = [:]
    ) -> NetworkRequest.Subnet {
        var subnet = NetworkRequest.Subnet(prefix)
        (subnet.gateway, subnet.range, subnet.reserved) = (gateway, range, reserved)
        return subnet
    }

    @Test func takesTheFirstFreeSubnet() throws {
        let first = try Self.plan(Self.request())
        #expect(first.subnets.map(\.prefix.description) == ["172.18.0.0/16"])
        #expect(first.subnets[0].gateway?.description == "172.18.0.1" && !first.subnets[0].isAsked)
        #expect(!first.hasIPv6 && first.bridge == "br-aaaaaaaaaaaa" && first.driver == .bridge)
        let others = [Self.other("o", "172.18.0.0/16"), Self.other("p", "172.19.128.0/20")]
        let second = try Self.plan(Self.request(), others, routes: ["172.20.0.0/15", "10.0.0.0/8"])
        #expect(second.subnets.map(\.prefix.description) == ["172.22.0.0/16"])
        let all = try Self.plan(Self.request(), [], routes: ["172.16.0.0/12", "192.168.5.0/24"])
        #expect(all.subnets.map(\.prefix.description) == ["192.168.16.0/20"])
        let none = SpecBuilderTests.message {
            _ = try Self.plan(Self.request(), [], routes: ["172.16.0.0/12", "192.168.0.0/16"])
        }
        #expect(none == "all predefined address pools have been fully subnetted")
    }

    @Test func aSecondVersionIsOfOnesOwn() throws {
        let record = try Self.plan(Self.request { $0.hasIPv6 = true })
        let prefix = try #require(record.subnets.last?.prefix)
        #expect(record.subnets.count == 2 && record.hasIPv6 && prefix.length == 64)
        #expect(prefix.description.hasPrefix("fd") && record.subnets[1].gateway == prefix.address.advanced(by: 1))
        #expect(try Self.plan(Self.request { $0.hasIPv6 = true }).subnets[1].prefix != prefix)
        let asked = try Self.plan(Self.request { $0.subnets = [Self.subnet("fd00:9::/64")] })
        #expect(asked.subnets.map(\.prefix.description) == ["172.18.0.0/16", "fd00:9::/64"] && asked.hasIPv6)
    }

    @Test func keepsWhatWasAsked() throws {
        let record = try Self.plan(
            Self.request {
                $0.subnets = [
                    Self.subnet("10.9.0.0/24", range: "10.9.0.128/25", reserved: ["r": "10.9.0.1"]),
                    Self.subnet("fd00:9::/64", gateway: "fd00:9::9"),
                ]
                $0.isInternal = true
                $0.labels = ["a": "b"]
                $0.options = [NetworkOptionKey.mtu: "1400", NetworkOptionKey.connectsContainers: "false", "x": "y"]
            })
        #expect(record.subnets.map { $0.gateway?.description } == ["10.9.0.2", "fd00:9::9"])
        #expect(record.subnets[0].range?.description == "10.9.0.128/25" && record.subnets.allSatisfy(\.isAsked))
        #expect(record.subnets[0].reserved == ["r": IPAddress(0x0a09_0001)] && record.isInternal)
        #expect(record.mtu == 1400 && !record.connectsContainers && record.masquerades && record.options["x"] == "y")
    }

    @Test(
        arguments: [
            ("10.9.0.5/24", nil, nil, "invalid subnet 10.9.0.5/24: it should be 10.9.0.0/24"),
            ("10.9.0.0/33", nil, nil, "invalid subnet 10.9.0.0/33: invalid CIDR block notation"),
            ("x", nil, nil, "invalid subnet x: invalid CIDR block notation"),
            (
                "10.9.0.0/24", "10.8.0.1", nil,
                "invalid gateway 10.8.0.1: parent subnet 10.9.0.0/24 doesn't contain this address"
            ),
            ("10.9.0.0/24", "fd00::1", nil, "invalid gateway fd00::1: parent subnet is an IPv4 block"),
            ("10.9.0.0/24", "x", nil, "invalid gateway x: invalid address"),
            (
                "10.9.0.0/24", nil, "10.8.0.0/25",
                "invalid ip-range 10.8.0.0/25: parent subnet 10.9.0.0/24 doesn't contain ip-range"
            ),
            (
                "10.9.0.0/24", nil, "10.0.0.0/8",
                "invalid ip-range 10.0.0.0/8: CIDR block is bigger than its parent subnet 10.9.0.0/24"
            ),
            ("10.9.0.0/24", nil, "10.9.0.5/28", "invalid ip-range 10.9.0.5/28: it should be 10.9.0.0/28"),
            ("fd00::/64", nil, "10.9.0.0/28", "invalid ip-range 10.9.0.0/28: parent subnet is an IPv6 block"),
            ("127.0.0.0/8", nil, nil, "invalid subnet 127.0.0.0/8: its addresses are not for containers"),
        ] as [(String, String?, String?, String)])
    func refusesSubnets(_ prefix: String, _ gateway: String?, _ range: String?, _ message: String) {
        let request = Self.request { $0.subnets = [Self.subnet(prefix, gateway: gateway, range: range)] }
        let said = SpecBuilderTests.message { _ = try Self.plan(request) }
        #expect(said == "invalid network config:\n\(message)")
    }

    @Test func severalProblemsAreListed() {
        let request = Self.request {
            $0.subnets = [Self.subnet("10.9.0.0/24", gateway: "10.8.0.1", reserved: ["r": "x"])]
        }
        #expect(
            SpecBuilderTests.message { _ = try Self.plan(request) } == """
                invalid network config:
                * invalid gateway 10.8.0.1: parent subnet 10.9.0.0/24 doesn't contain this address
                * invalid auxiliary address r: invalid address
                """)
    }

    @Test(arguments: [
        (["10.9.0.0/25"], "invalid pool request: Pool overlaps with other one on this address space"),
        (["172.17.9.0/24"], "invalid pool request: Pool overlaps with other one on this address space"),
        (["10.0.0.0/8"], "invalid pool request: Pool overlaps with other one on this address space"),
        (["10.10.0.0/24", "10.11.0.0/24"], "bridge driver doesn't support multiple subnets"),
        (["10.10.0.0/31"], "failed to allocate gateway (): No available addresses on this pool"),
        (["fd00::/127"], "failed to allocate gateway (): No available addresses on this pool"),
    ])
    func refusesPools(_ prefixes: [String], _ message: String) {
        let request = Self.request { $0.subnets = prefixes.map { Self.subnet($0) } }
        #expect(SpecBuilderTests.message { _ = try Self.plan(request, [Self.other("o", "10.9.0.0/24")]) } == message)
    }

    @Test(arguments: ["10.9.0.0", "10.9.0.255", "10.9.0.7"])
    func aGatewayIsNobodyElses(_ gateway: String) {
        let request = Self.request {
            $0.subnets = [Self.subnet("10.9.0.0/24", gateway: gateway, reserved: ["r": "10.9.0.7"])]
        }
        #expect(
            SpecBuilderTests.message { _ = try Self.plan(request) }
                == "failed to allocate gateway (\(gateway)): Address already in use")
    }

    @Test(arguments: [
        ("bridge", "operation is not permitted on predefined bridge network"),
        ("host", "operation is not permitted on predefined host network"),
        ("default", "operation is not permitted on predefined default network"),
        ("pasta", "operation is not permitted on predefined pasta network"),
        ("container", "operation is not permitted on predefined container network"),
        ("taken", "network with name taken already exists"),
        ("../x", "invalid network name (../x), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed"),
    ])
    func refusesNames(_ name: String, _ message: String) {
        #expect(
            SpecBuilderTests.message { _ = try Self.plan(Self.request(name), [Self.other("taken")]) } == message)
    }

    @Test(
        arguments: [
            ("foo", [:], "plugin \"foo\" not found"),
            ("host", [:], "only one instance of \"host\" network is allowed"),
            ("ipvlan", [:], "network driver ipvlan is not supported yet (planned)"),
            (
                "bridge", [NetworkOptionKey.connectsContainers: "maybe"],
                "failed to parse com.docker.network.bridge.enable_icc value: maybe (strconv.ParseBool: parsing \"maybe\": invalid syntax)"
            ),
            (
                "bridge", [NetworkOptionKey.mtu: "x"],
                "failed to parse com.docker.network.driver.mtu value: x (strconv.Atoi: parsing \"x\": invalid syntax)"
            ),
            ("bridge", [NetworkOptionKey.mtu: "-5"], "invalid mtu number: -5"),
            (
                "bridge", [NetworkOptionKey.publishAddress: "x"],
                "failed to parse com.docker.network.bridge.host_binding_ipv4 value: x (nil ip)"
            ),
            (
                "bridge", [NetworkOptionKey.bridgeName: "a/b"],
                "failed to parse com.docker.network.bridge.name value: a/b (no name of an interface)"
            ),
            (
                "macvlan", ["parent": "eth1", "macvlan_mode": "foo"],
                "requested macvlan mode 'foo' is not valid, 'bridge' mode is the macvlan driver default"
            ),
            (
                "macvlan", ["parent": "averylonginterface"],
                "failed to parse parent value: averylonginterface (no name of an interface)"
            ),
        ] as [(String, [String: String], String)])
    func refusesDrivers(_ driver: String, _ options: [String: String], _ message: String) {
        let request = Self.request { ($0.driver, $0.options) = (driver, options) }
        #expect(SpecBuilderTests.message { _ = try Self.plan(request) } == message)
    }

    @Test func aBridgeIsOneNetworks() {
        let request = Self.request { $0.options = [NetworkOptionKey.bridgeName: PredefinedNetwork.bridgeName] }
        #expect(SpecBuilderTests.message { _ = try Self.plan(request) }.hasSuffix("networks have same bridge name"))
    }

    @Test func poolsOfTheConfiguration() throws {
        let pools = [AddressPool(try #require(IPPrefix("10.10.0.0/16")), size: 24)]
        let taken = ["10.10.0.0/24", "10.10.2.0/23", "10.10.1.0/25"].compactMap { IPPrefix($0) }
        #expect(SubnetPools.free(in: pools, apartFrom: taken)?.description == "10.10.4.0/24")
        #expect(SubnetPools.free(in: pools, apartFrom: [try #require(IPPrefix("10.0.0.0/8"))]) == nil)
        let last = [AddressPool(try #require(IPPrefix("255.255.255.0/24")), size: 25)]
        #expect(SubnetPools.free(in: last, apartFrom: [try #require(IPPrefix("255.255.255.0/24"))]) == nil)
        let large = [AddressPool(try #require(IPPrefix("fd00::/8")), size: 64)]
        #expect(
            SubnetPools.free(in: large, apartFrom: [try #require(IPPrefix("fd00::/16"))])?.description == "fd01::/64")
    }

    @Test func routesOfTheHost() {
        let four = """
            Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT
            eth0\t00000000\t0100A8C0\t0003\t0\t0\t0\t00000000\t0\t0\t0
            eth0\t0000A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0
            broken\tline
            runimg0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0

            """
        #expect(HostRoute.version4(four).map(\.prefix.description) == ["192.168.0.0/24", "172.17.0.0/16"])
        #expect(HostRoute.version4(four).last?.interface == "runimg0")
        let six = """
            00000000000000000000000000000001 01 80 10 80       lo
            fe80000000000000024211fffe000001 02 40 20 80     eth0
            fd0000000000000000000000000000aa 02 40 00 80     eth0
            zz 1
            """
        #expect(HostRoute.version6(six).map(\.prefix.description) == ["fd00::/64"])
        #expect(HostRoute.all().allSatisfy { $0.prefix.length > 0 })
    }
}
