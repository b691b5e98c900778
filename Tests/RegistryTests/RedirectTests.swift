import OCI
import Registry
import TestSupport
import Testing

/// Redirects, honest and hostile, and what of all this is said aloud.
@Suite struct RedirectTests {
    typealias Response = FaultyRegistry.Response

    @Test("P3: a redirect to another port leaves credentials behind") func redirectToAnotherPortDropsCredentials()
        throws
    {
        let blob = Blob(1000)
        let other = try FaultyRegistry { request, _ in .blob(blob.bytes, for: request) }
        let (client, server, _) = try AuthTests.withOwnCredentials { request, _ in
            guard request.header("Authorization") != nil else {
                return Response(401, [("WWW-Authenticate", "Basic realm=\"x\"")])
            }
            return .redirect("\(other.url)/blob?sig=secret")
        }
        #expect(try client.blob(blob.descriptor, limit: 1000) == blob.bytes)
        #expect(server.requests.last?.header("Authorization") == AuthTests.userHeader)
        #expect(other.requests.map { $0.header("Authorization") } == [nil])
        #expect(other.requests[0].target == "/blob?sig=secret")
    }

    @Test("P3: a redirect within the origin keeps credentials") func redirectWithinTheOriginKeepsCredentials() throws {
        let blob = Blob(1000)
        let (client, server, _) = try AuthTests.withOwnCredentials { request, _ in
            guard request.header("Authorization") != nil else {
                return Response(401, [("WWW-Authenticate", "Basic realm=\"x\"")])
            }
            return request.path == "/elsewhere" ? .blob(blob.bytes, for: request) : .redirect("/elsewhere")
        }
        #expect(try client.blob(blob.descriptor, limit: 1000) == blob.bytes)
        #expect(server.requests.last?.header("Authorization") == AuthTests.userHeader)
    }

    @Test("P3: credentials do not come back after a detour") func credentialsDoNotComeBackAfterADetour() throws {
        let blob = Blob(10)
        let back = Mutable("")
        let other = try FaultyRegistry { _, _ in .redirect("\(back.value)/back") }
        let (client, server, _) = try AuthTests.withOwnCredentials { request, _ in
            if request.path == "/back" { return .blob(blob.bytes, for: request) }
            guard request.header("Authorization") != nil else {
                return Response(401, [("WWW-Authenticate", "Basic realm=\"x\"")])
            }
            return .redirect("\(other.url)/there")
        }
        back.value = server.url
        #expect(try client.blob(blob.descriptor, limit: 1000) == blob.bytes)
        #expect(server.requests(to: "/back").map { $0.header("Authorization") } == [nil])
    }

    @Test(
        "P1, P3: a hostile redirect is refused",
        arguments: [
            ("http://169.254.169.254/x", "plain http"), ("https://169.254.169.254/x", "link-local"),
            ("http://cdn.example/x", "plain http"), ("file:///etc/passwd", "redirect"),
            ("ftp://cdn.example/x", "redirect"),
            ("https://u:p@cdn.example/", "redirect"), ("", "redirect"),
            ("https://[::ffff:169.254.169.254]/x", "link-local"), ("https://2852039166/x", "link-local"),
            ("https://100.100.100.200/x", "link-local"), ("https://[fd00:ec2::254]/x", "link-local"),
            ("https://169.254.169.254/x", "redirect from 127.0.0.1:"),
            ("http://cdn.example/x", "to cdn.example:80 refused"),
        ]) func hostileRedirectIsRefused(_ target: String, _ words: String) throws
    {
        let (client, server, _) = try AuthTests.withOwnCredentials { _, _ in .redirect(target) }
        let error = message { () throws(RegistryError) in _ = try client.blob(Blob(5).descriptor) }
        #expect(error.contains(words), "\(error)")
        #expect(server.requests.count <= 12)
    }

    @Test("P3: a loop of redirects ends after ten", arguments: [301, 302, 303, 307, 308]) func redirectLoopEnds(
        _ status: Int
    ) throws {
        let fixture = try Fixture { request, count in .redirect("/loop\(count)", status: status) }
        let error = message { () throws(RegistryError) in _ = try fixture.client.blob(Blob(5).descriptor) }
        #expect(error.contains("more than 10 redirects, the last at \(fixture.server.host)"), "\(error)")
        #expect(fixture.server.requests.count == 11)
    }

