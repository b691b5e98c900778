import OCI
import Registry
import TestSupport
import Testing

/// Redirects, honest and hostile, and what of all this is said aloud.
@Suite struct RedirectTests {
    typealias Response = FaultyRegistry.Response

    @Test func redirectToAnotherPortDropsCredentials() throws {
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

    @Test func redirectWithinTheOriginKeepsCredentials() throws {
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

    @Test func credentialsDoNotComeBackAfterADetour() throws {
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

    @Test(arguments: [
        ("http://169.254.169.254/x", "plain http"), ("https://169.254.169.254/x", "link-local"),
        ("http://cdn.example/x", "plain http"), ("file:///etc/passwd", "redirect"), ("ftp://cdn.example/x", "redirect"),
        ("https://u:p@cdn.example/", "redirect"), ("", "redirect"),
    ]) func hostileRedirectIsRefused(_ target: String, _ words: String) throws {
        let (client, server, _) = try AuthTests.withOwnCredentials { _, _ in .redirect(target) }
        let error = message { () throws(RegistryError) in _ = try client.blob(Blob(5).descriptor) }
        #expect(error.contains(words), "\(error)")
        #expect(server.requests.count <= 12)
    }

    @Test(arguments: [301, 302, 303, 307, 308]) func redirectLoopEnds(_ status: Int) throws {
        let fixture = try Fixture { request, count in .redirect("/loop\(count)", status: status) }
        let error = message { () throws(RegistryError) in _ = try fixture.client.blob(Blob(5).descriptor) }
        #expect(error.contains("more than 10 redirects"), "\(error)")
        #expect(fixture.server.requests.count == 11)
    }

    @Test func rangeSurvivesARedirect() throws {
        let blob = Blob(1000)
        let other = try FaultyRegistry { request, _ in .blob(blob.bytes, for: request) }
        let fixture = try Fixture { _, _ in .redirect("\(other.url)/x") }
        #expect(try fixture.download(blob.descriptor, start: Array(blob.bytes.prefix(10))) == blob.bytes)
        #expect(other.requests.map { $0.header("Range") } == ["bytes=10-"])
    }

    // MARK: Secrets

    @Test func nothingSecretIsSaid() throws {
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
}
