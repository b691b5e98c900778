internal import Glibc
internal import OCI
internal import Sys
internal import TestSupport
import Testing

extension EndToEnd {
    /// Names, credentials and servers that would have the command do or tell more than it should.
    @Suite struct PullSecurity {
        typealias Response = FaultyRegistry.Response

        // MARK: Names

        private static let hex = Digest.of("x".utf8).hex
        private static let spellings = [
            "sha256:../../x", "sha256:/etc/passwd", "sha256:", "sha256", ":\(hex)", "sha1:\(hex.prefix(40))",
            "md5:\(hex.prefix(32))", "SHA256:\(hex)", "sha256:\(hex.uppercased())", "sha256:\(hex.dropLast())",
            "sha256:\(hex)0", "sha256:\(hex.dropLast(5))/../x", "sha512:\(hex)", "../sha256:\(hex)",
            "sha256:\(hex)/../../x", "sha256:\(hex.dropLast())g", "..", "sha256:\(hex)@sha256:..",
        ]

        /// The paths that a command and its children give to the kernel.
        private static func paths(_ arguments: [String], _ runimg: Runimg) throws -> (Tool.Output, Set<String>) {
            let trace = runimg.scratch("trace")
            let globals = ["--data-root", runimg.dataRoot, "--config-file", runimg.configFile]
            let output = try Tool.run(
                "strace",
                ["-f", "--seccomp-bpf", "-qq", "-s", "4096", "-e", "trace=%file", "-o", trace, Runimg.path] + globals
                    + arguments, environment: ["DOCKER_CONFIG": runimg.scratch("docker")])
            var result: Set<String> = []
            for line in String(decoding: try File.readAll(trace), as: UTF8.self).split(separator: "\n") {
                // The arguments themselves.
                if line.contains("execve(") { continue }
                let pieces = line.split(separator: "\"", omittingEmptySubsequences: false)
                for index in stride(from: 1, to: pieces.count, by: 2) { result.insert(String(pieces[index])) }
            }
            return (output, result)
        }

        /// CVE-2024-3727, on the command line: nothing is looked up that no other name would have looked up, but in the
        /// data root.
        @Test(
            "P7: a digest that is a path is refused wherever a name is taken",
            .enabled(if: Conditions.has("strace"), "needs strace"),
            arguments: [["pull", "-q"], ["run", "--rm", "--pull", "never"], ["rmi"]])
        func digestsAreNoPaths(verb: [String]) throws {
            let runimg = try Runimg()
            // Other tests' containers are no business of these commands.
            try runimg.scratch.file("config.json", #"{"exec-root":"\#(runimg.scratch("run"))"}"#)
            try runimg.check("pull", "-q", "oci:\(Fixtures.layout("busybox")):latest")
            let server = try FaultyRegistry { _, _ in Response(404) }
            var known = try Self.paths(verb + ["\(server.host)/x@sha256:\(Self.hex)"], runimg).1
            known.formUnion(try Self.paths(verb + ["sha256:\(Self.hex.dropLast(52))"], runimg).1)
            let before = try runimg.storeListing()
            let asked = server.requests.count
            let names = Self.spellings.map { "\(server.host)/x@\($0)" } + Self.spellings
            for name in names {
                let (output, paths) = try Self.paths(verb + [name], runimg)
                #expect(output.status != 0 && output.status != nil, "\(output)")
                let isName = name.hasPrefix(server.host)
                #expect(
                    output.stderr.contains(isName ? "invalid reference format: invalid digest" : "runimg: "),
                    "\(output)")
                let new = paths.subtracting(known).filter { !$0.hasPrefix(runimg.scratch.path) || $0.contains("/..") }
                #expect(new.isEmpty, "\(name): \(new)")
            }
            #expect(try runimg.storeListing() == before)
            #expect(server.requests.count == asked, "\(server.requests)")
        }

