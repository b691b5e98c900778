import OCI
import Registry
import TestSupport
import Testing

/// Challenges and tokens, honest and hostile.
@Suite struct AuthTests {
    typealias Response = FaultyRegistry.Response

    static func store(_ host: String, _ entry: String) throws(RegistryError) -> CredentialStore {
        try CredentialStore(json: Array(#"{"auths":{"\#(host)":{\#(entry)}}}"#.utf8), origin: "test")
    }

    static let user = #""auth":"dXNlcjpwYXNzd29yZA==""#  // user:password
    static let userHeader = "Basic dXNlcjpwYXNzd29yZA=="

    static func challenge(_ realm: String) -> Response {
        var response = Response.error(401, "UNAUTHORIZED", "authentication required")
        response.fields.append(("WWW-Authenticate", "Bearer realm=\"\(realm)\",service=\"svc\",scope=\"ignored\""))
        return response
    }

    static func token(_ text: String, lifetime: Int = 300) -> Response {
        Response(200, text: #"{"token":"\#(text)","expires_in":\#(lifetime)}"#)
    }

    /// A client whose credentials are filed under its own server's host.
    static func withOwnCredentials(
        _ entry: String = user, _ handler: @escaping FaultyRegistry.Handler
    ) throws -> (RegistryClient, FaultyRegistry, Fixture.Log) {
        let server = try FaultyRegistry(handler)
        var configuration = RegistryConfiguration()
        configuration.retry = Fixture.fastRetries
        // Where a test is to see that nobody goes, nobody shall wait for long.
        configuration.timeouts.connect = 5
        configuration.credentials = try store(server.host, entry)
        let log = Fixture.Log()
        let client = try RegistryClient(
            reference: Reference(parsing: "\(server.host)/test/image"), configuration: configuration,
            observer: log.observer)
        return (client, server, log)
    }

    // MARK: Tokens

    @Test func anonymousTokenIsFetchedOnceAndUsedForAll() throws {
        let blob = Blob(100)
        let fixture = try Fixture { request, _ in
            if request.path == "/token" { return AuthTests.token("abc") }
            guard request.header("Authorization") == "Bearer abc" else {
                return AuthTests.challenge("http://\(request.header("Host") ?? "")/token")
            }
            return request.path == blob.path ? .blob(blob.bytes, for: request) : GoodManifest.response()
        }
        #expect(try fixture.client.manifest(.tag("latest")).digest == GoodManifest.digest)
        #expect(try fixture.download(blob.descriptor) == blob.bytes)
        #expect(try fixture.download(blob.descriptor) == blob.bytes)
        let tokens = fixture.server.requests(to: "/token")
        #expect(tokens.map(\.target) == ["/token?service=svc&scope=repository%3atest%2fimage%3apull"])
        #expect(tokens[0].header("Authorization") == nil)
        #expect(fixture.server.requests.count == 5)
    }

    @Test("F14: a token that expires in mid-pull is renewed")
    func tokenThatExpiresMidPullIsRenewedAndTheBlobGoneOnWith() throws {
        let blob = Blob(200_000)
        let fixture = try Fixture { request, count in
            if request.path == "/token" { return AuthTests.token("t\(count)") }
            // Each token is good for one answer, which is cut.
            guard request.header("Authorization") == "Bearer t\(count / 2)", count % 2 == 1 else {
                return AuthTests.challenge("http://\(request.header("Host") ?? "")/token")
            }
            var response = Response.blob(blob.bytes, for: request)
            if count < 5 { response.cutAfter = 60_000 }
            return response
        }
        #expect(try fixture.download(blob.descriptor) == blob.bytes)
        #expect(fixture.server.requests(to: "/token").count == 3)
        #expect(
            fixture.server.requests(to: blob.path).map { $0.rangeStart ?? 0 } == [
                0, 0, 60_000, 60_000, 120_000, 120_000,
            ])
    }

    @Test("F14: a token is renewed before it is refused") func expiredTokenIsRenewedBeforeItIsRefused() throws {
        let fixture = try Fixture { request, count in
            if request.path == "/token" { return AuthTests.token("t\(count)", lifetime: 1) }
            guard request.header("Authorization") != nil else {
                return AuthTests.challenge("http://\(request.header("Host") ?? "")/token")
            }
            return GoodManifest.response()
        }
        _ = try fixture.client.manifest(.tag("a"))
        Wait.sleep(1)
        _ = try fixture.client.manifest(.tag("b"))
        #expect(
            fixture.server.requests(to: "/v2/test/image/manifests/b").map { $0.header("Authorization") } == [
                "Bearer t1"
            ])
    }

    @Test("F14: who is always refused asks for one token") func alwaysUnauthorizedEndsAfterOneToken() throws {
        let fixture = try Fixture { request, _ in
            request.path == "/token"
                ? AuthTests.token("abc") : AuthTests.challenge("http://\(request.header("Host") ?? "")/token")
        }
        let error = message { () throws(RegistryError) in _ = try fixture.client.manifest(.tag("latest")) }
        #expect(
            error.hasPrefix(
                "pull access denied for \(fixture.server.host)/test/image, repository does not exist or may require 'runimg login'"
            ), "\(error)")
        #expect(
            fixture.server.requests.map(\.path) == [
                "/v2/test/image/manifests/latest", "/token", "/v2/test/image/manifests/latest",
            ])
    }

    @Test("P2: a password goes to the token server only") func passwordGoesToTheTokenServerOnly() throws {
        let (client, server, _) = try AuthTests.withOwnCredentials { request, _ in
            if request.path == "/token" { return AuthTests.token("abc") }
            guard request.header("Authorization") == "Bearer abc" else {
                return AuthTests.challenge("http://\(request.header("Host") ?? "")/token")
            }
            return GoodManifest.response()
        }
        _ = try client.manifest(.tag("latest"))
        #expect(server.requests.map { $0.header("Authorization") } == [nil, AuthTests.userHeader, "Bearer abc"])
        #expect(server.requests[1].target.hasSuffix("&account=user"))
    }

    @Test func identityTokenIsExchangedByPost() throws {
        let (client, server, _) = try AuthTests.withOwnCredentials(#""auth":"","identitytoken":"se/cret""#) {
            request, _ in
            if request.path == "/token" { return Response(200, text: #"{"access_token":"abc"}"#) }
            guard request.header("Authorization") == "Bearer abc" else {
                return AuthTests.challenge("http://\(request.header("Host") ?? "")/token")
            }
            return GoodManifest.response()
        }
        _ = try client.manifest(.tag("latest"))
        let post = try #require(server.requests(to: "/token").first)
        #expect(post.method == "POST")
        #expect(post.header("Content-Type") == "application/x-www-form-urlencoded")
        #expect(
            String(decoding: post.body, as: UTF8.self)
                == "service=svc&scope=repository%3Atest%2Fimage%3Apull&client_id=runimg&grant_type=refresh_token&refresh_token=se%2Fcret"
        )
    }

    @Test func registryTokenIsSentAsItIs() throws {
        let (client, server, _) = try AuthTests.withOwnCredentials(#""registrytoken":"reg""#) { request, _ in
            request.header("Authorization") == "Bearer reg"
                ? GoodManifest.response() : AuthTests.challenge("http://169.254.169.254/token")
        }
        _ = try client.manifest(.tag("latest"))
        #expect(server.requests.count == 2)
    }

    @Test func basicIsAnsweredOnceAskedFor() throws {
        let (client, server, _) = try AuthTests.withOwnCredentials { request, _ in
            request.header("Authorization") == AuthTests.userHeader
                ? GoodManifest.response() : Response(401, [("WWW-Authenticate", "Basic realm=\"x\"")])
        }
        _ = try client.manifest(.tag("a"))
        _ = try client.manifest(.tag("b"))
        #expect(
            server.requests.map { $0.header("Authorization") } == [nil, AuthTests.userHeader, AuthTests.userHeader])
    }

    @Test func wrongPasswordIsTriedOnce() throws {
        let (client, server, _) = try AuthTests.withOwnCredentials { _, _ in
            Response(401, [("WWW-Authenticate", "Basic realm=\"x\"")])
        }
        for _ in 0..<2 {
            let error = message { () throws(RegistryError) in _ = try client.manifest(.tag("a")) }
            #expect(error.contains("pull access denied"), "\(error)")
        }
        #expect(server.requests.count <= 4)
    }

    @Test(
        "P9: tokens that are none are refused",
        arguments: [
            #"{"token":"a\r\nX-Evil: 1"}"#, #"{"token":""}"#, "{}", "no json", #"{"token":"é"}"#, #"{"token":7}"#,
            #"{"token":"x","expires_in":1e400}"#,
        ]) func badTokensAreRefused(_ body: String) throws
    {
        let fixture = try Fixture { request, _ in
            request.path == "/token"
                ? Response(200, text: body) : AuthTests.challenge("http://\(request.header("Host") ?? "")/token")
        }
        let error = message { () throws(RegistryError) in _ = try fixture.client.manifest(.tag("a")) }
        #expect(!error.isEmpty)
        #expect(fixture.server.requests.count == 2)
    }

    @Test("P8: an endless token stops at its limit") func endlessTokenStopsAtItsLimit() throws {
        let fixture = try Fixture { request, _ in
            guard request.path == "/token" else {
                return AuthTests.challenge("http://\(request.header("Host") ?? "")/token")
            }
            var response = Response(200, body: Array(repeating: 32, count: 100_000))
            response.isEndless = true
            return response
        }
        let error = message { () throws(RegistryError) in _ = try fixture.client.manifest(.tag("a")) }
        #expect(error.contains("more than 1048576 bytes"), "\(error)")
    }

    // MARK: Hostile realms

    @Test(
        "P2: a hostile realm gets nothing, not even a connection",
        arguments: [
            "http://169.254.169.254/latest/meta-data", "https://169.254.169.254/x", "https://10.1.2.3/token",
            "https://192.168.1.1/token", "https://[fe80::1]/x", "http://auth.example/token",
            "https://user:pw@auth.example/",
            "file:///etc/passwd", "ftp://auth.example/", "", "/token", "https://0xa9fea9fe/x",
        ]) func hostileRealmGetsNothing(_ realm: String) throws
    {
        let (client, server, log) = try AuthTests.withOwnCredentials { _, _ in AuthTests.challenge(realm) }
        let start = Wait.now
        let error = message { () throws(RegistryError) in _ = try client.manifest(.tag("a")) }
        #expect(error.contains("realm"), "\(error)")
        // Not even a connection is tried.
        #expect(Wait.now - start < 10)
        #expect(server.requests.count == 1)
        #expect(log.lines.allSatisfy { !$0.contains("169.254") && !$0.contains("password") })
    }

    @Test("P2, P3: a token server does not send credentials on") func tokenServerDoesNotPassCredentialsOn() throws {
        let other = try FaultyRegistry { _, _ in AuthTests.token("abc") }
        let (client, server, _) = try AuthTests.withOwnCredentials { request, _ in
            request.path == "/token"
                ? .redirect("\(other.url)/token") : AuthTests.challenge("http://\(request.header("Host") ?? "")/token")
        }
        let error = message { () throws(RegistryError) in _ = try client.manifest(.tag("a")) }
        #expect(!error.isEmpty)
        #expect(other.requests.isEmpty)
        #expect(server.requests.count == 2)
    }
}