    @Test("P3: a redirect to another name of the same server leaves credentials behind")
    func redirectToAnotherHostDropsCredentials() throws {
        let blob = Blob(1000)
        let (client, server, _) = try AuthTests.withOwnCredentials { request, _ in
            if request.path == "/there" { return .blob(blob.bytes, for: request) }
            let port = request.header("Host")?.split(separator: ":").last ?? ""
            return request.header("Authorization") == nil
                ? Response(401, [("WWW-Authenticate", "Basic realm=\"x\"")])
                : .redirect("http://localhost:\(port)/there")
        }
        #expect(try client.blob(blob.descriptor, limit: 1000) == blob.bytes)
        #expect(
            server.requests.map { $0.header("Authorization") } == [nil, AuthTests.userHeader, nil])
    }

    @Test("P3: what is said at a redirect's end names who said it", arguments: [400, 401, 403, 404, 410])
    func faultsBehindARedirectNameTheHop(status: Int) throws {
        let other = try FaultyRegistry { _, _ in Response(status) }
        let fixture = try Fixture { _, _ in .redirect("\(other.url)/x") }
        let error = message { () throws(RegistryError) in _ = try fixture.client.blob(Blob(5).descriptor) }
        #expect(
            error.contains("redirected to \(other.host)") && error.contains("HTTP status \(status)"), "\(error)")
    }

    @Test("P3: a connection that fails behind a redirect names where") func deadHopIsNamed() throws {
        let port = try RealRegistry.freePort()
        let fixture = try Fixture(configure: { $0.retry.retries = 0 }) { _, _ in .redirect("http://127.0.0.1:\(port)/x")
        }
        let error = message { () throws(RegistryError) in _ = try fixture.client.blob(Blob(5).descriptor) }
        #expect(error.contains("127.0.0.1:\(port): connect: connection refused (ECONNREFUSED)"), "\(error)")
    }

    @Test func rangeSurvivesARedirect() throws {
        let blob = Blob(1000)
        let other = try FaultyRegistry { request, _ in .blob(blob.bytes, for: request) }
        let fixture = try Fixture { _, _ in .redirect("\(other.url)/x") }
        #expect(try fixture.download(blob.descriptor, start: Array(blob.bytes.prefix(10))) == blob.bytes)
        #expect(other.requests.map { $0.header("Range") } == ["bytes=10-"])
    }

    // MARK: Secrets

    @Test("P13: nothing secret is in errors, notices and debug lines") func nothingSecretIsSaid() throws {
        let blob = Blob(10)
        let other = try FaultyRegistry { _, _ in Response(503) }
        let (client, server, log) = try AuthTests.withOwnCredentials { request, _ in
            if request.path == "/token" { return AuthTests.token("toptoken") }
            guard request.header("Authorization") == "Bearer toptoken" else {
                return AuthTests.challenge("http://\(request.header("Host") ?? "")/token")
            }
            return .redirect("\(other.url)/x?X-Amz-Signature=presigned")
        }
        let error = message { () throws(RegistryError) in _ = try client.blob(blob.descriptor) }
        let all = ([error] + log.lines + log.retries.map(\.reason)).joined(separator: "\n")
        for secret in ["toptoken", "presigned", "password", "dXNlcjpwYXNzd29yZA"] {
            #expect(!all.contains(secret), "\(all)")
        }
        #expect(all.contains("X-Amz-Signature=REDACTED"))
        #expect(server.requests.count > other.requests.count)
    }

    /// Servers that repeat in their errors what they were shown.
    @Test("P13: what a server repeats of a secret is not said") func echoedSecretsAreNotSaid() throws {
        @Sendable func echo(_ request: FaultyRegistry.Request, _ status: Int) -> Response {
            let shown = (request.header("Authorization") ?? "") + " " + request.target
            return .error(status, "UNKNOWN", String(repeating: "x", count: 150) + " you sent \(shown) (hidden-word)")
        }
        let long = "token-" + String(repeating: "0123456789", count: 30)
        let other = try FaultyRegistry { request, _ in echo(request, 400) }
        let (client, server, log) = try AuthTests.withOwnCredentials(#""username":"user","password":"hidden-word""#) {
            request, _ in
            if request.path == "/token" {
                return request.target.contains("image") ? AuthTests.token(long) : echo(request, 403)
            }
            guard request.header("Authorization") == "Bearer \(long)" else {
                return AuthTests.challenge("http://\(request.header("Host") ?? "")/token")
            }
            return request.path.contains("blobs") ? .redirect("\(other.url)/x?sig=presigned-word") : echo(request, 400)
        }
        let errors = [
            message { () throws(RegistryError) in _ = try client.manifest(.tag("a")) },
            message { () throws(RegistryError) in _ = try client.blob(Blob(5).descriptor) },
        ]
        for error in errors { #expect(error.contains("you sent") && error.contains("REDACTED"), "\(error)") }
        let all = (errors + log.lines + log.retries.map(\.reason)).joined(separator: "\n")
        for secret in ["token-0", "hidden-word", "presigned-word"] { #expect(!all.contains(secret), "\(all)") }
        #expect(server.requests.count == 4)
    }

    @Test("P13: what a token server repeats of a password is not said") func echoedPasswordIsNotSaid() throws {
        let (client, server, log) = try AuthTests.withOwnCredentials { request, _ in
            guard request.path == "/token" else {
                return AuthTests.challenge("http://\(request.header("Host") ?? "")/token")
            }
            return .error(400, "UNKNOWN", "you sent \(request.header("Authorization") ?? "") for password")
        }
        let error = message { () throws(RegistryError) in _ = try client.manifest(.tag("a")) }
        let all = ([error] + log.lines).joined(separator: "\n")
        #expect(error.contains("you sent Basic REDACTED for REDACTED"), "\(error)")
        #expect(!all.contains("password") && !all.contains("dXNlcjpwYXNz"), "\(all)")
        #expect(server.requests.count == 2)
    }
}