        /// moby 20.10.20: content that is there under one name is not another's.
        @Test(
            "P12: a digest is found in its own repository only",
            .enabled(if: Conditions.canPull, "needs docker-registry and skopeo"))
        func digestsStayInTheirRepository() throws {
            let registry = try PullCommand.fixtureRegistry()
            let runimg = try Runimg()
            let evil = "\(registry.host)/library/fixture"
            try runimg.check("pull", "-q", evil)
            let digest = try #require(try runimg.check("images", "--digests", "--format", "{{.Digest}}").lines.first)
            #expect(
                try runimg.check("run", "--rm", "--pull", "never", "\(evil)@\(digest)", "echo", "x").stdout == "x\n")
            let before = try runimg.storeListing()
            for good in ["\(registry.host)/good/app", "localhost:\(registry.port)/library/fixture", "fixture"] {
                let absent = try runimg("run", "--rm", "--pull", "never", "\(good)@\(digest)", "echo", "x")
                #expect(absent.status == 125 && absent.stdout.isEmpty, "\(absent)")
            }
            let pulled = try runimg("pull", "\(registry.host)/good/app@\(digest)")
            #expect(pulled.status == 1 && pulled.stderr.contains("not found"), "\(pulled)")
            #expect(try runimg.storeListing() == before)
        }

        // MARK: Clear text

