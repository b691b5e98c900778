internal import FoundationEssentials
internal import OCI
internal import Sys
internal import TestSupport
import Testing

extension EndToEnd {
    /// Questions to a registry: `tags`, `manifest inspect`, `image inspect --remote`.
    @Suite(.enabled(if: Conditions.canPull, "needs docker-registry and skopeo")) struct RegistryQueryTests {
        typealias Response = FaultyRegistry.Response

        static func registry() throws -> RealRegistry {
            let registry = try RealRegistry()
            try registry.push("oci:\(Fixtures.layout("busybox")):latest", as: "library/fixture:latest")
            try registry.push("oci:\(Fixtures.layout("busybox")):latest", as: "library/fixture:1.0")
            try registry.push("oci:\(Fixtures.layout("multi")):latest", as: "library/multi:latest")
            return registry
        }

        private static func document(_ registry: RealRegistry, _ name: String) throws -> [UInt8] {
            try Tool.check("skopeo", ["inspect", "--raw", "--tls-verify=false", "docker://\(registry.host)/\(name)"])
                .stdoutBytes
        }

        // MARK: Tags

        @Test func tagsAreListedAndNothingIsStored() throws {
            let registry = try Self.registry()
            let runimg = try Runimg(mirror: registry)
            let list = try Tool.check("curl", ["-s", "\(registry.url)/v2/library/fixture/tags/list"]).stdoutBytes
            let tags = try #require(try JSONValue(parsing: list)["tags"]?.strings)
            #expect(Set(tags) == ["1.0", "latest"])
            #expect(try runimg.check("tags", "fixture").lines == tags)
            #expect(try runimg.check("image", "tags", "\(registry.host)/library/fixture").lines.count == 2)
            #expect(
                try runimg.check("tags", "--format", "json", "fixture").lines
                    == tags.map { #"{"Name":"fixture","Tag":"\#($0)"}"# })
            #expect(try runimg.check("tags", "--format", "table {{.Tag}}", "fixture").lines == ["TAG"] + tags)
            let missing = try runimg("tags", "\(registry.host)/no/such")
            #expect(missing.status == 1 && missing.stderr.contains("not found"), "\(missing)")
            let tagged = try runimg("tags", "fixture:latest")
            #expect(tagged.status == 1 && tagged.stderr.contains("without a tag"), "\(tagged)")
            #expect(!File.exists(runimg.dataRoot))
        }

        /// The limit, in pages of the registry's choice.
        @Test func aHundredThousandTags() throws {
            let server = try FaultyRegistry { request, count in
                let first = count * 1000
                let tags = (first..<first + 1000).map { "\"t-\($0)\"" }.joined(separator: ",")
                return Response(
                    200, first + 1000 < 100_000 ? [("Link", "</v2/a/tags/list>; rel=\"next\"")] : [],
                    text: #"{"name":"a","tags":[\#(tags)]}"#)
            }
            let runimg = try Runimg()
            let lines = try runimg.check("tags", "\(server.host)/a").lines
            #expect(lines.count == 100_000 && lines.first == "t-0" && lines.last == "t-99999")
            #expect(server.requests.count == 100)
        }

        @Test func whatIsNoTagIsRefused() throws {
            let server = try FaultyRegistry { _, _ in Response(200, text: #"{"tags":["ok","\u001b[31mred"]}"#) }
            let output = try Runimg()("tags", "\(server.host)/a")
            #expect(output.status == 1 && output.stdout.isEmpty && output.stderr.contains("is no tag"), "\(output)")
            #expect(!output.stderr.contains("\u{1b}"))
        }

        // MARK: Manifests

        @Test func aManifestIsShownAsItIs() throws {
            let registry = try Self.registry()
            let runimg = try Runimg()
            for (name, indent) in [("library/fixture:1.0", "\t"), ("library/multi", "   ")] {
                let shown = try runimg.check("manifest", "inspect", "\(registry.host)/\(name)")
                let raw = try Self.document(registry, name)
                #expect(shown.lines[1].hasPrefix(indent + "\"") && !shown.lines[1].hasPrefix(indent + " "))
                // Nothing but blanks was added.
                func bare(_ bytes: [UInt8]) -> [UInt8] { bytes.filter { ![0x20, 0x09, 0x0a].contains($0) } }
                #expect(bare(shown.stdoutBytes) == bare(raw))
                #expect(try JSONValue(parsing: shown.stdoutBytes) == JSONValue(parsing: raw))
            }
            let digest = Digest.of(try Self.document(registry, "library/fixture:1.0"))
            #expect(
                try runimg.check("manifest", "inspect", "\(registry.host)/library/fixture@\(digest)").stdout
                    == runimg.check("manifest", "inspect", "\(registry.host)/library/fixture").stdout)
            #expect(!File.exists(runimg.dataRoot))
        }

        /// What a terminal would obey is escaped, which changes no value.
        @Test func aHostileManifestDoesNotReachTheTerminal() throws {
            let text =
                #"{"schemaVersion":2,"mediaType":"\#(MediaType.ociManifest)","config":{"mediaType":"\#(MediaType.ociConfig)","digest":"\#(Digest.of([]))","size":2},"layers":[],"annotations":{"a":"x\#u{9b}31m\#u{202e}y","e":{}}}"#
            let server = try FaultyRegistry { _, _ in
                Response(200, [("Content-Type", MediaType.ociManifest)], text: text)
            }
            let shown = try Runimg().check("manifest", "inspect", "\(server.host)/a").stdout
            #expect(shown.contains(#""a": "x\u009b31m\u202ey""#) && shown.contains("\"e\": {}"), "\(shown)")
        }

        @Test func verboseSaysDescriptorsAndPlatforms() throws {
            let registry = try Self.registry()
            let runimg = try Runimg()
            let name = "\(registry.host)/library/fixture:1.0"
            let raw = try Self.document(registry, "library/fixture:1.0")
            let one = try JSONValue(parsing: runimg.check("manifest", "inspect", "-v", name).stdoutBytes)
            #expect(one["Ref"]?.string == name)
            #expect(one["Descriptor"]?["digest"]?.string == "\(Digest.of(raw))")
            #expect(one["Descriptor"]?["size"]?.integer == Int64(raw.count))
            #expect(one["Descriptor"]?["platform"]?["architecture"]?.string == Platform.current.architecture)
            #expect(one["Raw"]?.string == Data(raw).base64EncodedString())
            #expect(one["OCIManifest"] == (try JSONValue(parsing: raw)))
            let index = try #require(
                try JSONValue(parsing: Self.document(registry, "library/multi"))["manifests"]?.array)
            let all = try #require(
                try JSONValue(
                    parsing: runimg.check("manifest", "inspect", "-v", "\(registry.host)/library/multi").stdoutBytes
                )
                .array)
            #expect(all.map { $0["Descriptor"]?["digest"] } == index.map { $0["digest"] })
            #expect(all.map { $0["Descriptor"]?["platform"] } == index.map { $0["platform"] })
            #expect(!File.exists(runimg.dataRoot))
        }

        /// docker's client asks the registry itself, so it needs no daemon.
        @Test(.enabled(if: Conditions.has("docker"), "needs docker's client"))
        func theSameAsDocker() throws {
            let registry = try RealRegistry()
            let runimg = try Runimg()
            try registry.push("oci:\(Fixtures.layout("busybox")):latest", as: "a/oci:1")
            try registry.push("oci:\(Fixtures.layout("busybox")):latest", as: "a/docker:1", format: "v2s2")
            try registry.push("oci:\(Fixtures.layout("multi")):latest", as: "a/list:1", format: "v2s2")
            for (name, flags) in [
                ("a/oci:1", []), ("a/oci:1", ["-v"]), ("a/docker:1", []), ("a/docker:1", ["-v"]), ("a/list:1", ["-v"]),
            ] {
                let line = ["manifest", "inspect", "--insecure"] + flags + ["\(registry.host)/\(name)"]
                let theirs = try Tool.run("docker", line, environment: ["DOCKER_CONFIG": runimg.scratch("docker")])
                try #require(theirs.status == 0, "\(theirs)")
                #expect(try runimg.run(line).stdout == theirs.stdout, "\(line)")
            }
        }

        @Test func anIDIsLookedUpHere() throws {
            let registry = try Self.registry()
            let runimg = try Runimg(mirror: registry)
            try runimg.check("pull", "-q", "fixture")
            let id = try #require(try runimg.check("images", "-q", "--no-trunc").lines.first)
            let asked = try registry.requests().count
            let kept = try runimg.check("manifest", "inspect", id)
            #expect(
                try JSONValue(parsing: kept.stdoutBytes)
                    == JSONValue(parsing: Self.document(registry, "library/fixture")))
            #expect(try registry.requests().filter { $0.agent.hasPrefix("runimg") }.count <= asked)
            try runimg.check("rmi", "-f", id)
            let gone = try runimg("manifest", "inspect", id)
            #expect(gone.status == 1 && gone.stderr.contains("No such image"), "\(gone)")
        }

        // MARK: Images elsewhere

        /// Said of an image before and after it is pulled.
        @Test func aRemoteImageHasTheSameShape() throws {
            let registry = try Self.registry()
            let runimg = try Runimg(mirror: registry)
            let remote = try runimg.check("image", "inspect", "--remote", "multi")
            let blobs = try registry.blobFetches()
            #expect(!File.exists(runimg.dataRoot))
            #expect(try runimg.check("inspect", "--type", "image", "--remote", "multi").stdout == remote.stdout)
            try runimg.check("pull", "-q", "multi")
            let here = try #require(
                try JSONValue(parsing: runimg.check("image", "inspect", "multi").stdoutBytes).array?[0].object)
            let there = try #require(try JSONValue(parsing: remote.stdoutBytes).array?[0].object)
            #expect(Set(here.keys) == Set(there.keys))
            for key in here.keys where !["Size", "VirtualSize", "GraphDriver", "Metadata", "LastUsed"].contains(key) {
                #expect(here[key] == there[key], "\(key)")
            }
            // Of blobs only the config.
            let id = try #require(there["Id"]?.string)
            #expect(blobs.keys.map { "sha256:" + $0 } == [id])
        }

