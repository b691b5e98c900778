import DockerCLI
import Engine
import OCI
import TestSupport
import Testing

/// Published and exposed ports on the command line and in what is shown of them, as docker's client has them.
@Suite struct PortTests {
    @Test(
        arguments: [
            ("80", ["*::80/tcp"]), ("80/udp", ["*::80/udp"]), ("80/TCP", ["*::80/tcp"]), ("80/", ["*::80/tcp"]),
            ("8080:80", ["*:8080:80/tcp"]), ("0:80", ["*::80/tcp"]),
            ("127.0.0.1:8080:80/udp", ["127.0.0.1:8080:80/udp"]),
            ("127.0.0.1::80", ["127.0.0.1::80/tcp"]), ("[::1]:8080:80/sctp", ["[::1]:8080:80/sctp"]),
            ("80-82", ["*::80/tcp", "*::81/tcp", "*::82/tcp"]),
            ("8000-8001:80-81", ["*:8000:80/tcp", "*:8001:81/tcp"]), ("8000-8010:80", ["*:8000-8010:80/tcp"]),
            ("127.0.0.1:9-9:9", ["127.0.0.1:9:9/tcp"]),
            ("published=8080,target=80", ["*:8080:80/tcp"]), ("target=80", ["*::80/tcp"]),
            ("published=8080,target=80,protocol=UDP,mode=host", ["*:8080:80/udp"]),
            ("published=80-81,target=80-81,mode=ingress", ["*:80:80/tcp", "*:81:81/tcp"]),
        ] as [(String, [String])])
    func specifications(_ text: String, _ expected: [String]) throws {
        let found = try PortSpecification.parse(text).map { mapping in
            let range = mapping.hostPorts.map {
                $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)-\($0.upperBound)"
            }
            return "\(mapping.address?.text ?? "*"):\(range ?? ""):\(mapping.port)"
        }
        #expect(found == expected)
    }

    /// docker's own words, in lower case as it has them since version 28.
    @Test(
        arguments: [
            ("", "no port specified: <empty>"), ("8080:", "no port specified: 8080:<empty>"),
            (":", "no port specified: :<empty>"), ("/tcp", "no port specified: /tcp<empty>"),
            ("80/foo", "invalid proto: foo"), ("a", "invalid containerPort: a"), ("a:80", "invalid hostPort: a"),
            ("80:a", "invalid containerPort: a"), ("65536", "invalid containerPort: 65536"),
            ("80:0", "invalid containerPort: 0"), ("90-80", "invalid containerPort: 90-80"),
            ("+80", "invalid containerPort: +80"), ("80 ", "invalid containerPort: 80 "),
            ("8080-8085:80-90", "invalid ranges specified for container and host Ports: 80-90 and 8080-8085"),
            ("80:80-82", "invalid ranges specified for container and host Ports: 80-82 and 80"),
            ("localhost:80:80", "invalid IP address: localhost"), ("x::80", "invalid IP address: x"),
            ("::1:8080:80", "invalid IP address: ::1"), ("[fe80::1%eth0]:80:80", "invalid IP address: [fe80::1%eth0]"),
            ("127.0.0.1:8080", "invalid hostPort: 127.0.0.1"), ("published=a,target=80", "invalid hostPort: a"),
            ("published=80", "no port specified: 80:/tcp<empty>"), ("target=80,protocol=x", "invalid proto: x"),
            (
                "published=8080,target=80,foo",
                "invalid publish opts format (should be name=value but got 'foo')"
            ),
            ("target=80,host_ip=127.0.0.1", "invalid publish opts format (unknown option 'host_ip=127.0.0.1')"),
        ])
    func refusals(_ text: String, _ message: String) {
        #expect(throws: ValueError.plain(message)) { try PortSpecification.parse(text) }
    }

    @Test func exposed() throws {
        #expect(try PortSpecification.parseExposed("80") == [ContainerPort(80)])
        #expect(try PortSpecification.parseExposed("8000-8001/udp") == [.init(8000, .udp), .init(8001, .udp)])
        for text in ["", "a", "90-80", "65536", "80/foo", "0", "/tcp", "+80"] {
            #expect(throws: ValueError.plain("invalid range format for --expose: \(text)")) {
                try PortSpecification.parseExposed(text)
            }
        }
        #expect(throws: ValueError.plain("invalid port format for --expose: 80:80")) {
            try PortSpecification.parseExposed("80:80")
        }
    }

    @Test func flagsFillTheRequest() {
        let bench = Bench()
        #expect(bench.run("run -p 8080:80 -p 53/udp -P --expose 90-91 alpine") == 0)
        var expected = NetworkOptions()
        expected.published = [PortMapping(.init(80), hostPorts: 8080...8080), PortMapping(.init(53, .udp))]
        expected.publishesAll = true
        expected.exposed = [.init(90), .init(91)]
        #expect(bench.engine.ran.map(\.networking) == [expected])
        #expect(bench.run("run alpine") == 0)
        #expect(bench.engine.ran.last?.networking == nil)
        #expect(bench.run("run -p x alpine") == 125)
        #expect(bench.errors.text.contains("invalid containerPort: x"))
    }

    private static func published(_ texts: String...) -> [PublishedPort] {
        texts.compactMap { text in
            let parts = text.split(separator: " ")
            guard parts.count == 3, let address = IPAddress(parts[0]), let host = UInt16(parts[1]) else { return nil }
            return ContainerPort.list(String(parts[2])).first.map {
                PublishedPort($0, address: address, hostPort: host)
            }
        }
    }

    /// What docker 20.10 printed of these ports, with the brackets of later versions.
    @Test(
        arguments: [
            ("443 80 81 53/udp", [], "80-81/tcp, 53/udp, 443/tcp"),
            (
                "", published("0.0.0.0 8080 80/tcp", ":: 8080 80/tcp"),
                "0.0.0.0:8080->80/tcp, [::]:8080->80/tcp"
            ),
            (
                "80 81 90",
                published("0.0.0.0 80 80/tcp", ":: 80 80/tcp", "0.0.0.0 81 81/tcp", ":: 81 81/tcp"),
                "0.0.0.0:80-81->80-81/tcp, [::]:80-81->80-81/tcp, 90/tcp"
            ),
            (
                "",
                published(
                    "0.0.0.0 8000 8000", "0.0.0.0 8001 8001", "0.0.0.0 8002 8002", "0.0.0.0 9000 9000"),
                "0.0.0.0:8000-8002->8000-8002/tcp, 0.0.0.0:9000->9000/tcp"
            ),
            (
                "22",
                published(
                    "127.0.0.1 80 80/udp", "127.0.0.1 80 80/tcp", "127.0.0.1 82 82/tcp", "1.2.3.4 5353 53/udp"),
                "127.0.0.1:80->80/tcp, 22/tcp, 127.0.0.1:82->82/tcp, 127.0.0.1:80->80/udp, 1.2.3.4:5353->53/udp"
            ),
            ("80 80/udp 81/udp 80/sctp", [], "80/sctp, 80/tcp, 80-81/udp"),
        ] as [(String, [PublishedPort], String)])
    func column(_ exposed: String, _ published: [PublishedPort], _ expected: String) {
        let ports = exposed.split(separator: " ").flatMap { ContainerPort.list(String($0)) }
        #expect(PortColumn.text(ports, published) == expected)
    }

    private static func bench() throws -> Bench {
        let bench = Bench()
        var request = RunRequest(image: "box:1")
        request.networking = NetworkOptions()
        request.networking?.published = [
            PortMapping(.init(80), hostPorts: 8080...8080), PortMapping(.init(53, .udp), address: IPAddress("::1")),
        ]
        request.networking?.exposed = [.init(90)]
        request.networking?.publishesAll = true
        var execution = ImageConfig.Execution()
        execution.exposedPorts = ["443/tcp": .init(), "nonsense": .init(), "70-71": .init()]
        let record = ContainerRecord(
            id: String(repeating: "4", count: 64), name: "web",
            image: try Digest(parsing: "sha256:" + String(repeating: "f", count: 64)), request: request,
            execution: execution, arguments: ["sh"])
        var details = ContainerDetails(
            record: record, condition: .running(pid: 5, startedAt: ""),
            layers: LayerPaths(lower: [], merged: "/m", upper: "/u", work: "/w"))
        details.ports = [
            .init(443): [],
            .init(80): published("0.0.0.0 8080 80/tcp", ":: 8080 80/tcp"),
            .init(53, .udp): published("::1 32768 53/udp"),
        ]
        bench.engine.details = ["web": details]
        return bench
    }

    @Test(
        arguments: [
            ("port web", 0, "53/udp -> [::1]:32768\n80/tcp -> 0.0.0.0:8080\n80/tcp -> [::]:8080\n", ""),
            ("port web 80", 0, "0.0.0.0:8080\n[::]:8080\n", ""), ("port web 53/udp", 0, "[::1]:32768\n", ""),
            ("port web 53", 1, "", "No public port '53' published for web"),
            ("port web 443", 1, "", "No public port '443' published for web"),
            ("port web x", 1, "", "invalid port (x)"), ("port web 80/x", 1, "", "invalid port (80/x)"),
        ] as [(String, Int32, String, String)])
    func portCommand(_ line: String, _ code: Int32, _ output: String, _ message: String) throws {
        let bench = try Self.bench()
        #expect(bench.run(line) == code)
        #expect(bench.output.text == output)
        #expect(bench.errors.text.contains(message))
    }

    @Test(
        arguments: [
            (
                "{{json .NetworkSettings.Ports}}",
                #"{"443/tcp":null,"53/udp":[{"HostIp":"::1","HostPort":"32768"}],"#
                    + #""80/tcp":[{"HostIp":"0.0.0.0","HostPort":"8080"},{"HostIp":"::","HostPort":"8080"}]}"#
            ),
            ("{{(index (index .NetworkSettings.Ports \"80/tcp\") 0).HostPort}}", "8080"),
            (
                "{{json .HostConfig.PortBindings}}",
                #"{"53/udp":[{"HostIp":"::1","HostPort":""}],"80/tcp":[{"HostIp":"","HostPort":"8080"}]}"#
            ),
            ("{{.HostConfig.PublishAllPorts}}", "true"),
            (
                "{{json .Config.ExposedPorts}}",
                #"{"443/tcp":{},"53/udp":{},"70/tcp":{},"71/tcp":{},"80/tcp":{},"90/tcp":{}}"#
            ),
        ])
    func inspect(_ template: String, _ expected: String) throws {
        let bench = try Self.bench()
        #expect(bench.run(["inspect", "-f", template, "web"]) == 0, "\(bench.errors.text)")
        #expect(bench.output.text == expected + "\n")
    }

    @Test func filters() throws {
        let bench = Bench()
        var web = ContainerSummary(
            id: String(repeating: "4", count: 64), name: "web", created: "2025-11-21T15:00:00Z",
            image: try Digest(parsing: "sha256:" + String(repeating: "f", count: 64)))
        web.exposedPorts = [.init(80), .init(90)]
        web.bindings = [.init(80)]
        web.condition = .running(pid: 5, startedAt: "")
        bench.engine.containers = [web]
        for (filter, isShown) in [
            ("publish=80", true), ("publish=80/udp", false), ("publish=90", false), ("publish=70-85", true),
            ("expose=90", true), ("expose=8080", false),
        ] {
            let before = bench.output.text
            #expect(bench.run("ps -q --filter \(filter)") == 0)
            #expect((bench.output.text != before) == isShown, "\(filter)")
        }
    }
}
