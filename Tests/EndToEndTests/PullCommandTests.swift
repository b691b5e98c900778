internal import Glibc
internal import OCI
internal import Sys
internal import TestSupport
import Testing

extension EndToEnd {
    /// `pull` from a registry as users see it.
    @Suite(.enabled(if: Conditions.canPull, "needs docker-registry and skopeo")) struct PullCommand {
        static func fixtureRegistry(_ options: RealRegistry.Options = .init()) throws -> RealRegistry {
            let registry = try RealRegistry(options)
            try registry.push("oci:\(Fixtures.layout("busybox")):latest", as: "library/fixture:latest")
            return registry
        }

        @Test func thePlainLinesAreDockers() throws {
            let registry = try Self.fixtureRegistry()
            let runimg = try Runimg(mirror: registry)
            let output = try runimg("pull", "fixture")
            #expect(output.status == 0 && output.stderr.isEmpty, "\(output)")
            let lines = output.lines
            let manifest = try Tool.check(
                "skopeo",
                [
                    "inspect", "--format", "{{.Digest}}", "--tls-verify=false",
                    "docker://\(registry.host)/library/fixture",
                ]
            ).lines[0]
            #expect(lines.first == "Using default tag: latest")
            #expect(lines.dropFirst().first == "latest: Pulling from library/fixture")
            #expect(lines.contains { $0.hasSuffix(": Pull complete") && $0.prefix { $0 != ":" }.count == 12 })
            #expect(
                lines.suffix(3).map { String($0) } == [
                    "Digest: \(manifest)", "Status: Downloaded newer image for fixture:latest",
                    "docker.io/library/fixture:latest",
                ])
            let again = try runimg("pull", "fixture")
            #expect(
                again.lines == [
                    "Using default tag: latest", "latest: Pulling from library/fixture", "Digest: \(manifest)",
                    "Status: Image is up to date for fixture:latest", "docker.io/library/fixture:latest",
                ])
            #expect(try runimg("pull", "-q", "fixture").stdout == "docker.io/library/fixture:latest\n")
            let agents = Set(try registry.requests().map(\.agent)).filter { $0.hasPrefix("runimg") }
            #expect(!agents.isEmpty)
        }

        @Test func aTerminalShowsBarsAndIsLeftClean() throws {
            let registry = try RealRegistry()
            try registry.push("oci:\(Fixtures.layout("layers")):gzip", as: "library/layers:latest")
            let runimg = try Runimg(mirror: registry)
            let terminal = try runimg.terminal("pull", "layers")
            #expect(try terminal.wait() == .exited(0))
            #expect(
                terminal.transcript.contains("Pull complete")
                    && terminal.transcript.contains("Status: Downloaded newer image"))
            #expect(terminal.mode == terminal.initialMode)
            // Nothing that hides the cursor is left on.
            #expect(terminal.transcript.components("\u{1b}[?25l") == terminal.transcript.components("\u{1b}[?25h"))
        }

        /// A registry that sends the layer slowly at first, so that there is time for Ctrl-C.
        private static func slowRegistry(_ layout: OCILayout, _ manifest: Descriptor) throws -> FaultyRegistry {
            let directory = layout.path + "/blobs/sha256"
            return try FaultyRegistry { request, count in
                let name = request.path.split(separator: "/").last ?? ""
                let hex = name == "latest" ? manifest.digest.hex : String(name.dropFirst("sha256:".count))
                guard let bytes = try? File.readAll("\(directory)/\(hex)") else { return .init(404) }
                if request.path.contains("/manifests/") {
                    return .init(200, [("Content-Type", manifest.mediaType)], body: bytes)
                }
                var response = FaultyRegistry.Response.blob(bytes, for: request)
                if bytes.count > 1 << 20, count == 0 { response.bytesPerSecond = 2 << 20 }
                return response
            }
        }

        @Test func interruptedItLeavesACleanTerminalAndGoesOnLater() throws {
            let scratch = try Scratch()
            let layout = try OCILayout(scratch("big"))
            let random = try Tool.check("head", ["-c", "20000000", "/dev/urandom"]).stdoutBytes
            try scratch.file("root/random", random)
            let tar = try Tool.check("tar", ["-C", scratch("root"), "-cf", "-", "random"]).stdoutBytes
            let registry = try Self.slowRegistry(layout, try layout.image([try layout.layer(tar: tar, .none)]))
            let runimg = try Runimg()
            let terminal = try runimg.terminal("pull", "\(registry.host)/big")
            try terminal.expect("ownloading")
            try terminal.type("\u{3}")
            #expect(try terminal.wait() == .exited(130), "\(terminal.transcript)")
            #expect(terminal.mode == terminal.initialMode)
            #expect(try runimg("images", "-q").stdout.isEmpty)
            #expect(try runimg("pull", "-q", "\(registry.host)/big").status == 0)
            // What had come stays, and the rest is asked for.
            #expect(registry.requests.contains { ($0.rangeStart ?? 0) > 0 })
        }

        @Test("P4, P13: a secure registry with a password") func aSecureRegistryWithAPassword() throws {
            let registry = try Self.fixtureRegistry(.init(tls: true, credentials: ("user", "pass:word")))
            let runimg = try Runimg()
            let name = "\(registry.host)/library/fixture"
            let trusting = ["SSL_CERT_FILE": registry.authorityFile]
            let anonymous = try runimg("pull", name, environment: trusting)
            #expect(anonymous.status == 1, "\(anonymous)")
            #expect(
                anonymous.stderr.contains("denied") || anonymous.stderr.contains("unauthorized")
                    || anonymous.stderr.contains("authentication"), "\(anonymous)")
            // base64 of user:pass:word
            try runimg.scratch.file(
                "docker/config.json", #"{"auths": {"\#(registry.host)": {"auth": "dXNlcjpwYXNzOndvcmQ="}}}"#,
                mode: 0o600)
            #expect(try runimg("pull", "-q", name, environment: trusting).status == 0)
            // Secrets are in nobody's sight.
            let debug = try runimg("-D", "pull", name, environment: trusting)
            #expect(!debug.stdout.contains("dXNlcjpwYXNz") && !debug.stderr.contains("dXNlcjpwYXNz"))
            #expect(!debug.stderr.contains("pass:word"))
        }

        @Test func anInsecureRegistryNeedsToBeListed() throws {
            // Loopback may be plain without a word; the same port under TLS of an unknown CA only when listed.
            let registry = try Self.fixtureRegistry(.init(tls: true))
            let listed = try Runimg(configuration: #"{"insecure-registries": ["\#(registry.host)"]}"#)
            #expect(try listed("pull", "-q", "\(registry.host)/library/fixture").status == 0)
        }

        @Test func mirrorsAreTriedInOrderAndOnlyForTheHub() throws {
            let registry = try Self.fixtureRegistry()
            let dead = try RealRegistry.freePort()
            let runimg = try Runimg(
                configuration: #"{"registry-mirrors": ["http://127.0.0.1:\#(dead)", "\#(registry.url)"]}"#)
            let output = try runimg("pull", "-q", "fixture")
            #expect(output.status == 0 && output.stdout == "docker.io/library/fixture:latest\n", "\(output)")
            let flag = try Runimg()
            #expect(try flag("pull", "-q", "--registry-mirror", registry.url, "fixture").status == 0)
            #expect(
                try flag(
                    "run", "--rm", "-q", "--registry-mirror", registry.url, "--pull", "always", "fixture", "echo", "x"
                )
                .stdout == "x\n")
        }

        @Test func theRegistryIsAskedWhenThePolicySaysSo() throws {
            let registry = try Self.fixtureRegistry()
            let runimg = try Runimg(mirror: registry)
            func asked(_ policy: String) throws -> Int {
                let before = try registry.requests().count
                #expect(try runimg("run", "--rm", "-q", "--pull", policy, "fixture", "true").status == 0)
                return try registry.requests().count - before
            }
            #expect(try asked("missing") > 0)
            #expect(try asked("missing") == 0)
            #expect(try asked("never") == 0)
            #expect(try asked("always") > 0)
        }

        @Test func everyEndpointThatWasTriedIsNamed() throws {
            let registry = try Self.fixtureRegistry()
            let runimg = try Runimg(mirror: registry)
            let output = try runimg("pull", "\(registry.host)/no/such:1")
            #expect(output.status == 1, "\(output)")
            #expect(
                output.stderr.contains("\(registry.host)/no/such") && output.stderr.contains("not found"), "\(output)")
        }

        @Test func platformsOfAnIndex() throws {
            let registry = try RealRegistry()
            try registry.push("oci:\(Fixtures.layout("multi")):latest", as: "library/multi:latest")
            let runimg = try Runimg(mirror: registry)
            #expect(try runimg("run", "--rm", "-q", "multi", "cat", "/platform").stdout == "\(Platform.current)\n")
            for platform in ["linux/arm/v6", "linux/arm/v7", "linux/arm64", "linux/s390x", "linux/386"] {
                #expect(try runimg("pull", "-q", "--platform", platform, "multi").status == 0, "\(platform)")
            }
            let none = try runimg("pull", "--platform", "linux/riscv64", "multi")
            #expect(none.status == 1 && none.stderr.contains("linux/riscv64"), "\(none)")
        }

        @Test func byDigestAndByBoth() throws {
            let registry = try Self.fixtureRegistry()
            let runimg = try Runimg(mirror: registry)
            let digest = try Tool.check(
                "skopeo",
                [
                    "inspect", "--format", "{{.Digest}}", "--tls-verify=false",
                    "docker://\(registry.host)/library/fixture",
                ]
            ).lines[0]
            #expect(try runimg("run", "--rm", "-q", "fixture@\(digest)", "echo", "x").stdout == "x\n")
            #expect(try runimg("pull", "-q", "fixture:latest@\(digest)").status == 0)
            let wrong = digest.dropLast(4) + "0000"
            #expect(try runimg("pull", "fixture@\(wrong)").status == 1)
            let hint = try runimg("pull", "fixture:@\(digest)")
            #expect(hint.status == 1 && hint.stderr.contains("fixture@"), "\(hint)")
        }

        @Test("F5: pulls at once fetch each blob once") func twoPullsAtOnceFetchEachBlobOnce() throws {
            let registry = try RealRegistry()
            try registry.push("oci:\(Fixtures.layout("layers")):gzip", as: "library/layers:latest")
            let runimg = try Runimg(mirror: registry)
            let prefix = "\"$0\" --data-root \"$1\" --config-file \"$2\" pull -q layers"
            let output = try Tool.run(
                "sh",
                ["-c", "\(prefix) & \(prefix) & \(prefix) & wait", Runimg.path, runimg.dataRoot, runimg.configFile])
            #expect(output.lines.count == 3, "\(output)")
            // The config is read by each, because its digest says whether there is anything to do; layers are fetched once.
            let id = try #require(try runimg("images", "-q", "--no-trunc").lines.first)
            let fetches = try registry.blobFetches().filter { "sha256:" + $0.key != id }
            #expect(fetches.count == 4 && fetches.values.allSatisfy { $0 == 1 }, "\(fetches)")
        }
    }
}

extension String {
    /// How many pieces `mark` cuts the text into.
    fileprivate func components(_ mark: String) -> Int {
        split(separator: mark, omittingEmptySubsequences: false).count
    }
}
