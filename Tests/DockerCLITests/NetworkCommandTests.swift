import DockerCLI
import OCI
import Testing

@testable import Engine

/// `network`, against docker's texts.
@Suite struct NetworkCommandTests {
    private static let id = String(repeating: "4", count: 64)
    private static let container = String(repeating: "c", count: 64)

    private static func named(_ name: String, _ digit: String, _ prefixes: String...) -> NetworkDetails {
        var record = NetworkRecord(
            id: String(repeating: digit, count: 64), name: name, created: "2025-11-21T02:00:00.120000000Z")
        record.subnets = prefixes.compactMap { IPPrefix($0) }.map(NetworkRecord.Subnet.init)
        record.hasIPv6 = prefixes.count > 1
        return NetworkDetails(record)
    }

    /// The default one, one with a container, one with nobody and one with a label.
    static var networks: [NetworkDetails] {
        var bridge = named("bridge", "1", "172.17.0.0/16")
        (bridge.isBuiltin, bridge.isUsed) = (true, true)
        var used = named("used", "4", "10.9.0.0/24", "fd00::/64")
        used.isUsed = true
        used.record.subnets[0].gateway = IPAddress("10.9.0.1")
        used.record.subnets[0].range = IPPrefix("10.9.0.128/25")
        used.record.subnets[0].reserved = ["r": IPAddress(0x0a09_0005)]
        used.record.options = ["x": "y"]
        used.record.isInternal = true
        let endpoint = Endpoint(
            network: used.record.id, networkName: "used", driver: .bridge, link: "br-444444444444", port: nil,
            interface: "eth0", mac: MACAddress(of: IPAddress(0x0a09_0002)),
            addresses: [IPPrefix("10.9.0.2/24"), IPPrefix("fd00::2/64")].compactMap(\.self), gateways: [], aliases: [])
        used.members = [NetworkMember(id: container, name: "web", endpoint: endpoint)]
        var labelled = named("labelled", "6", "10.10.0.0/24")
        labelled.record.labels = ["k": "v"]
        labelled.isUsed = true
        return [bridge, named("idle", "5", "10.8.0.0/24"), labelled, used]
    }

    private static func bench() -> Bench {
        let bench = Bench()
        bench.engine.networkList = networks
        return bench
    }

    @Test func creates() throws {
        let bench = Self.bench()
        let line =
            "network create -d macvlan --subnet 10.1.0.0/16,fd00:1::/64 --ip-range 10.1.8.0/24 --gateway 10.1.0.9 "
            + "--aux-address r=10.1.0.5 --internal --ipv6 --label a=b --label c -o parent=eth1 -o q mine"
        #expect(bench.run(line) == 0 && bench.output.text == String(repeating: "9", count: 64) + "\n")
        var expected = NetworkRequest(name: "mine")
        expected.driver = "macvlan"
        var four = NetworkRequest.Subnet("10.1.0.0/16")
        (four.range, four.gateway, four.reserved) = ("10.1.8.0/24", "10.1.0.9", ["r": "10.1.0.5"])
        expected.subnets = [four, NetworkRequest.Subnet("fd00:1::/64")]
        (expected.isInternal, expected.hasIPv6) = (true, true)
        expected.labels = ["a": "b", "c": ""]
        expected.options = ["parent": "eth1", "q": ""]
        #expect(bench.engine.askedNetworks == [expected])
    }

    @Test(arguments: [
        ("--gateway 10.1.0.1 n", "every ip-range or gateway must have a corresponding subnet"),
        ("--subnet 10.1.0.0/24 --gateway 10.2.0.1 n", "no matching subnet for gateway 10.2.0.1"),
        ("--subnet 10.1.0.0/24 --gateway x n", "no matching subnet for gateway x"),
        ("--subnet 10.1.0.0/24 --ip-range 10.2.0.0/28 n", "no matching subnet for range 10.2.0.0/28"),
        ("--subnet 10.1.0.0/24 --ip-range x n", "invalid CIDR address: x"),
        ("--subnet 10.1.0.0/24 --aux-address a n", "no matching subnet for aux-address "),
        ("--subnet 10.1.0.0/24 --subnet 10.1.0.0/25 n", "multiple overlapping subnet configuration is not supported"),
        (
            "--subnet 10.1.0.0/24 --subnet 10.2.0.0/24 --gateway 10.1.0.1 --gateway 10.1.0.2 n",
            "cannot configure multiple gateways (10.1.0.2, 10.1.0.1) for the same subnet (10.1.0.0/24)"
        ),
        ("--attachable n", "flag --attachable: clusters are not part of runimg"),
        ("--ipam-driver foo n", "plugin \"foo\" not found"),
        ("--scope swarm n", "--scope swarm: clusters are not part of runimg"),
        ("../n", "invalid network name (../n), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed, and 255 bytes at most"),
    ])
    func refusesToCreate(_ line: String, _ message: String) {
        let bench = Self.bench()
        #expect(bench.run("network create \(line)") == 1 && bench.errors.text == "runimg: \(message)\n")
        #expect(bench.engine.askedNetworks.isEmpty)
    }

