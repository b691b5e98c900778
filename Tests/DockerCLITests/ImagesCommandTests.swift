import DockerCLI
import Engine
import OCI
import TestSupport
import Testing

/// `images`, against what docker's own client printed for the same four images.
@Suite struct ImagesCommandTests {
    private static let digest = "sha256:1e42bbe2508154c9126d48c2b8a75420c3544343bf86fd041fb7527e017a4b4a"
    private static let tail = "234e8fb04c47cfe0f49931e4ac7eb76fa904e33b7f8576aec0501c085f02516"

    private static func image(
        _ first: Character, _ tags: [String], _ digests: [String], created: Int64, size: Int64,
        labels: [String: String] = [:]
    ) throws -> ImageSummary {
        var summary = ImageSummary(id: try Digest(parsing: "sha256:\(first)\(tail)"))
        summary.repoTags = tags
        summary.repoDigests = digests.map { "\($0)@\(digest)" }
        summary.created = created
        summary.size = size
        summary.labels = labels
        return summary
    }

    private static func bench() throws -> Bench {
        var bench = Bench()
        bench.now = 1_795_253_100
        let long = "localhost:5000/some/very/long/repository/name"
        bench.engine.summaries = [
            try image("2", ["\(long):v1"], [long], created: 0, size: 0),
            try image(
                "9", ["alpine:latest", "alpine:3.20"], ["alpine"], created: 1_757_000_000, size: 7_797_760,
                labels: ["a": "b"]),
            try image("3", [], ["busybox"], created: 1_447_000_000, size: 123_456),
            try image("1", [], [], created: 1_747_000_000, size: 999_900_000),
        ]
        return bench
    }

    private static func output(_ arguments: [String]) throws -> String {
        let bench = try bench()
        #expect(bench.run(["images"] + arguments) == 0)
        #expect(bench.errors.text.isEmpty)
        return bench.output.text
    }

    @Test func table() throws {
        let expected = """
            REPOSITORY                                      TAG       IMAGE ID       CREATED         SIZE
            alpine                                          latest    9234e8fb04c4   14 months ago   7.8MB
            alpine                                          3.20      9234e8fb04c4   14 months ago   7.8MB
            <none>                                          <none>    1234e8fb04c4   18 months ago   1e+03MB
            busybox                                         <none>    3234e8fb04c4   11 years ago    123kB
            localhost:5000/some/very/long/repository/name   v1        2234e8fb04c4   56 years ago    0B

            """
        #expect(try Self.output([]) == expected)
        #expect(try Self.output(["--format", "table"]) == expected)
        #expect(try Self.output(["-a", "--format", "table "]).hasPrefix("\n"))
    }

