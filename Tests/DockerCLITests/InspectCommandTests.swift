import DockerCLI
import OCI
import Testing

@testable import Engine
@testable import Images

/// `inspect`, against what docker printed for such a container and image.
@Suite struct InspectCommandTests {
    private static func digest(_ digit: Character) throws -> Digest {
        try Digest(parsing: "sha256:" + String(repeating: digit, count: 64))
    }

    private static func bench() throws -> Bench {
        let bench = Bench()
        var request = RunRequest(image: "box:1")
        request.command = ["/bin/sh", "-c", "sleep 1000"]
        request.resources.memory = 67_108_864
        request.isolation.network = .none
        request.lifecycle.restart = RestartPolicy(kind: .onFailure, maximum: 3)
        request.mounts = [
            MountRequest(kind: .volume(name: "vol"), target: "/data"),
            MountRequest(kind: .tmpfs(options: ["size=1m"]), target: "/t"),
        ]
        var execution = ImageConfig.Execution()
        execution.env = ["A=b", "E=old"]
        execution.exposedPorts = ["80/tcp": .init()]
        execution.cmd = ["/bin/sh"]
        var record = ContainerRecord(
            id: String(repeating: "4", count: 64), name: "web", image: try digest("f"), request: request,
            execution: execution, arguments: request.command)
        record.created = "2025-11-21T16:03:38.949310000Z"
        record.mounts = request.mounts
        record.environment = ["E=F"]
        record.labels = ["x": "y", "k": "v"]
        record.hostname = "boxy"
        record.state.startedAt = "2025-11-21T16:03:39.000000000Z"
        var details = ContainerDetails(
            record: record, condition: .running(pid: 27_203, startedAt: ""),
            layers: LayerPaths(lower: ["/d/b", "/d/a"], merged: "/d/merged", upper: "/d/diff", work: "/d/work"))
        details.sources = ["/volumes/vol/_data", ""]
        bench.engine.details = ["web": details]
        bench.engine.imageDetails = ["box:1": try image()]
        return bench
    }

