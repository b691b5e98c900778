internal import OCI
internal import Synchronization
internal import Sys
internal import TestSupport
internal import Testing

extension EndToEnd {
    /// What podman's and containerd's files say of registries.
    @Suite(.enabled(if: Conditions.canPull, "needs docker-registry and skopeo")) struct ForeignRegistries {
        private static let digest = "sha256:" + String(repeating: "a", count: 64)

        /// A program that reads this registries.conf, and these files of containerd's by their registry.
        private static func runimg(
            _ registries: String = "", hosts: [String: String] = [:], more: String = ""
        ) throws -> (Runimg, conf: String, hosts: String) {
            let scratch = try Scratch()
            let conf = try scratch.file("registries.conf", registries)
            for (name, text) in hosts { try scratch.file("hosts/\(name)/hosts.toml", text) }
            let directory = scratch("hosts")
            let runimg = try Runimg(
                configuration: #"{"hosts-directory": "\#(directory)"\#(more)}"#,
                environment: ["CONTAINERS_REGISTRIES_CONF": conf])
            kept.append(scratch)
            return (runimg, conf, directory)
        }

        /// They live as long as the suite's process.
        private static let kept = Kept()

        private final class Kept: Sendable {
            private let all = Mutex<[Scratch]>([])
            func append(_ scratch: Scratch) { all.withLock { $0.append(scratch) } }
        }

        private static func places(_ runimg: Runimg, _ name: String) throws -> [String] {
            try runimg.check("resolve", name).lines.map { String($0) }
        }

        @Test func registriesConfLeadsToMirrorsAndLocations() throws {
            let (runimg, conf, _) = try Self.runimg(
                """
                [[registry]]
                prefix = "docker.io"
                [[registry.mirror]]
                location = "harbor.example/proxy/hub"
                [[registry.mirror]]
                location = "digests.example"
                pull-from-mirror = "digest-only"
                [[registry]]
                prefix = "quay.io/team"
                location = "corp.example:5000/quay"
                mirror-by-digest-only = true
                [[registry.mirror]]
                location = "m.example/x"
                [[registry]]
                prefix = "*.evil.example"
                blocked = true
                [[registry]]
                location = "lab.example"
                insecure = true
                """)
            #expect(
                try Self.places(runimg, "alpine:3") == [
                    "https://harbor.example/v2/proxy/hub/library/alpine/manifests/3",
                    "https://registry-1.docker.io/v2/library/alpine/manifests/3",
                ])
            #expect(
                try Self.places(runimg, "alpine@\(Self.digest)")[1]
                    == "https://digests.example/v2/library/alpine/manifests/\(Self.digest)")
            #expect(
                try runimg.check("resolve", "--explain", "quay.io/team/a").stdout == """
                    https://corp.example:5000/v2/quay/a/manifests/latest
                        rule         quay.io/team is at corp.example:5000/quay (\(conf):8)
                        proxy        none
                        credentials  none
                        TLS          certificate checked

                    """)
            #expect(try Self.places(runimg, "quay.io/team/a@\(Self.digest)").count == 2)
            #expect(try Self.places(runimg, "quay.io/teams/a") == ["https://quay.io/v2/teams/a/manifests/latest"])
            let blocked = try runimg("pull", "a.evil.example/x")
            #expect(
                blocked.status == 1 && blocked.stderr.contains("a.evil.example/x is blocked by \(conf):14"),
                "\(blocked)")
            #expect(
                try runimg.check("resolve", "--explain", "lab.example/a").stdout.contains(
                    "certificate not checked; else plain http"))
            // Our own mirrors come instead.
            #expect(
                try runimg.check("resolve", "--registry-mirror", "https://own.example", "alpine").lines == [
                    "https://own.example/v2/library/alpine/manifests/latest",
                    "https://registry-1.docker.io/v2/library/alpine/manifests/latest",
                ])
        }

        @Test func theImageKeepsItsName() throws {
            let registry = try PullCommand.fixtureRegistry()
            let (runimg, _, _) = try Self.runimg(
                "[[registry]]\nprefix = \"quay.example/team\"\nlocation = \"\(registry.host)/library\"\n")
            let output = try runimg("run", "--rm", "--network", "none", "quay.example/team/fixture", "echo", "ran")
            #expect(output.stdout == "ran\n", "\(output)")
            #expect(try runimg.check("images").lines.last?.hasPrefix("quay.example/team/fixture") == true)
        }

        @Test func dropInsAddAndReplace() throws {
            let (runimg, conf, _) = try Self.runimg(
                "[[registry]]\nprefix = \"a.example\"\nlocation = \"one.example\"\n")
            let dropIn = conf + ".d"
            try Directory.make(dropIn, mode: 0o755)
            try File.replace(
                "\(dropIn)/10.conf", with: Array("[[registry]]\nprefix=\"a.example\"\nlocation=\"two.example\"\n".utf8))
            try File.replace("\(dropIn)/x.txt", with: Array("no TOML".utf8))
            #expect(try Self.places(runimg, "a.example/x") == ["https://two.example/v2/x/manifests/latest"])
        }

        @Test func faultsNameFileLineAndColumn() throws {
            for (text, words) in [
                ("[[registry]\n", "line 1, column 12: want ] behind the name of a table"),
                ("\n[[registry]]\ninsecure = 1\nprefix=\"a.example\"\n", "line 3: insecure: want true or false"),
                ("[[registry]]\nblocked = true\n", "line 1: [[registry]] with neither prefix nor location"),
                ("[[registry]]\nprefix = \"alpine\"\n", "line 1: \"alpine\" does not begin with a registry"),
                (
                    "[[registry]]\nprefix=\"a.example\"\n[[registry.mirror]]\nlocation=\"b.example\"\npull-from-mirror=\"x\"",
                    "line 3: pull-from-mirror: x: want all"
                ),
            ] {
                let (runimg, conf, _) = try Self.runimg(text)
                let output = try runimg("pull", "alpine")
                #expect(output.status == 1, "\(output)")
                #expect(
                    output.stderr.contains("unable to configure with file \(conf): \(words)"), "\(output)")
                // Who asks no registry does not read it.
                #expect(try runimg("images").status == 0)
            }
            let (old, conf, _) = try Self.runimg("[registries.search]\nregistries = ['a.example']\n")
            let output = try old("resolve", "a.example/x")
            #expect(
                output.status == 0 && output.stderr.contains("\(conf):1: the format of version 1 is not read"),
                "\(output)")
        }

        @Test func shortNamesArePodmansWhereTheConfigurationSaysSo() throws {
            let text = """
                unqualified-search-registries = ["search.example", "other.example"]
                [aliases]
                "fedora" = "registry.fedora.example/fedora"
                "no/more" = ""
                """
            let (docker, _, _) = try Self.runimg(text)
            #expect(
                try Self.places(docker, "fedora")
                    == ["https://registry-1.docker.io/v2/library/fedora/manifests/latest"])
            let (podman, conf, _) = try Self.runimg(text, more: #", "default-registry": "registries.conf""#)
            #expect(
                try Self.places(podman, "fedora:40") == ["https://registry.fedora.example/v2/fedora/manifests/40"])
            #expect(
                try podman.check("resolve", "--explain", "x/y").stdout.hasPrefix(
                    "https://search.example/v2/x/y/manifests/latest\n    rule         x/y means search.example/x/y (\(conf):1)"
                ))
        }

        // MARK: hosts.toml

        @Test func hostsFilesLeadToTheirHosts() throws {
            let (runimg, _, directory) = try Self.runimg(
                hosts: [
                    "docker.io": """
                    server = "https://registry-1.docker.io"
                    [host."https://mirror.example"]
                      capabilities = ["pull", "resolve"]
                    [host."https://harbor.example/v2/hub"]
                      override_path = true
                    [host."https://push.example"]
                      capabilities = ["push"]
                    [host."https://odd.example/api"]
                      header = { x-a = "b" }
                    """,
                    "r.example_5000_": "[host.\"http://10.0.0.1:5000\"]\n  skip_verify = true\n",
                    "_default": "server = \"https://all.example\"\n",
                ])
            let output = try runimg.check("resolve", "--explain", "alpine:3")
            #expect(
                output.lines.filter { $0.hasPrefix("https://") } == [
                    "https://mirror.example/v2/library/alpine/manifests/3",
                    "https://harbor.example/v2/hub/library/alpine/manifests/3",
                    "https://registry-1.docker.io/v2/library/alpine/manifests/3",
                ])
            #expect(
                output.stdout.contains("    rule         mirror of docker.io (\(directory)/docker.io/hosts.toml:2)\n"))
            #expect(output.stderr.contains("hosts.toml:9: header has no effect here"), "\(output)")
            #expect(output.stderr.contains("https://odd.example/api is not asked"), "\(output)")
            #expect(
                try Self.places(runimg, "r.example:5000/a") == [
                    "http://10.0.0.1:5000/v2/a/manifests/latest", "https://r.example:5000/v2/a/manifests/latest",
                ])
            #expect(try Self.places(runimg, "quay.io/b/c") == ["https://all.example/v2/b/c/manifests/latest"])
        }

        /// A mirror that may not resolve gives blobs, and hears which registry is meant.
        @Test func aMirrorThatMayNotResolve() throws {
            let registry = try PullCommand.fixtureRegistry()
            let mirror = try FaultyRegistry { request, _ in .init(404) }
            let (runimg, _, _) = try Self.runimg(
                hosts: [
                    registry.host: "[host.\"\(mirror.url)\"]\n  capabilities = [\"pull\"]\n"
                ])
            let output = try runimg("pull", "-q", "\(registry.host)/library/fixture")
            #expect(output.status == 0, "\(output)")
            #expect(!mirror.requests.isEmpty)
            #expect(mirror.requests.allSatisfy { !$0.path.hasSuffix("/manifests/latest") })
            #expect(
                mirror.requests.allSatisfy { $0.target.hasSuffix("?ns=\(registry.host)") || $0.target.contains("ns=") })
        }

        @Test func aHostsOwnAuthority() throws {
            let registry = try PullCommand.fixtureRegistry(.init(tls: true))
            let (without, _, _) = try Self.runimg(
                hosts: ["r.example": "server = \"https://\(registry.host)\"\n"])
            // The loopback interface is believed without one, as docker does.
            #expect(try without("resolve", "--explain", "r.example/library/fixture").stdout.contains("not checked"))
            let (with, _, _) = try Self.runimg(
                hosts: ["r.example": "server = \"https://\(registry.host)\"\nca = \"\(registry.authorityFile)\"\n"])
            #expect(
                try with("resolve", "--explain", "r.example/library/fixture").stdout.contains(
                    "certificate checked by the host's own CA"))
            #expect(try with("pull", "-q", "r.example/library/fixture").stdout == "r.example/library/fixture:latest\n")
        }
    }
}
