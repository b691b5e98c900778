import DockerCLI
import Engine
import Glibc
import OCI
import TestSupport
import Testing

/// `ps`, against what docker's own client printed for containers like these.
@Suite struct PsCommandTests {
    private static let now: Int64 = 1_763_740_800  // 2025-11-21T16:00:00Z

    private static func container(
        _ name: String, _ digit: Character, _ condition: ContainerCondition, created: String,
        arguments: [String] = ["/bin/sh"]
    ) throws -> ContainerSummary {
        let image = try Digest(parsing: "sha256:" + String(repeating: "f", count: 64))
        var summary = ContainerSummary(
            id: String(repeating: digit, count: 64), name: name, created: "2025-11-21T\(created).000000000Z",
            image: image)
        summary.imageName = "box:1"
        summary.arguments = arguments
        summary.labels = ["x": "y"]
        summary.condition = condition
        return summary
    }

    static func bench() throws -> Bench {
        var bench = Bench()
        bench.now = now
        let failed = try container("err", "1", .created, created: "15:59:57", arguments: ["/nope"])
        var ended = try container("ended", "2", .exited, created: "15:59:56", arguments: ["/bin/false"])
        ended.state.exitCode = 1
        ended.state.finishedAt = "2025-11-21T15:59:58.000000000Z"
        var again = try container("again", "3", .restarting, created: "15:00:00")
        again.state.exitCode = 3
        again.state.finishedAt = "2025-11-21T15:59:55.000000000Z"
        var web = try container(
            "web", "4", .running(pid: 5, startedAt: ""), created: "11:00:00",
            arguments: ["/bin/sh", "-c", "echo \"a long command here\" && sleep 1000"])
        web.state.startedAt = "2025-11-21T15:55:00.000000000Z"
        web.labels["k"] = "v"
        web.exposedPorts = [.init(53, .udp), .init(80), .init(81), .init(443)]
        web.mounts = [
            MountSummary(volume: "vol", source: "vol", target: "/data"),
            MountSummary(volume: nil, source: "/tmp/view-docker/etc", target: "/host"),
        ]
        web.size = ContainerSize(own: 5, whole: 1_982_310)
        var still = try container("still", "5", .running(pid: 6, startedAt: ""), created: "10:00:00")
        still.state.startedAt = "2025-11-21T16:00:00.000000000Z"
        still.isPaused = true
        bench.engine.containers = [failed, ended, again, web, still]
        bench.engine.imageIDs = ["box:1": web.image]
        return bench
    }

    private static func output(_ arguments: [String]) throws -> String {
        let bench = try bench()
        #expect(bench.run(["ps"] + arguments) == 0, "\(bench.errors.text)")
        #expect(bench.errors.text.isEmpty)
        return bench.output.text
    }

    @Test func table() throws {
        let head =
            "CONTAINER ID   IMAGE     COMMAND                   CREATED             STATUS                           PORTS                               NAMES\n"
        let running = """
            333333333333   box:1     "/bin/sh"                 About an hour ago   Restarting (3) 5 seconds ago                                         again
            444444444444   box:1     "/bin/sh -c 'echo \\"a…"   5 hours ago         Up 5 minutes                     80-81/tcp, 53/udp, 443/tcp          web
            555555555555   box:1     "/bin/sh"                 6 hours ago         Up Less than a second (Paused)                                       still

            """
        func squeezed(_ text: String) -> [String] {
            text.split(separator: "\n").map { $0.split(separator: " ").joined(separator: " ") }
        }
        #expect(squeezed(try Self.output([])) == squeezed(head + running))
        let all = squeezed(try Self.output(["-a"]))
        #expect(all.count == 6)
        #expect(all[1] == #"111111111111 box:1 "/nope" 3 seconds ago Created err"#)
        #expect(all[2] == #"222222222222 box:1 "/bin/false" 4 seconds ago Exited (1) 2 seconds ago ended"#)
        #expect(Array(all[3...]) == squeezed(running))
    }

    @Test func nothing() throws {
        let bench = Bench()
        #expect(bench.run("container list") == 0)
        #expect(bench.output.text == "CONTAINER ID   IMAGE     COMMAND   CREATED   STATUS    PORTS     NAMES\n")
        #expect(bench.engine.scopes == [SummaryScope(all: false)])
    }

    @Test func fullAndSizes() throws {
        let bench = try Self.bench()
        #expect(bench.run("ps -s --no-trunc") == 0)
        #expect(bench.engine.scopes == [SummaryScope(all: false, sizes: true)])
        let lines = bench.output.text.split(separator: "\n")
        #expect(lines[0].hasSuffix("NAMES     SIZE"))
        #expect(lines[2].hasPrefix(String(repeating: "4", count: 64)))
        #expect(lines[2].contains(#""/bin/sh -c 'echo \"a long command here\" && sleep 1000'""#))
        #expect(lines[2].hasSuffix("web       5B (virtual 1.98MB)"))
    }