    private static func image() throws -> ImageDetails {
        var config = ImageConfig(os: "linux", architecture: "amd64", diffIDs: [try digest("1")])
        config.created = "2025-11-21T16:03:38.7Z"
        config.config = ImageConfig.Execution()
        config.config?.env = ["A=b"]
        let image = Image(
            id: try digest("f"), config: config, layers: [], names: [try Reference(parsing: "box:1").tagged],
            digests: [], manifestDigest: nil, size: 1_982_305)
        let document = try JSONValue(
            parsing: Array(#"{"container_config": {"Hostname": "builder"}, "comment": "Imported from -"}"#.utf8))
        return ImageDetails(
            image: image, config: document,
            layers: LayerPaths(lower: [], merged: "/i/merged", upper: "/i/diff", work: "/i/work"),
            taggedAt: "2025-11-21T16:03:39.500000000Z")
    }

    @Test(
        arguments: [
            ("{{.Name}} {{.Path}} {{.Args}}", "/web /bin/sh [-c sleep 1000]"),
            (
                "{{json .State}}",
                #"{"Status":"running","Running":true,"Paused":false,"Restarting":false,"OOMKilled":false,"Dead":false,"Pid":27203,"ExitCode":0,"Error":"","StartedAt":"2025-11-21T16:03:39Z","FinishedAt":"0001-01-01T00:00:00Z"}"#
            ),
            (
                "{{.State}}",
                "{running true false false false false 27203 0  2025-11-21T16:03:39Z 0001-01-01T00:00:00Z <nil>}"
            ),
            ("{{.Created}}", "2025-11-21T16:03:38.94931Z"), ("{{.Config.Labels}}", "map[k:v x:y]"),
            ("{{index .Config.Labels \"k\"}}", "v"), ("{{.Config.Env}}", "[E=F A=b]"),
            (
                "{{range .Mounts}}{{.Type}} {{.Name}} {{.Source}} {{.Destination}}{{end}}",
                "volume vol /volumes/vol/_data /data"
            ),
            ("{{.HostConfig.Tmpfs}} {{.HostConfig.Binds}}", "map[/t:size=1m] [vol:/data]"),
            ("{{.NetworkSettings.IPAddress}}|", "|"), ("{{.HostConfig.Memory}}", "67108864"),
            ("{{.HostConfig.MemorySwap}}", "134217728"), ("{{.HostConfig.RestartPolicy}}", "{on-failure 3}"),
            ("{{.GraphDriver.Data.LowerDir}} {{.GraphDriver.Data.WorkDir}}", "/d/b:/d/a /d/work"),
            ("{{.State.Health}} {{.HostConfig.Init}} {{json .Config.Healthcheck}}", "<nil> <nil> null"),
            ("{{.Config.ExposedPorts}}", "map[80/tcp:{}]"), ("{{.HostConfig.CapAdd}}", "[]"),
            ("{{json .HostConfig.CapAdd}} {{.HostConfig.LogConfig}}", "null {json-file map[]}"),
            ("{{range $k, $v := .NetworkSettings.Networks}}{{$k}} {{$v.IPAddress}}{{end}}|", "none |"),
            ("{{if eq .State.Status \"paused\"}}P{{else if .State.Running}}R{{else}}N{{end}}", "R"),
            ("{{with .Config}}{{.Image}} {{.Hostname}}{{end}}", "box:1 boxy"), ("{{.Name}}\\t", "/web\\t"),
            ("{{(index .Mounts 0).Type}} {{len .Mounts}}", "volume 1"), ("{{split .Name \"/\"}}", "[ web]"),
        ])
    func containers(_ template: String, _ expected: String) throws {
        let bench = try Self.bench()
        #expect(bench.run(["inspect", "-f", template, "web"]) == 0, "\(bench.errors.text)")
        #expect(bench.output.text == expected + "\n")
    }

    @Test func networksOfAContainer() throws {
        func shown(_ template: String, _ change: (inout ContainerDetails) -> Void) throws -> String {
            let bench = try Self.bench()
            var details = try #require(bench.engine.details["web"])
            change(&details)
            bench.engine.details["web"] = details
            #expect(bench.run(["inspect", "-f", template, "web"]) == 0, "\(bench.errors.text)")
            return bench.output.text
        }
        let id = String(repeating: "9", count: 64)
        func ask(_ details: inout ContainerDetails) {
            var endpoint = EndpointOptions(network: id)
            endpoint.aliases = ["www"]
            endpoint.address = IPAddress("10.9.0.2")
            var options = NetworkOptions()
            options.endpoints = [endpoint]
            options.dns.servers = [IPAddress(0x0101_0101)]
            options.dns.search = ["."]
            options.extraHosts = [
                ExtraHost(name: "a", address: IPAddress("::1")), ExtraHost(name: "g", address: nil),
            ]
            details.record.request.isolation.network = .named("mine")
            details.record.request.networking = options
            details.networkNames = [id: "mine"]
        }
        func run(_ details: inout ContainerDetails, on network: String) {
            let addresses = [IPPrefix("10.9.0.2/24"), IPPrefix("fd00::2/64")].compactMap(\.self)
            let gateways = [IPAddress("10.9.0.1"), IPAddress("fd00::1")].compactMap(\.self)
            details.endpoints = [
                Endpoint(
                    network: network, networkName: "mine", driver: .bridge, link: "br", port: nil, interface: "eth0",
                    mac: MACAddress(of: IPAddress(0x0a09_0002)), addresses: addresses, gateways: gateways,
                    aliases: ["www"])
            ]
        }
        let host =
            "{{.HostConfig.NetworkMode}} {{.HostConfig.Dns}} {{.HostConfig.DnsSearch}} {{.HostConfig.ExtraHosts}}"
        #expect(try shown(host, ask) == "mine [1.1.1.1] [.] [a:::1 g:host-gateway]\n")
        let network =
            "{{with .NetworkSettings.Networks.mine}}{{json .IPAMConfig}} {{.Aliases}} {{.NetworkID}} {{.Gateway}} "
            + "{{.IPAddress}}/{{.IPPrefixLen}} {{.GlobalIPv6Address}}/{{.GlobalIPv6PrefixLen}} {{.IPv6Gateway}} "
            + "{{.MacAddress}} {{.DNSNames}}{{end}}"
        let asked = #"{"IPv4Address":"10.9.0.2"} [www] \#(id)"#
        #expect(try shown(network, ask) == "\(asked)  /0 /0   []\n")
        let running = try shown(network) {
            ask(&$0)
            run(&$0, on: id)
        }
        #expect(
            running
                == "\(asked) 10.9.0.1 10.9.0.2/24 fd00::2/64 fd00::1 02:42:0a:09:00:02 [web www 444444444444]\n")
        // docker shows the default network's once more above them all.
        let above = "{{with .NetworkSettings}}{{.IPAddress}}/{{.IPPrefixLen}} {{.Gateway}} {{.MacAddress}}{{end}}"
        let standard = try shown(above) { run(&$0, on: PredefinedNetwork.bridge.id) }
        #expect(standard == "10.9.0.2/24 10.9.0.1 02:42:0a:09:00:02\n")
        let other = try shown(above) {
            ask(&$0)
            run(&$0, on: id)
        }
        #expect(other == "/0  \n")
    }

    /// The five paths of the users' notes; two of them are a container's and an image's.
    @Test(
        arguments: [
            ("{{.RepoTags}}", "[box:1]"), ("{{.Metadata.LastTagTime}}", "2025-11-21T16:03:39.5Z"),
            ("{{.ContainerConfig.Hostname}}", "builder"), ("{{.GraphDriver.Data.WorkDir}}", "/i/work"),
            ("{{.Comment}} {{.Size}}", "Imported from - 1982305"), ("{{.ContainerConfig.Cmd}}", "[]"),
        ])
    func images(_ template: String, _ expected: String) throws {
        let bench = try Self.bench()
        #expect(bench.run(["image", "inspect", "-f", template, "box:1"]) == 0, "\(bench.errors.text)")
        #expect(bench.output.text == expected + "\n")
    }

    @Test(
        arguments: [
            ("{{.Foo}}", 1, "template: :1:2: executing \"\" at <.Foo>: map has no entry for key \"Foo\""),
            ("{{.State.Foo}}", 1, "template: :1:8: executing \"\" at <.State.Foo>: map has no entry for key \"Foo\""),
            (
                "{{.State.Health.Status}}", 1,
                "template: :1:8: executing \"\" at <.State.Health.Status>: map has no entry for key \"Health\""
            ),
            (
                "{{.Name.Foo}}", 1,
                "template: :1:7: executing \"\" at <.Name.Foo>: can't evaluate field Foo in type interface {}"
            ),
            ("{{.State", 64, "template: :1: unclosed action"),
            ("{{nope}}", 64, "template: :1: function \"nope\" not defined"),
        ] as [(String, Int32, String)])
    func wrongTemplates(_ template: String, _ code: Int32, _ message: String) throws {
        let bench = try Self.bench()
        #expect(bench.run(["inspect", "-f", template, "web"]) == code)
        #expect(bench.errors.text.contains("template parsing error: \(message)\n"), "\(bench.errors.text)")
    }

    @Test func severalAndUnknown() throws {
        var bench = try Self.bench()
        #expect(bench.run("inspect nope") == 1)
        #expect(bench.output.text == "[]\n" && bench.errors.text == "Error: No such object: nope\n")
        bench = try Self.bench()
        #expect(bench.run("inspect -f {{.Id}} web nope box:1") == 1)
        #expect(bench.output.text.split(separator: "\n").count == 2)
        #expect(bench.errors.text == "Error: No such object: nope\n")
        bench = try Self.bench()
        #expect(bench.run("inspect --type container box:1") == 1)
        #expect(bench.errors.text == "Error: No such container: box:1\n")
        bench = try Self.bench()
        #expect(bench.run("inspect --type foo web") == 1)
        #expect(bench.errors.text.hasPrefix("runimg: unknown type: \"foo\": must be one of \"container\", "))
    }

    @Test func json() throws {
        let bench = try Self.bench()
        #expect(bench.run("inspect -s web box:1") == 0)
        let text = bench.output.text
        #expect(text.hasPrefix("[\n    {\n        \"Id\": \"4444"))
        #expect(text.hasSuffix("\n    }\n]\n"))
        #expect(text.contains("        \"SizeRw\": 7,\n        \"SizeRootFs\": 1007,\n        \"Mounts\": ["))
        #expect(text.contains("        \"Args\": [\n            \"-c\",\n"))
        #expect(text.contains("\"PortBindings\": {},") && text.contains("\"Dns\": [],"))
        let parsed = try JSONValue(parsing: Array(text.utf8))
        #expect(parsed.array?.count == 2)
        let compact = try Self.bench()
        #expect(compact.run("container inspect -f json web") == 0)
        #expect(compact.output.text.hasPrefix(#"[{"Id":"4444"#))
    }
}
