import DockerCLI
import Engine
import OCI
import Sys
import Testing

/// `image prune`, `system prune` and `system df`, against docker's texts.
@Suite struct PruneCommandTests {
    private static func image(
        _ first: Character, _ tags: [String], created: Int64, labels: [String: String] = [:]
    ) throws -> ImageSummary {
        var summary = ImageSummary(id: try Digest(parsing: "sha256:\(first)" + String(repeating: "0", count: 63)))
        summary.repoTags = tags
        summary.created = created
        summary.size = 5_000_000
        summary.labels = labels
        return summary
    }

    private static func bench() throws -> Bench {
        let bench = Bench()
        bench.engine.summaries = [
            try image("1", ["a:1", "b:1"], created: 1_763_600_000, labels: ["k": "v"]),
            try image("2", [], created: 1_763_699_000), try image("3", [], created: 1_000_000_000, labels: ["k": "w"]),
        ]
        bench.engine.reclaimed.names = ["untagged: a:1", "deleted: sha256:1"]
        bench.engine.reclaimed.bytes = 1234
        return bench
    }

    @Test func asksFirst() throws {
        var bench = try Self.bench()
        #expect(bench.run("image prune") == 0)
        #expect(
            bench.output.text
                == "WARNING! This will remove all dangling images.\nAre you sure you want to continue? [y/N] ")
        bench = try Self.bench()
        bench.answer = "n"
        #expect(bench.run("image prune -a") == 0)
        #expect(
            bench.output.text.hasPrefix(
                "WARNING! This will remove all images without at least one container associated to them.\nAre you "))
        #expect(bench.engine.prunes.isEmpty)
    }

    @Test(
        arguments: [
            ("", "200000000000 300000000000"), ("-a", "100000000000 200000000000 300000000000 tagged"),
            ("--filter dangling=false", "100000000000 200000000000 300000000000 tagged"),
            ("-a --filter label=k", "100000000000 300000000000 tagged"), ("--filter label=k=w", "300000000000"),
            ("--filter label!=k", "200000000000"), ("--filter until=1h", "300000000000"),
            ("-a --filter until=1h --filter label!=k=w", "100000000000 tagged"),
        ])
    func chooses(_ flags: String, _ ids: String) throws {
        let bench = try Self.bench()
        #expect(bench.run("image prune -f \(flags)") == 0)
        #expect(bench.engine.prunes == [ids])
        #expect(
            bench.output.text
                == "Deleted Images:\nuntagged: a:1\ndeleted: sha256:1\n\nTotal reclaimed space: 1.234kB\n")
    }

    @Test(arguments: [
        // Never used: when it is older than that, nobody knows.
        ("--unused-for 1h", "100000000000 200000000000 tagged"), ("--unused-for 2d", "100000000000 tagged"),
        ("--unused-for 1d12h30m", "100000000000 tagged"), ("--unused-for 0s --filter label=k=v", "100000000000 tagged"),
        ("--keep-bytes 2k", "100000000000 200000000000 300000000000 tagged keep=2048"),
        ("--keep-bytes 1g --unused-for 1w", "tagged keep=1073741824"),
        ("--dry-run --unused-for 1h --filter until=24h", "100000000000 tagged dry"),
    ])
    func choosesByUse(_ flags: String, _ ids: String) throws {
        let bench = try Self.bench()
        let now: Int64 = 1_763_700_000
        bench.engine.summaries[0].lastUsed = FileTime(seconds: now - 3 * 86_400, nanoseconds: 5)
        bench.engine.summaries[1].lastUsed = FileTime(seconds: now - 86_400, nanoseconds: 0)
        #expect(bench.run("image prune -f \(flags)") == 0)
        #expect(bench.engine.prunes == [ids])
    }

    @Test func asksAndPreviewsByUse() throws {
        var bench = try Self.bench()
        bench.answer = "n"
        #expect(bench.run("image prune --unused-for 2w --keep-bytes 20g") == 0)
        #expect(
            bench.output.text
                == "WARNING! This will remove all images without at least one container associated to them that were not "
                + "used for 2w, the least recently used first, until all images take 20g.\nAre you sure you want to "
                + "continue? [y/N] ")
        #expect(bench.run("image prune --dry-run") == 0)
        #expect(
            bench.output.text.hasSuffix(
                "Images that would be deleted:\nuntagged: a:1\ndeleted: sha256:1\n\n"
                    + "Total space that would be reclaimed: 1.234kB\n"))
        #expect(bench.engine.prunes == ["200000000000 300000000000 dry"])
    }

    @Test(arguments: ["--unused-for x", "--unused-for -1h", "--unused-for 5", "--keep-bytes x", "--keep-bytes -1"])
    func refusesBounds(_ flags: String) throws {
        let bench = try Self.bench()
        #expect(bench.run("image prune -f \(flags)") == 125)
        #expect(bench.errors.text.contains("invalid argument"), "\(bench.errors.text)")
        #expect(bench.engine.prunes.isEmpty)
    }

    @Test(arguments: [
        ("image prune -f --filter foo=x", "invalid filter 'foo'"),
        ("image prune -f --filter dangling=x", "invalid filter 'dangling=[x]'"),
        ("image prune -f --filter until=x", "failed to parse value as time or duration: \"x\""),
        ("image prune -f --filter until=1h --filter until=2h", "more than one until filter specified"),
        ("system prune -f --filter foo=x", "invalid filter 'foo'"),
        ("system prune -f --filter until=x", "failed to parse value as time or duration: \"x\""),
        (
            "system prune -f --volumes --filter until=1h",
            "ERROR: The \"until\" filter is not supported with \"--volumes\""
        ),
    ])
    func refuses(_ line: String, _ message: String) throws {
        let bench = try Self.bench()
        #expect(bench.run(line) == 1)
        #expect(bench.errors.text == "runimg: \(message)\n")
        #expect(bench.engine.prunes.isEmpty && bench.engine.removedContainers.isEmpty)
    }

    @Test func whatCouldNotBeRemovedIsSaid() throws {
        let bench = try Self.bench()
        bench.engine.reclaimed = Reclaimed()
        bench.engine.reclaimed.problems = ["a is damaged"]
        #expect(bench.run("image prune -f") == 1)
        #expect(bench.output.text == "Total reclaimed space: 0B\n" && bench.errors.text == "runimg: a is damaged\n")
    }

    @Test func theSystemIsPruned() throws {
        let bench = try PsCommandTests.bench()
        bench.engine.summaries = try Self.bench().engine.summaries
        bench.engine.reclaimed = try Self.bench().engine.reclaimed
        let nameless = String(repeating: "5", count: 64)
        bench.engine.volumeList = [
            VolumeDetails(name: nameless, path: "/v", created: ""),
            VolumeDetails(name: "mine", path: "/w", created: ""),
        ]
        bench.engine.networkList = NetworkCommandTests.networks
        #expect(bench.run("system prune -f --volumes --filter label!=k") == 0)
        let ids = ["1", "2"].map { String(repeating: $0, count: 64) }
        #expect(
            bench.output.text
                == "Deleted Containers:\n\(ids[0])\n\(ids[1])\n\nDeleted Networks:\nidle\n\n"
                + "Deleted Volumes:\n\(nameless)\n\n"
                + "Deleted Images:\nuntagged: a:1\ndeleted: sha256:1\n\nTotal reclaimed space: 2.468kB\n")
        #expect(bench.engine.removedContainers == ids && bench.engine.prunes == ["200000000000"])
    }

    @Test func theSystemIsAskedFor() throws {
        let bench = try PsCommandTests.bench()
        #expect(bench.run("system prune -a --volumes --filter label=a=b --filter label!=c") == 0)
        #expect(
            bench.output.text == """
                WARNING! This will remove:
                  - all stopped containers
                  - all networks not used by at least one container
                  - all anonymous volumes not used by at least one container
                  - all images without at least one container associated to them

                  Items to be pruned will be filtered with:
                  - label=a=b
                  - label!=c

                Are you sure you want to continue? [y/N] \("")
                """)
        #expect(bench.engine.prunes.isEmpty && bench.engine.removedContainers.isEmpty)
    }

    private static func used() throws -> Bench {
        let bench = try PsCommandTests.bench()
        var first = try image("1", ["a:1", "b:1"], created: bench.now - 3 * 3600)
        first.sharedSize = 1_000_000
        first.containers = 2
        var second = try image("2", [], created: bench.now - 3 * 3600)
        second.sharedSize = 1_000_000
        second.containers = 0
        bench.engine.spaceReport.images = [first, second]
        bench.engine.spaceReport.layers = 9_000_000
        bench.engine.spaceReport.containers = bench.engine.containers.enumerated().map { index, container in
            var container = container
            container.size = ContainerSize(own: index == 0 ? 100 : 300, whole: 5000)
            return container
        }
        var volume = VolumeDetails(name: "v", path: "/v", created: "")
        volume.size = 36
        volume.links = 0
        bench.engine.spaceReport.volumes = [volume]
        return bench
    }

    @Test func spaceInShort() throws {
        let bench = try Self.used()
        let containers = bench.engine.spaceReport.containers
        let running = containers.filter { $0.condition.isRunning || $0.condition == .restarting }
        let all = containers.reduce(0) { $0 + ($1.size?.own ?? 0) }
        let free = all - running.reduce(0) { $0 + ($1.size?.own ?? 0) }
        #expect(!running.isEmpty && running.count < containers.count)
        #expect(bench.run("system df") == 0)
        let rows = bench.output.text.split(separator: "\n").map { $0.split(separator: " ").joined(separator: " ") }
        #expect(
            rows == [
                "TYPE TOTAL ACTIVE SIZE RECLAIMABLE", "Images 2 1 9MB 5MB (55%)",
                "Containers \(containers.count) \(running.count) \(Human.size(all)) \(Human.size(free)) (\(free * 100 / all)%)",
                "Local Volumes 1 0 36B 36B (100%)", "Build Cache 0 0 0B 0B",
            ])
        let json = try Self.used()
        #expect(json.run("system df --format json") == 0)
        #expect(
            json.output.text.hasPrefix(
                #"{"Active":"1","Reclaimable":"5MB (55%)","Size":"9MB","TotalCount":"2","Type":"Images"}"# + "\n"))
    }

    @Test func spaceInFull() throws {
        let bench = try Self.used()
        #expect(bench.run("system df -v") == 0)
        let text = bench.output.text
        #expect(
            text.hasPrefix(
                """
                Images space usage:

                REPOSITORY   TAG       IMAGE ID       CREATED       SIZE      SHARED SIZE   UNIQUE SIZE   CONTAINERS
                a            1         100000000000   3 hours ago   5MB       1MB           4MB           2
                <none>       <none>    200000000000   3 hours ago   5MB       1MB           4MB           0

                Containers space usage:

                CONTAINER ID   IMAGE
                """), "\(text)")
        #expect(text.contains("   300B   ") && !text.contains("virtual"), "\(text)")
        #expect(
            text.hasSuffix(
                """

                Local Volumes space usage:

                VOLUME NAME   LINKS     SIZE
                v             0         36B

                Build cache usage: 0B

                CACHE ID   CACHE TYPE   SIZE      CREATED   LAST USED   USAGE     SHARED

                """), "\(text)")
        let table = try Self.used()
        #expect(table.run("system df -v --format table") == 0 && table.output.text == text)
    }

    @Test(arguments: [
        ("{{range .Images}}{{.ID}} {{.Repository}}|{{end}}", "sha256:1"),
        ("{{len .Volumes}} {{len .BuildCache}}", "1 0"),
        ("{{json .Volumes}}", #"[{"Availability":"N/A","Driver":"local""#), ("json", #"{"Images":[{"Containers":"2","#),
        ("table {{range .Images}}{{.ID}}\\t{{.Tag}}\\n{{end}}", "100000000000\t1\n200000000000\t<none>\n"),
    ])
    func spaceByTemplate(_ format: String, _ beginning: String) throws {
        let bench = try Self.used()
        #expect(bench.run(["system", "df", "-v", "--format", format]) == 0)
        #expect(bench.output.text.hasPrefix(beginning), "\(bench.output.text)")
        #expect(bench.output.text.hasSuffix("\n") == format.hasPrefix("table"))
    }

    @Test(arguments: ["{{.Type}}", "{{.Nope}}", "{{"]) func refusesTemplates(_ format: String) throws {
        #expect(try Self.used().run(["system", "df", "-v", "--format", format]) == 1)
    }
}