    @Test func digestsAndFullIDs() throws {
        let lines = try Self.output(["--digests", "--no-trunc"]).split(separator: "\n")
        #expect(
            lines[0]
                == "REPOSITORY                                      TAG       DIGEST                                                                    IMAGE ID                                                                  CREATED         SIZE"
        )
        #expect(
            lines[1]
                == "alpine                                          latest    \(Self.digest)   sha256:9\(Self.tail)   14 months ago   7.8MB"
        )
        #expect(lines[3].hasPrefix("<none>                                          <none>    <none>   "))
    }

    @Test func quiet() throws {
        let ids = ["9234e8fb04c4", "9234e8fb04c4", "1234e8fb04c4", "3234e8fb04c4", "2234e8fb04c4"]
        #expect(try Self.output(["-q"]) == ids.map { $0 + "\n" }.joined())
        #expect(try Self.output(["-q", "alpine:3.20"]) == "9234e8fb04c4\n")
    }

    @Test func json() throws {
        let lines = try Self.output(["--format", "json", "alpine"]).split(separator: "\n")
        #expect(lines.count == 2)
        let time = Human.timestamp(1_757_000_000)
        #expect(
            lines[0]
                == #"{"Containers":"N/A","CreatedAt":"\#(time)","CreatedSince":"14 months ago","Digest":"\u003cnone\u003e","ID":"9234e8fb04c4","LastUsed":"N/A","LastUsedAt":"N/A","Repository":"alpine","SharedSize":"N/A","Size":"7.8MB","Tag":"latest","UniqueSize":"N/A","VirtualSize":"7.798MB"}"#
        )
    }

    @Test func ownTables() throws {
        let own = try Self.output([
            "--format", #"table {{.Repository}} x {{json .Tag}}\t{{.Size | upper}}"#, "-f", "reference=*u*",
        ])
        #expect(own == "REPOSITORY x TAG     SIZE\nbusybox x \"<none>\"   123KB\n")
        #expect(try Self.output(["--format", #"{{.ID}}\n{{.Tag}}"#, "alpine:latest"]) == "9234e8fb04c4\nlatest\n")
    }

    @Test(
        arguments: [
            (["--filter", "dangling=true"], "3234e8fb04c4\n1234e8fb04c4\n"),
            (["-f", "label=a"], "9234e8fb04c4\n9234e8fb04c4\n"),
            (["-f", "label=a=c"], ""), (["-f", "label=a=b", "-f", "reference=*:lat*"], "9234e8fb04c4\n"),
            (["-f", "before=alpine"], "1234e8fb04c4\n3234e8fb04c4\n2234e8fb04c4\n"),
            (["-f", "until=1747000001"], "1234e8fb04c4\n3234e8fb04c4\n2234e8fb04c4\n"),
            (["-f", "until=1747000000", "-f", "until=1h"], "3234e8fb04c4\n2234e8fb04c4\n"),
            (["-f", "since=1234e8"], "9234e8fb04c4\n9234e8fb04c4\n"),
            (["-f", "reference=localhost:5000/*/*/*/*/*"], "2234e8fb04c4\n"),
            (["nosuch"], ""), (["-f", ""], "9234e8fb04c4\n9234e8fb04c4\n1234e8fb04c4\n3234e8fb04c4\n2234e8fb04c4\n"),
        ] as [([String], String)])
    func filters(_ arguments: [String], _ ids: String) throws {
        let lines = try Self.output(["-q"] + arguments)
        #expect(lines.split(separator: "\n").sorted() == ids.split(separator: "\n").sorted())
    }

    @Test(
        arguments: [
            (
                ["-f", "foo"], 125,
                "invalid argument \"foo\" for \"-f, --filter\" flag: bad format of filter (expected name=value)\n"
            ),
            (["-f", "foo=bar"], 1, "runimg: invalid filter 'foo'\n"),
            (["-f", "dangling=maybe"], 1, "runimg: invalid filter 'dangling=[maybe]'\n"),
            (["-f", "reference=["], 1, "runimg: syntax error in pattern \"[\"\n"),
            (["-f", "until=x"], 1, "runimg: failed to parse value as time or duration: \"x\"\n"),
            (["-f", "before=nosuch"], 1, "runimg: No such image: nosuch:latest\n"),
            (["--tree"], 125, "runimg: flag --tree: not supported yet (planned)\n"),
            (["--format", "{{.ID"], 1, "runimg: template parsing error: template: :1: unclosed action\n"),
            (["--format", "{{.ID}}{{if .Tag}}"], 1, "runimg: template parsing error: template: :1: unexpected EOF\n"),
            (
                ["--format", "{{foo .ID}}"], 1,
                "runimg: template parsing error: template: :1: function \"foo\" not defined\n"
            ),
            (
                ["--format", "{{range .Tag}}{{end}}"], 1,
                "runimg: template parsing error: template: :1:8: executing \"\" at <.Tag>: range can't iterate over latest\n"
            ),
            (
                ["--format", "{{.Foo}}"], 1,
                "runimg: template parsing error: template: :1:2: executing \"\" at <.Foo>: can't evaluate field Foo in type object\n"
            ),
            (["a", "b"], 1, "runimg: 'runimg images' requires at most 1 argument\n"),
        ] as [([String], Int32, String)])
    func refuses(_ arguments: [String], _ code: Int32, _ message: String) throws {
        let bench = try Self.bench()
        #expect(bench.run(["images"] + arguments) == code)
        #expect(bench.errors.text.hasPrefix(message), "\(bench.errors.text)")
        #expect(bench.output.text.isEmpty)
    }

    @Test func theFormatOfDockersConfiguration() throws {
        let scratch = try Scratch()
        try scratch.file("config.json", #"{"imagesFormat": "{{.Tag}}!"}"#)
        for (arguments, output) in [
            (["alpine"], "latest!\n3.20!\n"), (["--format", "{{.ID}}", "alpine:3.20"], "9234e8fb04c4\n"),
            (["-q", "alpine:3.20"], "9234e8fb04c4\n"),
        ] {
            var bench = try Self.bench()
            bench.environment["DOCKER_CONFIG"] = scratch.path
            #expect(bench.run(["images"] + arguments) == 0 && bench.output.text == output)
        }
    }

    @Test func noImages() {
        let bench = Bench()
        #expect(bench.run("image ls") == 0)
        #expect(bench.output.text == "REPOSITORY   TAG       IMAGE ID   CREATED   SIZE\n")
    }
}

@Suite struct HumanTests {
    @Test(
        arguments: [
            (0, "Less than a second"), (-5, "Less than a second"), (1, "1 second"), (59, "59 seconds"),
            (60, "About a minute"), (119, "About a minute"),
            (120, "2 minutes"), (3599, "59 minutes"), (3600, "About an hour"), (5399, "About an hour"),
            (5400, "2 hours"), (47 * 3600, "47 hours"),
            (48 * 3600, "2 days"), (13 * 86_400, "13 days"), (14 * 86_400, "2 weeks"), (59 * 86_400, "8 weeks"),
            (60 * 86_400, "2 months"),
            (729 * 86_400, "24 months"), (730 * 86_400, "2 years"),
        ] as [(Int64, String)])
    func durations(_ seconds: Int64, _ text: String) { #expect(Human.duration(seconds: seconds) == text) }

    @Test func sizes() {
        #expect(
            [0, 999, 1000, 7_797_760, 999_900_000, 123_456].map { Human.size($0, digits: 3) } == [
                "0B", "999B", "1kB", "7.8MB", "1e+03MB", "123kB",
            ])
        #expect(Human.size(.max) == "9.223EB" && Human.binarySize(8_184_000_000) == "7.622GiB")
    }

    @Test(arguments: [
        ("alp*", "alpine", true), ("*", "a/b", false), ("*/*", "a/b", true), ("a?c", "abc", true),
        ("a?c", "a/c", false),
        ("[a-c]x", "bx", true), ("[^a-c]x", "bx", false), ("\\*", "*", true), ("a*b*c", "aXbXbc", true), ("", "", true),
        ("", "a", false),
    ])
    func globs(_ pattern: String, _ text: String, _ expected: Bool) { #expect(Glob.match(pattern, text) == expected) }

    @Test(arguments: ["[", "[]", "[a", "[a-", "a\\", "[-a]", "[b-a]"])
    func badGlobs(_ pattern: String) { #expect(Glob.match(pattern, "a") == nil) }

    @Test func globsAreNotSlow() {
        let pattern = String(repeating: "*a", count: 60) + "b"
        #expect(Glob.match(pattern, String(repeating: "a", count: 4000)) == false)
    }
}
