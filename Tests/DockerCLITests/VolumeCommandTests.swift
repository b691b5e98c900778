import DockerCLI
import Engine
import OCI
import Testing

/// `volume`, `container prune`, `port` and `exists`, against docker's and podman's texts.
@Suite struct VolumeCommandTests {
    private static func bench() -> Bench {
        let bench = Bench()
        var used = VolumeDetails(name: "used", path: "/v/used/_data", created: "2025-11-21T16:00:00Z")
        used.isUsed = true
        var labelled = VolumeDetails(name: "v4", path: "/v/v4/_data", created: "2025-11-21T16:00:00Z")
        labelled.labels = ["a": "b"]
        let nameless = String(repeating: "5", count: 64)
        bench.engine.volumeList = [
            VolumeDetails(name: nameless, path: "/v/5/_data", created: "2025-11-21T16:00:00Z"), used, labelled,
        ]
        return bench
    }

    @Test func createsAndInspects() {
        let bench = Self.bench()
        #expect(bench.run("volume create --label a=b v5") == 0 && bench.output.text == "v5\n")
        #expect(bench.engine.volumeList.last?.labels == ["a": "b"])
        #expect(bench.run("volume create -d foo v6") == 1)
        #expect(
            bench.errors.text.hasPrefix(
                "runimg: create v6: error looking up volume plugin foo: plugin \"foo\" not found"))
        let other = Self.bench()
        #expect(other.run("volume inspect v4 nope") == 1)
        #expect(
            other.output.text == """
                [
                    {
                        "CreatedAt": "2025-11-21T16:00:00Z",
                        "Driver": "local",
                        "Labels": {
                            "a": "b"
                        },
                        "Mountpoint": "/v/v4/_data",
                        "Name": "v4",
                        "Options": null,
                        "Scope": "local"
                    }
                ]

                """)
        #expect(other.errors.text == "Error: get nope: no such volume\n")
    }

    @Test func lists() {
        let nameless = String(repeating: "5", count: 64)
        let bench = Self.bench()
        #expect(bench.run("volume ls") == 0)
        #expect(bench.output.text == "DRIVER    VOLUME NAME\nlocal     \(nameless)\nlocal     used\nlocal     v4\n")
        for (filter, names) in [
            ("dangling=true", [nameless, "v4"]), ("dangling=0", ["used"]), ("name=v", ["v4"]), ("label=a=b", ["v4"]),
            ("driver=local", [nameless, "used", "v4"]), ("driver=nfs", []),
        ] {
            let bench = Self.bench()
            #expect(bench.run("volume ls -q -f \(filter)") == 0)
            #expect(bench.output.text.split(separator: "\n").map(String.init) == names)
        }
        let json = Self.bench()
        #expect(json.run("volume ls --format json -f name=v4") == 0)
        #expect(
            json.output.text
                == #"{"Availability":"N/A","Driver":"local","Group":"N/A","Labels":"a=b","Links":"N/A","Mountpoint":"/v/v4/_data","Name":"v4","Scope":"local","Size":"N/A","Status":"N/A"}"#
                + "\n")
        let wrong = Self.bench()
        #expect(wrong.run("volume ls -f foo=a") == 1 && wrong.errors.text == "runimg: invalid filter 'foo'\n")
    }

    @Test func removes() {
        let bench = Self.bench()
        #expect(bench.run("volume rm v4 nope used") == 1)
        #expect(bench.output.text == "v4\n")
        #expect(
            bench.errors.text
                == "runimg: get nope: no such volume\nrunimg: remove used: volume is in use - [abc]\n")
        let force = Self.bench()
        #expect(force.run("volume rm -f nope") == 0 && force.output.text == "nope\n")
    }

    @Test func prunesVolumes() {
        var bench = Self.bench()
        bench.answer = "n"
        #expect(bench.run("volume prune") == 0)
        #expect(
            bench.output.text
                == "WARNING! This will remove anonymous local volumes not used by at least one container.\n"
                + "Are you sure you want to continue? [y/N] ")
        bench = Self.bench()
        bench.answer = "y"
        #expect(bench.run("volume prune -a") == 0)
        let nameless = String(repeating: "5", count: 64)
        #expect(bench.output.text.hasSuffix("Deleted Volumes:\n\(nameless)\nv4\n\nTotal reclaimed space: 1.234kB\n"))
        bench = Self.bench()
        #expect(bench.run("volume prune -f --filter label!=a -a") == 0)
        #expect(bench.output.text.hasPrefix("Deleted Volumes:\n\(nameless)\n\n"))
    }

    @Test func prunesContainers() throws {
        var bench = try PsCommandTests.bench()
        #expect(bench.run("container prune") == 0)
        #expect(
            bench.output.text
                == "WARNING! This will remove all stopped containers.\nAre you sure you want to continue? [y/N] ")
        #expect(bench.engine.removedContainers.isEmpty)
        let ids = ["1", "2"].map { String(repeating: $0, count: 64) }
        bench = try PsCommandTests.bench()
        bench.answer = "Y"
        #expect(bench.run("container prune --filter until=1s --filter label=x --filter label!=k") == 0)
        #expect(bench.engine.removedContainers == ids && bench.engine.notedPrunes == ["container 0"])
        #expect(
            bench.output.text.hasSuffix(
                "Deleted Containers:\n\(ids[0])\n\(ids[1])\n\nTotal reclaimed space: 0B\n"))
        for (filter, message) in [
            ("foo=x", "invalid filter 'foo'"), ("until=x", "failed to parse value as time or duration: \"x\""),
        ] {
            bench = try PsCommandTests.bench()
            #expect(bench.run("container prune -f --filter \(filter)") == 1)
            #expect(bench.errors.text == "runimg: \(message)\n" && bench.engine.removedContainers.isEmpty)
        }
        bench = try PsCommandTests.bench()
        #expect(bench.run("container prune -f --filter until=2h") == 0)
        #expect(bench.output.text == "Total reclaimed space: 0B\n")
    }

    @Test func exists() {
        var bench = Self.bench()
        #expect(bench.run("volume exists v4") == 0 && bench.run("volume exists nope") == 1)
        #expect(bench.run("container exists nope") == 1 && bench.run("image exists nope") == 1)
        #expect(bench.output.text.isEmpty && bench.errors.text.isEmpty)
        bench = Self.bench()
        #expect(bench.run("container exists") == 1 && bench.errors.text.contains("requires 1 argument"))
    }

    @Test func portsOfNoContainer() {
        let bench = Self.bench()
        #expect(bench.run("port nope") == 1 && bench.errors.text == "runimg: No such container: nope\n")
    }
}