    @Test func json() throws {
        let time = Human.timestamp(Self.now - 5 * 3600)
        #expect(
            try Self.output(["--format", "json", "-f", "name=web"])
                == #"{"Command":"\"/bin/sh -c 'echo \\\"a…\"","CreatedAt":"\#(time)","ID":"444444444444","Image":"box:1","Labels":"k=v,x=y","LocalVolumes":"1","Mounts":"vol,/tmp/view-dock…","Names":"web","Networks":"none","Platform":null,"Ports":"80-81/tcp, 53/udp, 443/tcp","RunningFor":"5 hours ago","Size":"5B (virtual 1.98MB)","State":"running","Status":"Up 5 minutes"}"#
                + "\n")
    }

    @Test func templates() throws {
        let columns = #"table {{.ID}}\t{{.LocalVolumes}}\t{{.Label "com.example.my-key"}}\t{{.Label "k"}}\t{{.State}}"#
        #expect(
            try Self.output(["--format", columns, "-f", "name=web"])
                == "CONTAINER ID   LOCAL VOLUMES   my key    k         STATE\n444444444444   1                         v         running\n"
        )
        #expect(
            try Self.output(["-a", "--format", #"{{json .Names}} {{.Label "x"}} {{upper .Names}}"#, "-n", "1"])
                == "\"err\" y ERR\n")
        let bench = try Self.bench()
        #expect(bench.run(["ps", "--format", "{{.Names}} {{.Size}}"]) == 0)
        #expect(bench.engine.scopes == [SummaryScope(all: false, sizes: true)])
    }

    @Test func formatOfTheConfigurationFile() throws {
        let scratch = try Scratch()
        try scratch.file("config.json", #"{"psFormat": "{{.Names}}!"}"#)
        var bench = try Self.bench()
        bench.environment = ["DOCKER_CONFIG": scratch.path]
        #expect(bench.run("ps") == 0 && bench.output.text == "again!\nweb!\nstill!\n")
        bench = try Self.bench()
        bench.environment = ["DOCKER_CONFIG": scratch.path]
        #expect(bench.run("ps -q -n 1") == 0 && bench.output.text == "111111111111\n")
    }

    @Test(
        arguments: [
            ("", "again web still"), ("-a", "err ended again web still"), ("-n 2", "err ended"), ("-l", "err"),
            ("-n 0", "again web still"), ("-n -5", "again web still"), ("-n 3 -l", "err ended again"),
            ("-f status=exited", "ended"), ("-f status=running", "web"), ("-f status=paused", "still"),
            ("-f status=created -f status=restarting", "err again"), ("-a -f exited=1", "ended"),
            ("-a -f exited=0", ""), ("-a -f name=e", "err ended web"), ("-a -f name=^/web", "web"),
            ("-a -f name=^we$", ""), ("-a -f name=[", ""), ("-a -f name=err -f name=web", "err web"),
            ("-a -f id=44", "web"), ("-a -f label=k", "web"), ("-a -f label=k=v -f label=x=y", "web"),
            ("-a -f label=k -f label=z", ""), ("-a -f label=k=w", ""), ("-a -f before=web", "still"),
            ("-f since=web", "err ended again"), ("-a -f since=/4444", "err ended again"), ("-f volume=vol", "web"),
            ("-f volume=/data/", "web"), ("-f volume=/dat", ""), ("-f network=none -f name=still", "still"),
            ("-f network=host", ""), ("-f expose=80", "web"), ("-f expose=80/udp", ""), ("-f expose=50-60/udp", "web"),
            ("-f publish=80", ""), ("-f ancestor=box:1 -f name=we", "web"), ("-f ancestor=nope", ""),
            ("-f health=none -f name=web", "web"), ("-f health=healthy", ""), ("-f is-task=true", ""),
            ("--sort names", "again still web"), ("--external --sort id", "again web still"),
        ])
    func selects(_ arguments: String, _ names: String) throws {
        let words = arguments.split(separator: " ").map(String.init)
        let found = try Self.output(words + ["--format", "{{.Names}}"])
        let expected = names.split(separator: " ").map { $0 + "\n" }.joined()
        // since and before look at all containers, and show what runs unless told otherwise.
        let hidden = !words.contains("-a") && names == "err ended again" && arguments.hasPrefix("-f")
        #expect(found == (hidden ? "again\n" : expected))
    }

    @Test(
        arguments: [
            (
                ["-f", "foo"], 125,
                "invalid argument \"foo\" for \"-f, --filter\" flag: bad format of filter (expected name=value)\n"
            ),
            (["-f", "foo=bar"], 1, "runimg: invalid filter 'foo'\n"),
            (["-f", "status=nope"], 1, "runimg: invalid filter 'status=nope'\n"),
            (["-f", "exited=x"], 1, "runimg: invalid filter 'exited=x'\n"),
            (["-f", "health=x"], 1, "runimg: unrecognized filter value for health: x\n"),
            (["-f", "is-task=x"], 1, "runimg: invalid filter 'is-task=x'\n"),
            (["-f", "expose=x"], 1, "runimg: invalid filter 'expose=x'\n"),
            (["-f", "before=nope"], 1, "runimg: No such container: nope\n"),
            (
                ["--format", "{{.Foo}}"], 1,
                "runimg: failed to execute template: template: :1:2: executing \"\" at <.Foo>: can't evaluate field Foo in type object\n"
            ),
            (["--format", "{{.ID"], 1, "runimg: failed to parse template: template: :1: unclosed action\n"),
            (
                ["--format", "{{.Label}}"], 1,
                "runimg: failed to execute template: template: :1:2: executing \"\" at <.Label>: wrong number of args for Label: want 1 got 0\n"
            ),
            (["extra"], 1, "runimg: 'runimg ps' accepts no arguments\n"),
            (["-n", "x"], 125, "invalid argument \"x\" for \"-n, --last\" flag: "),
            (["--sort", "x"], 125, "invalid argument \"x\" for \"--sort\" flag: \"x\" is not a valid value"),
        ] as [([String], Int32, String)])
    func refuses(_ arguments: [String], _ code: Int32, _ message: String) throws {
        let bench = try Self.bench()
        #expect(bench.run(["ps"] + arguments) == code)
        #expect(bench.errors.text.hasPrefix(message), "\(bench.errors.text)")
        #expect(bench.output.text.isEmpty)
    }
}