        @Test func platformsOfARemoteImage() throws {
            let registry = try Self.registry()
            let runimg = try Runimg(mirror: registry)
            let line = ["image", "inspect", "--remote", "-f", "{{.Os}}/{{.Architecture}}/{{.Variant}}"]
            #expect(try runimg.run(line + ["--platform", "linux/arm/v7", "multi"]).stdout == "linux/arm/v7\n")
            let none = try runimg.run(line + ["--platform", "linux/riscv64", "multi"])
            #expect(none.status == 1 && none.stderr.contains("linux/riscv64"), "\(none)")
            let container = try runimg("inspect", "--remote", "multi")
            #expect(container.status == 1 && container.stderr.contains("--type image"), "\(container)")
            let local = try runimg("image", "inspect", "--registry-mirror", registry.url, "multi")
            #expect(local.status == 1 && local.stderr.contains("need --remote"), "\(local)")
        }

        /// Strangers' bytes are read only behind the confinement, as in a pull.
        @Test(.enabled(if: Conditions.has("strace"), "needs strace"))
        func theQuestionIsConfined() throws {
            let registry = try Self.registry()
            let runimg = try Runimg(mirror: registry)
            let trace = runimg.scratch("trace")
            let output = try runimg.run(
                ["tags", "fixture"],
                under: [
                    "strace", "-f", "-qq", "-e", "trace=seccomp,landlock_restrict_self,connect,capset", "-o", trace,
                ])
            try #require(output.status == 0, "\(output)")
            let lines = String(decoding: try File.readAll(trace), as: UTF8.self).split(separator: "\n")
            let confined = try #require(lines.firstIndex { $0.contains("seccomp(SECCOMP_SET_MODE_FILTER") })
            let connects = lines.indices.filter {
                lines[$0].contains("connect(") && lines[$0].contains("htons(\(registry.port))")
            }
            #expect(!connects.isEmpty && connects.allSatisfy { $0 > confined }, "\(lines)")
            #expect(lines.contains { $0.contains("capset(") })
        }
    }
}
