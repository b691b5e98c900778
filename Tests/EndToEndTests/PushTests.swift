internal import Glibc
internal import OCI
internal import Sys
internal import TestSupport
import Testing

extension EndToEnd {
    /// `push`: to real registries, and to one that fails on the way.
    @Suite(.enabled(if: Conditions.hasRegistry, "needs docker-registry and skopeo")) struct Push {
        typealias Response = FaultyRegistry.Response

        private static func bench() throws -> Runimg {
            let runimg = try Runimg()
            try runimg.check("pull", "-q", Leaks.image)
            try runimg.check("tag", try #require(try runimg.check("images", "-q").lines.first), "base:1")
            return runimg
        }

        private static func raw(_ name: String) throws -> [UInt8] {
            try Tool.check("skopeo", ["inspect", "--raw", "--tls-verify=false", "docker://\(name)"]).stdoutBytes
        }

        // MARK: Real registries

        @Test func whatWasPulledGoesOutByteForByte() throws {
            let (from, to) = (try RealRegistry(), try RealRegistry())
            try from.push("oci:\(Fixtures.layout("layers")):gzip", as: "team/app:1")
            let runimg = try Runimg()
            let source = "\(from.host)/team/app:1"
            let name = "\(to.host)/other/app:2"
            try runimg.check("pull", "-q", source)
            try runimg.check("tag", source, name)
            let first = try runimg.check("push", name)
            #expect(try Self.raw(name) == Self.raw(source))
            let digest = Digest.of(try Self.raw(name))
            #expect(first.lines.first == "The push refers to repository [\(to.host)/other/app]")
            #expect(first.lines.last == "2: digest: \(digest) size: \(try Self.raw(name).count)")
            #expect(first.lines.contains { $0.hasSuffix(": Pushed") }, "\(first)")
            let digests = try runimg.check("images", "--digests", "--format", "{{.Repository}} {{.Digest}}").lines
            #expect(digests.contains("\(to.host)/other/app \(digest)"), "\(digests)")

            let again = try runimg.check("push", name)
            #expect(!again.lines.contains { $0.hasSuffix(": Pushed") }, "\(again)")
            #expect(again.lines.contains { $0.hasSuffix(": Layer already exists") }, "\(again)")
            #expect(try to.requests().filter { $0.method == "PATCH" && $0.agent.contains("runimg") }.count > 0)
            #expect(try runimg.check("push", "-q", name).lines == [name])

            let other = try Runimg()
            try other.check("pull", "-q", name)
            #expect(
                try other.check("images", "-q", "--no-trunc").lines
                    == runimg.check("images", "-q", "--no-trunc", name).lines)
        }

        @Test func aBlobOfAnotherRepositoryIsMounted() throws {
            let registry = try RealRegistry()
            let runimg = try Self.bench()
            for name in ["team/one", "team/two"] { try runimg.check("tag", "base:1", "\(registry.host)/\(name)") }
            let first = try runimg.check("push", "\(registry.host)/team/one")
            #expect(first.lines.contains { $0.hasSuffix(": Pushed") }, "\(first)")
            let second = try runimg.check("push", "\(registry.host)/team/two")
            #expect(second.lines.contains { $0.hasSuffix(": Mounted from team/one") }, "\(second)")
            #expect(!second.lines.contains { $0.hasSuffix(": Pushed") }, "\(second)")
            #expect(try Self.raw("\(registry.host)/team/two") == Self.raw("\(registry.host)/team/one"))
        }

        @Test func anImageMadeHereGoesOutWithAllItsTags() throws {
            let registry = try RealRegistry()
            let runimg = try Self.bench()
            try runimg.check("run", "--name", "maker", "base:1", "sh", "-c", "echo two > /two")
            let name = "\(registry.host)/team/made"
            try runimg.check("commit", "maker", "\(name):a")
            try runimg.check("tag", "\(name):a", "\(name):b")
            try runimg.check("tag", "base:1", "\(name):c")
            let output = try runimg.check("push", "-a", name)
            let tags = output.lines.filter { $0.contains(": digest: ") }.map { String($0.prefix(1)) }
            #expect(tags.sorted() == ["a", "b", "c"], "\(output)")
            #expect(try Self.raw("\(name):a") == Self.raw("\(name):b"))
            let other = try Runimg()
            #expect(try other.check("run", "--rm", "-q", "\(name):b", "cat", "/two").lines == ["two"])
            // Whole and right for others as well: skopeo verifies every digest.
            let scratch = try Scratch()
            try Tool.check(
                "skopeo",
                [
                    "--insecure-policy", "copy", "-q", "--src-tls-verify=false", "docker://\(name):a",
                    "dir:\(scratch("x"))",
                ])
        }

        @Test func credentialsAreNeededWhereTheRegistrySaysSo() throws {
            let registry = try RealRegistry(.init(tls: true, credentials: ("jane", "correct horse")))
            let runimg = try Self.bench()
            let name = "\(registry.host)/team/app"
            try runimg.check("tag", "base:1", name)
            let denied = try runimg.run(["push", name])
            #expect(
                denied.status == 1 && denied.stderr.contains("push access denied for \(registry.host)/team/app"),
                "\(denied)")
            let auth = "amFuZTpjb3JyZWN0IGhvcnNl"
            try runimg.scratch.file("docker/config.json", #"{"auths":{"\#(registry.host)":{"auth":"\#(auth)"}}}"#)
            let output = try runimg.check("push", name)
            #expect(output.lines.last?.contains("latest: digest: sha256:") == true, "\(output)")
        }

        static let refusals: [([String], String)] = [
            (["127.0.0.1:1/nope"], "An image does not exist locally with the tag: 127.0.0.1:1/nope:latest"),
            (["-a", "127.0.0.1:1/nope"], "An image does not exist locally with the tag: 127.0.0.1:1/nope"),
            (["-a", "base:1"], "tag can't be used with --all-tags/-a"),
            (["base@sha256:\(Digest.of("x".utf8).hex)"], "cannot push a digest reference"),
            (["UPPER"], "invalid reference format"),
        ]

        @Test("what can't be pushed is said, and nothing is asked", arguments: refusals)
        func refused(_ arguments: [String], _ message: String) throws {
            let runimg = try Self.bench()
            let before = try runimg.storeListing()
            let output = try runimg.run(["push"] + arguments)
            #expect(output.status == 1 && output.stderr.contains(message), "\(output)")
            #expect(try runimg.storeListing() == before)
        }

        // MARK: Faults

        /// Pushes `base:1` to a registry and gives the manifest's layers.
        private static func push(_ registry: ReceivingRegistry) throws -> (Tool.Output, Runimg) {
            let runimg = try bench()
            let name = "\(registry.host)/team/app:1"
            try runimg.check("tag", "base:1", name)
            return (try runimg.run(["push", name], timeout: 120), runimg)
        }

        private static func expectWhole(_ registry: ReceivingRegistry, _ output: Tool.Output) throws {
            #expect(output.status == 0, "\(output)")
            let manifest = try Manifest.decode(try #require(registry.manifest("1")))
            for descriptor in manifest.layers + [manifest.config] {
                #expect(registry.blob(descriptor.digest).map { Int64($0.count) } == descriptor.size)
            }
        }

        private static func patches(_ registry: ReceivingRegistry) -> [FaultyRegistry.Request] {
            registry.requests.filter { $0.method == "PATCH" && $0.body.count > 100_000 }
        }

        @Test("an upload that is cut goes on where the registry is") func cutUploads() throws {
            let registry = try ReceivingRegistry { request, registry in
                guard request.method == "PATCH", request.body.count > 100_000,
                    Self.patches(registry).count == 1
                else { return nil }
                registry.take(request.body.prefix(70_000), of: request)
                var response = Response(500)
                response.isSilent = true
                return response
            }
            let (output, _) = try Self.push(registry)
            try Self.expectWhole(registry, output)
            let patches = Self.patches(registry)
            #expect(patches.count == 2)
            #expect(patches.first?.header("Content-Range") == nil)
            #expect(patches.last?.header("Content-Range")?.hasPrefix("70000-") == true)
        }

        @Test("an upload that the registry forgot is begun anew") func forgottenUploads() throws {
            let registry = try ReceivingRegistry { request, registry in
                guard request.method == "PATCH", request.body.count > 100_000, Self.patches(registry).count == 1 else {
                    return nil
                }
                registry.forgetUploads()
                return nil
            }
            let (output, _) = try Self.push(registry)
            try Self.expectWhole(registry, output)
        }

        @Test func aProxyThatBoundsRequestsGetsPieces() throws {
            let registry = try ReceivingRegistry { request, _ in request.body.count > 600_000 ? Response(413) : nil }
            let (output, _) = try Self.push(registry)
            try Self.expectWhole(registry, output)
            #expect(Self.patches(registry).contains { $0.header("Content-Range")?.hasPrefix("524288-") == true })
        }

        @Test("a busy registry is asked again when it says", arguments: ["POST", "PATCH", "PUT"])
        func busy(_ method: String) throws {
            let registry = try ReceivingRegistry { request, registry in
                let isFirst = registry.requests.count { $0.method == method } == 1
                return request.method == method && isFirst ? Response(503, [("Retry-After", "0")]) : nil
            }
            let (output, _) = try Self.push(registry)
            try Self.expectWhole(registry, output)
        }

        static let faults: [(String, Response, String)] = [
            ("PUT", .error(400, "DIGEST_INVALID", "other bytes"), "HTTP status 400: digest invalid: other bytes"),
            ("POST", .error(403, "DENIED", "quota"), "push access denied"),
            ("HEAD", .error(401, "UNAUTHORIZED", "who"), "push access denied"),
            ("POST", Response(202), "names no place to go on at"),
            ("POST", Response(202, [("Location", "http://169.254.169.254/x")]), "169.254.169.254"),
            ("PATCH", Response(301, [("Location", "/elsewhere")]), "redirect of a PATCH"),
            ("PUT", Response(201, [("Docker-Content-Digest", "\(Digest.of("x".utf8))")]), "the registry has sha256:"),
        ]

        @Test("a registry that can't be gone on with is told, and nothing is recorded", arguments: 0..<faults.count)
        func faulty(_ index: Int) throws {
            let (method, response, message) = Self.faults[index]
            let registry = try ReceivingRegistry { request, _ in request.method == method ? response : nil }
            let (output, runimg) = try Self.push(registry)
            #expect(output.status == 1 && output.stderr.contains(message), "\(output)")
            #expect(registry.manifest("1") == nil)
            #expect(
                try runimg.check("images", "--digests", "--format", "{{.Digest}}", "\(registry.host)/team/app").lines
                    == ["<none>"])
        }

        /// The token is for what is pushed, and for reading where blobs may be taken over from.
        @Test func theTokenIsForPushing() throws {
            let registry = try ReceivingRegistry { request, registry in
                if request.path == "/token" { return Response(200, text: #"{"token":"abc"}"#) }
                if request.header("Authorization") == "Bearer abc" { return nil }
                let realm = "http://\(registry.host)/token"
                return Response(401, [("WWW-Authenticate", #"Bearer realm="\#(realm)",service="x""#)])
            }
            let (output, runimg) = try Self.push(registry)
            try Self.expectWhole(registry, output)
            let asked = registry.requests.filter { $0.path == "/token" }.map(\.target)
            #expect(
                !asked.isEmpty
                    && asked.allSatisfy { $0.lowercased().contains("scope=repository%3ateam%2fapp%3apull%2cpush") },
                "\(asked)")
            try runimg.check("tag", "base:1", "\(registry.host)/team/next")
            try runimg.check("push", "\(registry.host)/team/next")
            let last = (registry.requests.last { $0.path == "/token" }?.target ?? "").lowercased()
            #expect(last.contains("scope=repository%3ateam%2fnext%3apull%2cpush"), "\(last)")
            #expect(last.contains("scope=repository%3ateam%2fapp%3apull"), "\(last)")
        }

        @Test func aDamagedBlobIsNotPushed() throws {
            let registry = try ReceivingRegistry()
            let runimg = try Self.bench()
            let blob = try #require(try runimg.storeListing().keys.first { $0.hasSuffix("/blob") })
            let file = try File.open("\(runimg.dataRoot)/\(blob)", O_RDWR)
            let byte = try File.bytes(file.raw, at: 2000, count: 1)
            try check { pwrite(file.raw, [byte[0] ^ 1], 1, 2000) }
            let name = "\(registry.host)/team/app:1"
            try runimg.check("tag", "base:1", name)
            let output = try runimg.run(["push", name])
            #expect(output.status == 1 && output.stderr.contains("is damaged: its digest is"), "\(output)")
            #expect(registry.manifest("1") == nil)
        }
    }
}