        @Test("P4: a registry that speaks only plain http gets no credentials, and the command fails")
        func plainHTTPIsNotFallenBackTo() throws {
            let server = try FaultyRegistry { _, _ in Response(401, [("WWW-Authenticate", "Basic realm=\"x\"")]) }
            // 0.0.0.0 connects to this machine without being one of its loopback addresses.
            let host = "0.0.0.0:\(server.port)"
            let runimg = try Runimg()
            try runimg.scratch.file("docker/config.json", #"{"auths":{"\#(host)":{"auth":"dTpw"}}}"#, mode: 0o600)
            let output = try runimg("pull", "\(host)/app")
            #expect(output.status == 1, "\(output)")
            #expect(output.stderr.contains("\(host): TLS handshake") && output.stderr.contains("insecure-registries"))
            #expect(server.requests.isEmpty)
        }

        // MARK: Secrets

        private static let secrets = [
            "hidden-password", "hidden-token", "hidden-signature", "aGlkZGVuLXVzZXI6aGlkZGVuLXBhc3N3b3Jk",
        ]

        /// A registry that takes a password for a token and leads to presigned URLs, of which `other` serves the blobs.
        private static func registry(_ layout: OCILayout, _ manifest: Descriptor, _ other: FaultyRegistry) throws
            -> FaultyRegistry
        {
            let (place, blobs) = (other.url, "\(layout.path)/blobs/sha256")
            return try FaultyRegistry { request, _ in
                if request.path == "/token" {
                    return request.header("Authorization") == "Basic \(secrets[3])"
                        ? Response(200, text: #"{"token":"hidden-token"}"#) : Response(403)
                }
                guard request.header("Authorization") == "Bearer hidden-token" else {
                    let realm = "http://\(request.header("Host") ?? "")/token"
                    return Response(401, [("WWW-Authenticate", "Bearer realm=\"\(realm)\",service=\"s\"")])
                }
                let name = request.path.split(separator: "/").last ?? ""
                if request.path.contains("/blobs/") {
                    return .redirect("\(place)/\(name)?X-Amz-Expires=300&X-Amz-Signature=hidden-signature")
                }
                let hex = name == "latest" ? manifest.digest.hex : String(name.dropFirst("sha256:".count))
                guard let bytes = try? File.readAll("\(blobs)/\(hex)") else { return .init(404) }
                return Response(200, [("Content-Type", manifest.mediaType)], body: bytes)
            }
        }

        private static func layout(_ scratch: Scratch) throws -> (OCILayout, Descriptor) {
            let layout = try OCILayout(scratch("layout"))
            try scratch.file("root/random", try Tool.check("head", ["-c", "3000000", "/dev/urandom"]).stdoutBytes)
            let tar = try Tool.check("tar", ["-C", scratch("root"), "-cf", "-", "random"]).stdoutBytes
            return (layout, try layout.image([try layout.layer(tar: tar, .none)]))
        }

        /// Everything that any process may see of any other.
        static func processes() -> String {
            var result = ""
            for entry in (try? Directory.entries("/proc")) ?? [] where entry.name.allSatisfy(\.isNumber) {
                for file in ["cmdline", "environ"] {
                    let bytes = (try? File.readAll("/proc/\(entry.name)/\(file)", limit: 4 << 20)) ?? []
                    result += String(decoding: bytes, as: UTF8.self) + "\n"
                }
            }
            return result
        }

        private static func expectNone(
            _ text: String, _ place: String, sourceLocation: SourceLocation = #_sourceLocation
        ) {
            for secret in secrets { #expect(!text.contains(secret), "\(place)", sourceLocation: sourceLocation) }
        }

        @Test("P13: passwords, tokens and presigned queries are in no output, process, log or file")
        func secretsStaySecret() throws {
            let scratch = try Scratch()
            let (layout, manifest) = try Self.layout(scratch)
            let blobs = "\(layout.path)/blobs/sha256"
            let other = try FaultyRegistry { request, count in
                let hex = request.path.dropFirst("/sha256:".count)
                guard let bytes = try? File.readAll("\(blobs)/\(hex)"), count > 0 else { return Response(503) }
                var response = Response.blob(bytes, for: request)
                if bytes.count > 1 << 20 { response.bytesPerSecond = 1 << 20 }
                return response
            }
            let registry = try Self.registry(layout, manifest, other)
            let runimg = try Runimg()
            let auth = try runimg.scratch.file(
                "docker/config.json", #"{"auths":{"\#(registry.host)":{"auth":"\#(Self.secrets[3])"}}}"#, mode: 0o600)
            let written = try (File.readAll(auth), File.status(auth))

            var child = try runimg.start("-D", "pull", "\(registry.host)/app")
            // The layer is under way.
            #expect(
                Wait.until(seconds: 30) { !((try? Directory.entries("\(runimg.dataRoot)/tmp/blobs")) ?? []).isEmpty })
            let processes = Self.processes()
            #expect(processes.contains("runimg-image"))
            Self.expectNone(processes, "processes")
            #expect(try child.wait(seconds: 60) == .exited(0), "\(runimg.startedErrors)")
            let said = runimg.startedOutput + runimg.startedErrors
            #expect(said.contains("X-Amz-Signature=REDACTED"), "\(said)")
            Self.expectNone(said, said)
            for secret in Self.secrets {
                #expect(try Tool.run("grep", ["-rqaF", secret, runimg.dataRoot]).status == 1)
            }
            let status = try File.status(auth)
            #expect(status.mode == 0o600 && status.inode == written.1.inode)
            #expect(try File.readAll(auth) == written.0)
        }

        @Test("P13: a server that repeats secrets in its refusals is not quoted with them")
        func echoedSecretsStaySecret() throws {
            let scratch = try Scratch()
            let (layout, manifest) = try Self.layout(scratch)
            let other = try FaultyRegistry { request, _ in
                .error(400, "DENIED", "\(request.target) with \(request.header("Authorization") ?? "hidden-token")")
            }
            let registry = try Self.registry(layout, manifest, other)
            let runimg = try Runimg()
            try runimg.scratch.file(
                "docker/config.json", #"{"auths":{"\#(registry.host)":{"auth":"\#(Self.secrets[3])"}}}"#, mode: 0o600)
            let output = try runimg("-D", "pull", "\(registry.host)/app")
            #expect(output.status == 1 && output.stderr.contains("with REDACTED"), "\(output)")
            Self.expectNone(output.stdout + output.stderr, "\(output)")
        }
    }
}