    @Test func lists() {
        let bench = Self.bench()
        #expect(bench.run("network ls") == 0)
        #expect(
            bench.output.text == """
                NETWORK ID     NAME       DRIVER    SCOPE
                111111111111   bridge     bridge    local
                555555555555   idle       bridge    local
                666666666666   labelled   bridge    local
                444444444444   used       bridge    local

                """)
        for (filter, names) in [
            ("type=custom", ["idle", "labelled", "used"]), ("type=builtin", ["bridge"]), ("dangling=1", ["idle"]),
            ("dangling=false", ["bridge", "labelled", "used"]), ("name=^l", ["labelled"]), ("id=^444", ["used"]),
            ("label=k=v", ["labelled"]), ("label=k=w", []), ("driver=macvlan", []), ("scope=swarm", []),
        ] {
            let bench = Self.bench()
            #expect(bench.run(["network", "ls", "--format", "{{.Name}}", "-f", filter]) == 0)
            #expect(bench.output.text.split(separator: "\n").map(String.init) == names, "\(filter)")
        }
        let quiet = Self.bench()
        #expect(quiet.run("network ls -q --no-trunc -f name=used") == 0 && quiet.output.text == Self.id + "\n")
        let json = Self.bench()
        #expect(json.run("network ls --format json -f name=used") == 0)
        #expect(
            json.output.text
                == #"{"CreatedAt":"2025-11-21 02:00:00.12 +0000 UTC","Driver":"bridge","ID":"444444444444","IPv4":"true","IPv6":"true","Internal":"true","Labels":"","Name":"used","Scope":"local"}"#
                + "\n")
        for (filter, message) in [
            ("foo=a", "invalid filter 'foo'"), ("type=foo", "invalid filter: 'type'='foo'"),
            (
                "dangling=x",
                "invalid value for filter 'dangling', must be \"true\" (or \"1\"), or \"false\" (or \"0\")"
            ),
        ] {
            let wrong = Self.bench()
            #expect(wrong.run("network ls -f \(filter)") == 1 && wrong.errors.text == "runimg: \(message)\n")
        }
    }

    @Test func inspects() {
        let bench = Self.bench()
        #expect(bench.run("network inspect used nope") == 1 && bench.errors.text == "Error: network nope not found\n")
        #expect(
            bench.output.text == """
                [
                    {
                        "Name": "used",
                        "Id": "\(Self.id)",
                        "Created": "2025-11-21T02:00:00.12Z",
                        "Scope": "local",
                        "Driver": "bridge",
                        "EnableIPv4": true,
                        "EnableIPv6": true,
                        "IPAM": {
                            "Driver": "default",
                            "Options": {},
                            "Config": [
                                {
                                    "Subnet": "10.9.0.0/24",
                                    "IPRange": "10.9.0.128/25",
                                    "Gateway": "10.9.0.1",
                                    "AuxiliaryAddresses": {
                                        "r": "10.9.0.5"
                                    }
                                },
                                {
                                    "Subnet": "fd00::/64"
                                }
                            ]
                        },
                        "Internal": true,
                        "Attachable": false,
                        "Ingress": false,
                        "ConfigFrom": {
                            "Network": ""
                        },
                        "ConfigOnly": false,
                        "Containers": {
                            "\(Self.container)": {
                                "Name": "web",
                                "EndpointID": "\(Digest.of("\(Self.id)/\(Self.container)".utf8).hex)",
                                "MacAddress": "02:42:0a:09:00:02",
                                "IPv4Address": "10.9.0.2/24",
                                "IPv6Address": "fd00::2/64"
                            }
                        },
                        "Options": {
                            "x": "y"
                        },
                        "Labels": {}
                    }
                ]

                """)
        for line in [
            "inspect -f {{.Name}} used", "inspect --type network -f {{.Name}} 4444",
            "network inspect -v -f {{.Name}} used",
        ] {
            let bench = Self.bench()
            #expect(bench.run(line) == 0 && bench.output.text == "used\n", "\(line)")
        }
    }

    @Test func removesAndPrunes() {
        var bench = Self.bench()
        #expect(bench.run("network rm idle nope used") == 1 && bench.output.text == "idle\n")
        #expect(
            bench.errors.text == "runimg: network nope not found\n"
                + "runimg: error while removing network: network used has active endpoints\n")
        bench = Self.bench()
        #expect(bench.run("network rm -f nope") == 0 && bench.output.text.isEmpty && bench.errors.text.isEmpty)
        bench = Self.bench()
        #expect(bench.run("network prune") == 0)
        #expect(
            bench.output.text
                == "WARNING! This will remove all custom networks not used by at least one container.\n"
                + "Are you sure you want to continue? [y/N] ")
        for (flags, output) in [
            ("", "Deleted Networks:\nidle\n\n"), ("--filter until=1h", "Deleted Networks:\nidle\n\n"),
            ("--filter until=48h", ""), ("--filter label=k", ""),
            ("--filter label!=k", "Deleted Networks:\nidle\n\n"),
        ] {
            let bench = Self.bench()
            #expect(bench.run("network prune -f \(flags)") == 0 && bench.output.text == output, "\(flags)")
        }
        bench = Self.bench()
        #expect(bench.run("network prune -f --filter foo=a") == 1)
        #expect(bench.errors.text == "runimg: invalid filter 'foo'\n")
    }

    @Test func connectsAndTells() throws {
        let bench = Self.bench()
        let line = "network connect --ip 10.9.0.7 --ip6 fd00::7 --alias a,b --alias c used web"
        #expect(bench.run(line) == 0 && bench.run("network disconnect -f used web") == 0)
        #expect(bench.engine.verbs == ["connect used web", "disconnect used web true"])
        let endpoint = try #require(bench.engine.connections.first)
        #expect(endpoint.aliases == ["a", "b", "c"] && endpoint.address == IPAddress("10.9.0.7"))
        #expect(endpoint.address6 == IPAddress("fd00::7") && endpoint.network == "used")
        #expect(Self.bench().run("network connect --ip x used web") == 1)
        #expect(Self.bench().run("network exists used") == 0 && Self.bench().run("network exists nope") == 1)
    }
}
