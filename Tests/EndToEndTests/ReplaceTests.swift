internal import OCI
internal import Sys
internal import TestSupport
import Testing

extension EndToEnd {
    /// Names that are asked for elsewhere, by flags and by the configuration.
    @Suite(.enabled(if: Conditions.canPull, "needs docker-registry and skopeo")) struct Replace {
        @Test func anotherPlaceGivesTheImageItsOwnName() throws {
            let registry = try PullCommand.fixtureRegistry()
            let runimg = try Runimg()
            let replaced = ["--replace", "xxx.example/team", "--replace-to", "\(registry.host)/library"]
            let output = try runimg.run(["pull"] + replaced + ["xxx.example/team/fixture"])
            #expect(output.status == 0 && output.stdout.contains("latest: Pulling from team/fixture\n"), "\(output)")
            #expect(output.stdout.hasSuffix("\nxxx.example/team/fixture:latest\n"), "\(output)")
            #expect(try runimg.check("images").lines.last?.hasPrefix("xxx.example/team/fixture") == true)
            // The digest that it came with holds by the same way.
            let prefix = try #require(output.lines.first { $0.hasPrefix("Digest: ") })
            let name = "xxx.example/team/fixture@\(prefix.dropFirst("Digest: ".count))"
            #expect(try runimg.run(["pull", "-q"] + replaced + [name]).stdout == "\(name)\n")
            // Pulled by `run` as well, and no more once it is here.
            try runimg.check("rmi", "-f", "xxx.example/team/fixture")
            let line =
                ["run", "--rm", "-q", "--network", "none"] + replaced + ["xxx.example/team/fixture", "echo", "ran"]
            #expect(try runimg.run(line).stdout == "ran\n")
        }

        /// What is replaced is never asked, not even for what the other place has not.
        @Test func whatIsReplacedIsNeverAsked() throws {
            let registry = try PullCommand.fixtureRegistry()
            let other = try PullCommand.fixtureRegistry()
            let runimg = try Runimg(configuration: #"{"replace": {"\#(registry.host)": "\#(other.host)/nowhere"}}"#)
            let output = try runimg("pull", "\(registry.host)/library/fixture")
            #expect(output.status == 1 && output.stderr.contains("not found"), "\(output)")
            let before = try other.requests().filter { $0.agent.hasPrefix("runimg") }
            #expect(!before.isEmpty && before.allSatisfy { $0.path.contains("/nowhere/library/fixture/") }, "\(before)")
            #expect(try registry.requests().filter { $0.agent.hasPrefix("runimg") }.isEmpty)
            // The command line comes first.
            let replaced = ["--replace", registry.host, "--replace-to", other.host]
            let pulled = try runimg.run(["pull", "-q"] + replaced + ["\(registry.host)/library/fixture"])
            #expect(pulled.stdout == "\(registry.host)/library/fixture:latest\n", "\(pulled)")
            #expect(try registry.requests().filter { $0.agent.hasPrefix("runimg") }.isEmpty)
        }

        @Test func aMirrorOfAnyRegistry() throws {
            let registry = try PullCommand.fixtureRegistry()
            let runimg = try Runimg()
            let output = try runimg(
                "pull", "-q", "--registry-mirror", "quay.example=\(registry.url)", "quay.example/library/fixture")
            #expect(output.stdout == "quay.example/library/fixture:latest\n", "\(output)")
            let elsewhere = try runimg("resolve", "--registry-mirror", "quay.example=\(registry.url)", "ghcr.example/a")
            #expect(elsewhere.stdout == "https://ghcr.example/v2/a/manifests/latest\n", "\(elsewhere)")
        }

        /// docker-registry as a cache in front of another: it serves, also when that one is gone, and is passed over when it
        /// is gone itself.
        @Test func aCacheInFrontOfARegistry() throws {
            let registry = try PullCommand.fixtureRegistry()
            let cache = try RealRegistry(.init(proxied: registry.url))
            let runimg = try Runimg()
            let name = "\(registry.host)/library/fixture"
            let mirror = ["--registry-mirror", "\(registry.host)=\(cache.url)"]
            let asked = { try registry.requests().filter { $0.agent.hasPrefix("runimg") } }
            try #require(try runimg.run(["pull", "-q"] + mirror + [name]).status == 0)
            #expect(try asked().isEmpty)
            #expect(try !cache.blobFetches().isEmpty)

            // What it has served it serves by itself, once it has it whole.
            let blobs = try cache.blobFetches().keys
            let isKept = try Wait.until(seconds: 30) {
                try blobs.allSatisfy { File.exists(cache.blobFile(try Digest(parsing: "sha256:\($0)"))) }
            }
            #expect(isKept)
            let reference = try #require(
                try runimg.check("images", "--digests", "--format", "{{.Repository}}@{{.Digest}}").lines.first)
            try registry.suspend()
            let other = try Runimg()
            let output = try other.run(["pull", "-q"] + mirror + [reference])
            try registry.resume()
            #expect(output.status == 0, "\(output)")
            #expect(try asked().isEmpty)

            // And without it the registry does, whether nobody listens there or there is no such name.
            let gone = ["http://127.0.0.1:1", "https://no-such-host.invalid"].flatMap {
                ["--registry-mirror", "\(registry.host)=\($0)"]
            }
            try #require(try Runimg().run(["pull", "-q"] + gone + [name]).status == 0)
            #expect(try !asked().isEmpty)
        }

        @Test func resolveSaysEachPlaceAndWhy() throws {
            let runimg = try Runimg(
                configuration: """
                    {
                      "registry-mirrors": ["https://mirror.example"],
                      "insecure-registries": ["lab.example:5000"],
                      "replace": {"quay.io/team": "docker.io/corp"}
                    }
                    """,
                environment: ["HTTPS_PROXY": "http://me:secret@proxy.example:3128", "NO_PROXY": "lab.example"])
            let auth = #"{"auths": {"mirror.example": {"auth": "bTpw"}}, "credHelpers": {"lab.example:5000": "pass"}}"#
            try runimg.scratch.file("docker/config.json", auth)
            #expect(
                try runimg.check("resolve", "--explain", "quay.io/team/app:2").stdout == """
                    https://mirror.example/v2/corp/app/manifests/2
                        rule         quay.io/team is replaced by docker.io/corp (\(runimg.configFile):4)
                        rule         mirror of docker.io (\(runimg.configFile):2)
                        proxy        http://…@proxy.example:3128
                        credentials  \(runimg.scratch("docker"))/config.json
                        TLS          certificate checked
                    https://registry-1.docker.io/v2/corp/app/manifests/2
                        rule         quay.io/team is replaced by docker.io/corp (\(runimg.configFile):4)
                        proxy        http://…@proxy.example:3128
                        credentials  none
                        TLS          certificate checked

                    """)
            #expect(
                try runimg.check("resolve", "--explain", "lab.example:5000/a").stdout == """
                    https://lab.example:5000/v2/a/manifests/latest
                        proxy        none
                        credentials  docker-credential-pass, asked for lab.example:5000
                        TLS          certificate not checked; else plain http

                    """)
            let digest = "sha256:" + String(repeating: "a", count: 64)
            #expect(
                try runimg.check("resolve", "--registry-mirror", "http://127.0.0.1:1", "alpine@\(digest)").lines == [
                    "http://127.0.0.1:1/v2/library/alpine/manifests/\(digest)",
                    "https://registry-1.docker.io/v2/library/alpine/manifests/\(digest)",
                ])
        }

        @Test func refusalsSayWhatIsWanted() throws {
            let runimg = try Runimg()
            for (line, text) in [
                (["pull", "--replace", "x.com", "alpine"], "--replace x.com needs a --replace-to behind it"),
                (["pull", "--replace-to", "x.com", "alpine"], "--replace-to stands behind the --replace"),
                (["run", "--replace", "alpine", "true"], "does not begin with a registry: want HOST[:PORT][/PATH]"),
                (["resolve", "oci:/x"], "invalid reference format"),
                (["resolve", "--replace", "x.com/a", "--replace-to", "y.com", "x.com/a"], "which names no repository"),
            ] {
                let output = try runimg.run(line)
                #expect(output.status != 0 && output.stderr.contains(text), "\(output)")
            }
            let broken = try Runimg(configuration: "{\n  \"replace\": {\"a.com\": \"b.com\",}\n}")
            let output = try broken("resolve", "alpine")
            #expect(output.stderr.contains("line 2, column 31: comma before the end"), "\(output)")
        }
    }
}
