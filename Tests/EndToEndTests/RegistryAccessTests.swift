internal import FoundationEssentials
internal import OCI
internal import Sys
internal import TestSupport
import Testing

extension EndToEnd {
    /// Flags that say for one command how its registry is spoken to.
    @Suite(.enabled(if: Conditions.canPull, "needs docker-registry and skopeo")) struct RegistryAccessTests {
        typealias Response = FaultyRegistry.Response

        @Test func aProxyOfTheCommandsOwn() throws {
            let proxy = try FaultyRegistry { request, _ in
                request.method == "CONNECT" ? Response(403) : Response(200, text: #"{"tags":["a"]}"#)
            }
            let runimg = try Runimg(environment: ["HTTPS_PROXY": "http://127.0.0.1:1", "NO_PROXY": "*"])
            let url = "http://me:hidden@\(proxy.host)"
            let output = try runimg("-D", "tags", "--insecure", "--proxy", url, "r.example/app")
            #expect(output.status == 0 && output.stdout == "a\n", "\(output)")
            #expect(!output.stderr.contains("hidden"))
            #expect(
                proxy.requests.map(\.target) == ["r.example:443", "http://r.example/v2/app/tags/list?n=1000"])
            let basic = "Basic \(Data("me:hidden".utf8).base64EncodedString())"
            #expect(proxy.requests.allSatisfy { $0.header("Proxy-Authorization") == basic })
            let said = try runimg.check("resolve", "--explain", "--proxy", url, "r.example/app").stdout
            #expect(said.contains("proxy        http://…@\(proxy.host)") && !said.contains("hidden"), "\(said)")
        }

        @Test func aCertificateOfTheCommandsOwn() throws {
            let registry = try PullCommand.fixtureRegistry(.init(tls: true))
            let other = try RealRegistry(.init(tls: true))
            let runimg = try Runimg()
            let name = "\(registry.host)/library/fixture"
            // An authority that is known makes one that is not a fault, on this machine too.
            let wrong = try runimg("pull", "-q", "--cacert", other.authorityFile, name)
            #expect(wrong.status == 1 && wrong.stderr.contains("certificate"), "\(wrong)")
            #expect(try runimg("pull", "-q", "--cacert", registry.authorityFile, name).status == 0)
            try runimg.check("rmi", "-f", name)
            let run = try runimg("run", "--rm", "-q", "--cacert", registry.authorityFile, name, "echo", "ran")
            #expect(run.stdout == "ran\n", "\(run)")
            for (file, words) in [("/no/such", "ENOENT"), (runimg.configFile, "holds no certificate in PEM form")] {
                let bad = try runimg("tags", "--cacert", file, "\(registry.host)/library/fixture")
                #expect(bad.status == 1 && bad.stderr.contains(words) && bad.stderr.contains(file), "\(bad)")
            }
        }

        @Test("P4: --insecure is for one registry and one command") func insecureIsForOneCommand() throws {
            let registry = try PullCommand.fixtureRegistry()
            let other = try PullCommand.fixtureRegistry()
            let runimg = try Runimg()
            // 0.0.0.0 connects to this machine without being one of its loopback addresses.
            let name = "0.0.0.0:\(registry.port)/library/fixture"
            #expect(try runimg("pull", "-q", name).status == 1)
            #expect(try runimg("pull", "-q", "--insecure", name).status == 0)
            #expect(try runimg("pull", "-q", name).status == 1)
            let mirror = "http://0.0.0.0:\(other.port)"
            let both = try runimg(
                "pull", "-q", "--insecure", "--registry-mirror", "\(name.prefix { $0 != "/" })=\(mirror)", name)
            #expect(both.status == 1 && both.stderr.contains("plain http is only for this machine"), "\(both)")
            let hub = try runimg("pull", "--insecure", "alpine")
            #expect(hub.status == 1 && hub.stderr.contains("--insecure is not for Docker Hub"), "\(hub)")
        }

        @Test("P13: credentials of one command are recorded nowhere") func credentialsOfOneCommand() throws {
            let password = "unseen-\(Random.hex(bytes: 8))"
            let registry = try PullCommand.fixtureRegistry(.init(credentials: ("me", password)))
            let runimg = try Runimg()
            let name = "\(registry.host)/library/fixture"
            let file = try runimg.scratch.file("creds", "me:\(password)\r\nmore\n", mode: 0o600)
            let made = try runimg("-D", "create", "--name", "made", "--creds", "me:\(password)", name)
            #expect(made.status == 0 && !made.stderr.contains(password), "\(made)")
            #expect(try runimg("tags", "--creds", "@\(file)", name).status == 0)
            #expect(try runimg("image", "inspect", "--remote", "--creds", "@\(file)", name).status == 0)
            #expect(try runimg("tags", name).status == 1)
            let wrong = try runimg("tags", "--creds", "me:wrong", name)
            #expect(wrong.status == 1 && !wrong.stderr.contains("wrong"), "\(wrong)")
            let none = try runimg("tags", "--creds", "@\(runimg.configFile)", name)
            #expect(none.status == 1 && none.stderr.contains("is not USER:PASSWORD"), "\(none)")
            for text in [password, Data("me:\(password)".utf8).base64EncodedString()] {
                let found = try Tool.run("grep", ["-rlaF", "-e", text, runimg.scratch.path]).lines
                #expect(found == [file] || found.isEmpty, "\(found)")
            }
            try runimg.check("rm", "made")
        }

        @Test(arguments: [0, 2]) func triesAreCounted(_ retries: Int) throws {
            let server = try FaultyRegistry { _, _ in Response(503) }
            let output = try Runimg()(
                "tags", "--retry", "\(retries)", "--retry-delay", "1ms", "\(server.host)/app")
            #expect(output.status == 1 && output.stderr.contains("HTTP status 503"), "\(output)")
            #expect(server.requests.count == retries + 1)
        }

        @Test func aLimitedPullIsWhole() throws {
            let registry = try PullCommand.fixtureRegistry()
            let runimg = try Runimg(mirror: registry)
            #expect(try runimg("pull", "-q", "--limit-rate", "3m", "fixture").status == 0)
        }
    }
}
