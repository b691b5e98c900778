import OCI
import Registry
import TestSupport
import Testing

/// Authentication servers that a registry names in bad faith: each is there and listening, so that a credential that
/// went to it would be seen.
@Suite struct RealmTests {
    typealias Response = FaultyRegistry.Response

    /// A client of a registry that is not local by its name, in plain http because it is listed, with a password.
    private func client(
        _ server: FaultyRegistry, insecure: [String] = []
    ) throws -> RegistryClient {
        // 0.0.0.0 connects to this machine without being one of its loopback addresses.
        let host = "0.0.0.0:\(server.port)"
        var configuration = RegistryConfiguration()
        configuration.retry = Fixture.fastRetries
        configuration.insecureRegistries = [host] + insecure
        configuration.credentials = try AuthTests.store(host, AuthTests.user)
        return try RegistryClient(
            reference: Reference(parsing: "\(host)/test/image"), configuration: configuration)
    }

    @Test(
        "P2: a realm on this machine, in any spelling, gets neither request nor credentials",
        arguments: [
            "http://127.0.0.1:PORT/token", "http://localhost:PORT/token", "http://LOCALHOST:PORT/token",
            "http://127.1:PORT/token", "http://2130706433:PORT/token", "http://0x7f.0.0.1:PORT/token",
            "http://[::ffff:127.0.0.1]:PORT/token", "https://127.0.0.1:PORT/token", "http://0.0.0.0:PORT/token",
            "http://metadata.localhost:PORT/token", "http://listed.localhost:PORT/token",
            "https://listed.localhost:PORT/token",
        ]) func localRealmGetsNothing(realm: String) throws
    {
        let inside = try FaultyRegistry { _, _ in AuthTests.token("stolen") }
        let realm = realm.replacing("PORT", with: "\(inside.port)")
        let server = try FaultyRegistry { _, _ in AuthTests.challenge(realm) }
        let client = try client(server, insecure: ["listed.localhost:\(inside.port)"])
        let error = message { () throws(RegistryError) in _ = try client.manifest(.tag("a")) }
        #expect(!error.isEmpty)
        #expect(inside.requests.isEmpty, "\(inside.requests)")
        #expect(server.requests.map { $0.header("Authorization") } == [nil])
    }

    @Test("P2: the refusal of a realm names it and the reason") func refusalNamesTheRealm() throws {
        let server = try FaultyRegistry { _, _ in AuthTests.challenge("https://169.254.169.254/latest/token?x=1") }
        let client = try client(server)
        let error = message { () throws(RegistryError) in _ = try client.manifest(.tag("a")) }
        #expect(
            error.hasSuffix("authentication realm 169.254.169.254:443 refused: a link-local address"), "\(error)")
    }

    @Test("P2: a token is not shown to the next realm, nor a redirect's host answered") func tokensStayWithTheirRealm()
        throws
    {
        let (first, second) = (
            try FaultyRegistry { _, _ in AuthTests.token("one") }, try FaultyRegistry { _, _ in AuthTests.token("two") }
        )
        let blob = Blob(100)
        let own = "\(first.url)/token"
        // A host that blobs are redirected to asks for credentials of its own.
        let cdn = try FaultyRegistry { _, _ in AuthTests.challenge(own) }
        let (client, server, _) = try AuthTests.withOwnCredentials { request, _ in
            switch (request.path.split(separator: "/").last, request.header("Authorization")) {
            case ("a", "Bearer one"): GoodManifest.response()
            case ("b", "Bearer two"): GoodManifest.response()
            case ("b", _): AuthTests.challenge("\(second.url)/token")
            case (_, "Bearer two"): .redirect("\(cdn.url)/x")
            default: AuthTests.challenge(own)
            }
        }
        _ = try client.manifest(.tag("a"))
        _ = try client.manifest(.tag("b"))
        let error = message { () throws(RegistryError) in _ = try client.blob(blob.descriptor) }
        #expect(error.contains("redirected to \(cdn.host): "), "\(error)")
        #expect(first.requests.map { $0.header("Authorization") } == [AuthTests.userHeader])
        #expect(second.requests.map { $0.header("Authorization") } == [AuthTests.userHeader])
        #expect(cdn.requests.map { $0.header("Authorization") } == [nil])
        #expect(server.requests.compactMap { $0.header("Authorization") }.contains("Bearer one"))
    }

    @Test("P2, P12: a mirror's token is not shown to the next mirror") func tokensStayWithTheirMirror() throws {
        let realm = Mutable("")
        let answer: FaultyRegistry.Handler = { request, _ in
            guard request.path != "/token" else { return AuthTests.token("one") }
            return request.header("Authorization") == nil ? AuthTests.challenge(realm.value) : Response(404)
        }
        let first = try FaultyRegistry(answer)
        realm.value = "\(first.url)/token"
        let second = try FaultyRegistry { _, _ in GoodManifest.response() }
        let client = try DocumentFetchTests.hub([first, second])
        #expect(try client.manifest(.tag("latest")).endpoint == second.host)
        #expect(first.requests.last?.header("Authorization") == "Bearer one")
        #expect(second.requests.map { $0.header("Authorization") } == [nil])
    }

    static let keys: [(String, Bool)] = [
        ("HOST:PORT", true), ("https://HOST:PORT/v1/", true), ("http://HOST:PORT", true),
        ("HOST", false), ("https://HOST/", false), ("HOST:1PORT", false), ("HOST:PORT0", false), ("HOST:0PORT", false),
        ("OST:PORT", false), ("xHOST:PORT", false), ("x.HOST:PORT", false), ("HOST:PORT.evil.example", false),
        ("evil.example/HOST:PORT", false), ("https://evil.example/HOST:PORT", false), ("user@HOST:PORT", false),
        ("https://u:p@HOST:PORT", false), ("*", false), ("*:PORT", false), ("LOCALHOST:PORT", false),
        ("Localhost:PORT", false), ("127.0.0.1:PORT", false), ("HTTPS://HOST:PORT", false), (" HOST:PORT", false),
        ("https://index.docker.io/v1/", false), ("", false),
    ]

    @Test("P12: the password goes to exactly the host and port that it is filed under", arguments: keys.indices)
    func passwordGoesToTheExactHost(row: Int) throws {
        let server = try FaultyRegistry { request, _ in
            request.header("Authorization") == nil
                ? Response(401, [("WWW-Authenticate", "Basic realm=\"x\"")]) : GoodManifest.response()
        }
        let (key, isOwn) = RealmTests.keys[row]
        let name = key.replacing("HOST", with: "localhost").replacing("PORT", with: "\(server.port)")
        var configuration = RegistryConfiguration()
        configuration.credentials = try AuthTests.store(name, AuthTests.user)
        let client = try RegistryClient(
            reference: Reference(parsing: "localhost:\(server.port)/test/image"), configuration: configuration)
        let error = message { () throws(RegistryError) in _ = try client.manifest(.tag("a")) }
        #expect(error.isEmpty == isOwn, "\(name): \(error)")
        #expect(server.requests.map { $0.header("Authorization") } == (isOwn ? [nil, AuthTests.userHeader] : [nil]))
    }
}
