import OCI
import Registry
import TestSupport
import Testing

/// Manifests, configs and tags from a registry that lies, and from several that fail in turn.
@Suite struct DocumentFetchTests {
    typealias Response = FaultyRegistry.Response

    @Test func manifestByTagAndDigest() throws {
        let fixture = try Fixture { _, _ in GoodManifest.response([("Docker-Content-Digest", "\(GoodManifest.digest)")])
        }
        let byTag = try fixture.client.manifest(.tag("latest"))
        #expect(byTag.bytes == GoodManifest.bytes)
        #expect(byTag.digest == GoodManifest.digest)
        #expect(byTag.contentType == MediaType.ociManifest)
        #expect(byTag.endpoint == fixture.server.host)
        #expect(try fixture.client.manifest(.digest(GoodManifest.digest)) == byTag)
        let accept = fixture.server.requests[0].header("Accept") ?? ""
        for type in [MediaType.ociIndex, MediaType.ociManifest, MediaType.dockerList, MediaType.dockerManifest] {
            #expect(accept.contains(type))
        }
    }

    static let lies: [(String?, String)] =
        [("\(Digest.of("other".utf8))", "the manifest's digest is")]
        + [
            "sha256:../../x", "sha256:", "sha256", "sha1:\(hex.prefix(40))", "SHA256:\(hex)",
            "sha256:\(hex.uppercased())", "sha256:\(hex)a", "sha256:\(hex.dropLast())", "sha256:\(hex.dropLast())g",
            "sha256:\(hex)/..", "sha256: \(hex)", "sha512:\(hex)", "md5:abc", "", ":\(hex)", "sha256:\(hex), \(hex)",
            "sha256:\u{1b}[2J",
        ].map { ($0, "Docker-Content-Digest: invalid digest") }
    private static let hex = String(repeating: "a", count: 64)

    @Test("P7, T1: a Docker-Content-Digest that lies or is none is refused", arguments: lies)
    func lyingDigestHeaderIsRefused(_ header: String?, _ words: String) throws {
        let fixture = try Fixture { _, _ in GoodManifest.response(header.map { [("Docker-Content-Digest", $0)] } ?? [])
        }
        let error = message { () throws(RegistryError) in _ = try fixture.client.manifest(.tag("latest")) }
        #expect(error.contains("refused") && error.contains(words), "\(error)")
        #expect(!error.contains("\u{1b}"))
    }

    @Test("T1: other bytes than the digest asked for are refused") func otherBytesThanAskedForAreRefused() throws {
        let fixture = try Fixture { _, _ in GoodManifest.response() }
        let error = message { () throws(RegistryError) in
            _ = try fixture.client.manifest(.digest(Digest.of("other".utf8)))
        }
        #expect(error.contains("the manifest's digest is \(GoodManifest.digest), not"), "\(error)")
        #expect(fixture.server.requests.count == 1)
    }

    @Test("P8: an endless manifest stops at its limit") func endlessManifestStopsAtItsLimit() throws {
        let fixture = try Fixture { _, _ in
            var response = Response(200, body: Array(repeating: 32, count: 100_000))
            response.isEndless = true
            return response
        }
        let error = message { () throws(RegistryError) in _ = try fixture.client.manifest(.tag("latest")) }
        #expect(error.contains("the manifest has more than 4194304 bytes"), "\(error)")
    }

    @Test("P8: an endless error page stops at its limit") func endlessErrorPageStopsAtItsLimit() throws {
        let fixture = try Fixture { _, _ in
            var response = Response(400, body: Array(repeating: 32, count: 100_000))
            response.isEndless = true
            return response
        }
        let error = message { () throws(RegistryError) in _ = try fixture.client.manifest(.tag("latest")) }
        #expect(error.contains("HTTP status 400: its text has more than 1048576 bytes, the limit"), "\(error)")
    }

    @Test func unknownTagHasDockersWords() throws {
        let fixture = try Fixture { _, _ in .error(404, "MANIFEST_UNKNOWN", "manifest unknown") }
        let error = message { () throws(RegistryError) in _ = try fixture.client.manifest(.tag("nope")) }
        #expect(
            error == "manifest for \(fixture.server.host)/test/image:nope not found: manifest unknown: manifest unknown"
        )
        #expect(fixture.server.requests.count == 1)
    }

    @Test func deniedHasDockersWords() throws {
        let fixture = try Fixture { _, _ in .error(403, "DENIED", "requested access to the resource is denied") }
        let error = message { () throws(RegistryError) in _ = try fixture.client.manifest(.tag("nope")) }
        #expect(
            error
                == "pull access denied for \(fixture.server.host)/test/image, repository does not exist or may require "
                + "'runimg login': denied: requested access to the resource is denied")
    }

    // MARK: Small blobs

    @Test("F12, T1: a small blob's size and digest are checked") func smallBlobIsVerified() throws {
        let blob = Blob(5000)
        let served = Mutable(blob.bytes)
        let fixture = try Fixture { request, _ in Response(200, body: served.value) }
        #expect(try fixture.client.blob(blob.descriptor) == blob.bytes)
        served.value[100] ^= 1
        #expect(
            message { () throws(RegistryError) in _ = try fixture.client.blob(blob.descriptor) }.contains(
                "the blob's digest is"))
        served.value = blob.bytes + [0]
        #expect(
            message { () throws(RegistryError) in _ = try fixture.client.blob(blob.descriptor) }.contains(
                "more than 5000 bytes"))
        served.value = Array(blob.bytes.dropLast())
        #expect(
            message { () throws(RegistryError) in _ = try fixture.client.blob(blob.descriptor) }.contains(
                "ended after 4999 of 5000 bytes"))
        #expect(
            message { () throws(RegistryError) in _ = try fixture.client.blob(blob.descriptor, limit: 4999) }.contains(
                "limit of 4999"))
    }

    // MARK: Tags

    @Test func tagsComeInPages() throws {
        let all = (0..<25).map { "v\($0)" }
        let fixture = try Fixture { request, count in
            let page = all[(count * 10)..<min(25, count * 10 + 10)]
            let link = [(name: "Link", value: "</v2/test/image/tags/list?last=\(page.last ?? "")>; rel=\"next\"")]
            let list = page.map { "\"\($0)\"" }.joined(separator: ",")
            return Response(200, count < 2 ? link : [], text: #"{"name":"x","tags":[\#(list)]}"#)
        }
        #expect(try fixture.client.tags() == all)
        #expect(
            fixture.server.requests.map(\.target) == [
                "/v2/test/image/tags/list?n=1000", "/v2/test/image/tags/list?n=1000&last=v9",
                "/v2/test/image/tags/list?n=1000&last=v19",
            ])
    }

    @Test("P9: tags that are none are refused") func hostileTagsAreRefused() throws {
        for tag in ["../x", "\\u001b[2J", "", "a b"] {
            let fixture = try Fixture { _, _ in Response(200, text: #"{"tags":["ok","\#(tag)"]}"#) }
            let error = message { () throws(RegistryError) in _ = try fixture.client.tags() }
            #expect(error.contains("is no tag"), "\(error)")
        }
    }

    @Test func repeatedPageEndsTheList() throws {
        let fixture = try Fixture { _, _ in
            Response(200, [("Link", "<x>; rel=\"next\"")], text: #"{"tags":["a"]}"#)
        }
        #expect(try fixture.client.tags() == ["a", "a"])
    }

    // MARK: Mirrors

    static func hub(
        _ mirrors: [FaultyRegistry], credentials: CredentialStore = CredentialStore(), log: Fixture.Log = Fixture.Log()
    ) throws -> RegistryClient {
        var configuration = RegistryConfiguration()
        configuration.rules = .hubMirrors(mirrors.map(\.url))
        configuration.retry = Fixture.fastRetries
        configuration.credentials = credentials
        // docker.io itself is not there: what should not be asked for it must not get that far.
        configuration.environment = ["HTTPS_PROXY": "http://127.0.0.1:1"]
        return try RegistryClient(
            reference: Reference(parsing: "test/image"), configuration: configuration, observer: log.observer)
    }

    @Test func secondMirrorServesWhatTheFirstLacks() throws {
        let blob = Blob(100)
        let first = try FaultyRegistry { _, _ in .error(404, "MANIFEST_UNKNOWN", "manifest unknown") }
        let second = try FaultyRegistry { request, _ in
            request.path == blob.path ? .blob(blob.bytes, for: request) : GoodManifest.response()
        }
        let client = try DocumentFetchTests.hub([first, second])
        #expect(try client.manifest(.tag("latest")).endpoint == second.host)
        // From there on the one that has it is asked first.
        #expect(try client.blob(blob.descriptor) == blob.bytes)
        #expect(first.requests.count == 1)
    }

    @Test("F12: a lying mirror is passed over") func lyingMirrorIsPassedOver() throws {
        let first = try FaultyRegistry { _, _ in Response(200, text: "{}") }
        let second = try FaultyRegistry { _, _ in GoodManifest.response() }
        let client = try DocumentFetchTests.hub([first, second])
        #expect(try client.manifest(.digest(GoodManifest.digest)).endpoint == second.host)
    }

    @Test func blobGoesOnAtTheNextMirror() throws {
        let (blob, next) = (Blob(300_000), Blob(300_001))
        let first = try FaultyRegistry { request, count in
            var response = Response.blob(blob.bytes, for: request)
            response.cutAfter = count == 0 ? 100_000 : 0
            return response
        }
        let second = try FaultyRegistry { request, _ in
            .blob(request.path == blob.path ? blob.bytes : next.bytes, for: request)
        }
        let log = Fixture.Log()
        let client = try DocumentFetchTests.hub([first, second], log: log)
        let path = try Scratch()
        let file = try path.file("blob", "")
        try client.download(blob.descriptor, toFile: file)
        #expect(contents(file) == blob.bytes)
        #expect(second.requests.map { $0.rangeStart } == [100_000])
        #expect(first.requests.count == 2)
        // It had its chance: the next blob starts at the other.
        try client.download(next.descriptor, toFile: path.file("blob2", ""))
        #expect(first.requests.count == 2)
    }

    @Test("F12: a blob that is too long is fetched anew from the next mirror")
    func tooLongBlobIsFetchedAnewFromTheNextMirror() throws {
        let blob = Blob(1000)
        let first = try FaultyRegistry { _, _ in Response(200, body: blob.bytes + blob.bytes) }
        let second = try FaultyRegistry { request, _ in .blob(blob.bytes, for: request) }
        let client = try DocumentFetchTests.hub([first, second])
        let scratch = try Scratch()
        let file = try scratch.file("blob", "")
        try client.download(blob.descriptor, toFile: file)
        #expect(contents(file) == blob.bytes)
    }

    @Test("F12: a blob that was asked for again comes from another mirror")
    func blobAskedForAgainComesFromAnotherMirror() throws {
        let blob = Blob(1000)
        let first = try FaultyRegistry { _, _ in Response(200, body: [UInt8](repeating: 7, count: 1000)) }
        let second = try FaultyRegistry { request, _ in .blob(blob.bytes, for: request) }
        let client = try DocumentFetchTests.hub([first, second])
        let scratch = try Scratch()
        // The digest is the caller's to check, who then asks once more.
        try client.download(blob.descriptor, toFile: scratch.file("1", ""))
        #expect(client.distrust(blob.descriptor.digest))
        try client.download(blob.descriptor, toFile: scratch.file("2", ""))
        #expect(contents(scratch("1")) != blob.bytes)
        #expect(Digest.of(contents(scratch("2"))) == blob.descriptor.digest)
        #expect(first.requests.count == 1)
    }

    @Test func errorListsEveryPlaceThatWasTried() throws {
        let first = try FaultyRegistry { _, _ in .error(404, "MANIFEST_UNKNOWN", "manifest unknown") }
        let second = try FaultyRegistry { _, _ in Response(410) }
        let client = try DocumentFetchTests.hub([first, second])
        let start = Wait.now
        let error = message { () throws(RegistryError) in _ = try client.manifest(.tag("latest")) }
        #expect(error.contains("\(first.host) (manifest unknown: manifest unknown)"), "\(error)")
        #expect(error.contains("\(second.host) (HTTP status 410)"), "\(error)")
        #expect(error.contains("registry-1.docker.io ("), "\(error)")
        #expect(error.hasPrefix("cannot get manifest for test/image:latest"), "\(error)")
        // What never answered is not waited for.
        #expect(Wait.now - start < 5)
    }

    @Test("P12: a mirror gets its own credentials only") func mirrorGetsItsOwnCredentialsOnly() throws {
        let handler: FaultyRegistry.Handler = { request, _ in
            request.header("Authorization") == nil
                ? Response(401, [("WWW-Authenticate", "Basic realm=\"x\"")]) : GoodManifest.response()
        }
        let first = try FaultyRegistry(handler)
        let second = try FaultyRegistry(handler)
        let json =
            #"{"auths":{"https://index.docker.io/v1/":{"auth":"aHViOmh1Yg=="},"\#(second.host)":{"auth":"bWlyOm1pcg=="}}}"#
        let store = try CredentialStore(json: Array(json.utf8), origin: "test")
        let client = try DocumentFetchTests.hub([first, second], credentials: store)
        #expect(try client.manifest(.tag("latest")).endpoint == second.host)
        #expect(first.requests.map { $0.header("Authorization") } == [nil])
        #expect(second.requests.map { $0.header("Authorization") } == [nil, "Basic bWlyOm1pcg=="])
    }

    // MARK: No connection

    @Test func deadPortNamesHostPortAndReasonAtOnce() throws {
        let port = try RealRegistry.freePort()
        var configuration = RegistryConfiguration()
        configuration.retry.basePause = 5
        let client = try RegistryClient(
            reference: Reference(parsing: "127.0.0.1:\(port)/a"), configuration: configuration)
        let start = Wait.now
        let error = message { () throws(RegistryError) in _ = try client.manifest(.tag("latest")) }
        #expect(error.contains("127.0.0.1:\(port): connect: connection refused (ECONNREFUSED)"), "\(error)")
        #expect(Wait.now - start < 3)
    }

    @Test("P4: plain http is not fallen back to") func plainServerIsNotFallenBackToForOthers() throws {
        // 0.0.0.0 connects to this machine without being one of its loopback addresses.
        let server = try FaultyRegistry { _, _ in GoodManifest.response() }
        let client = try RegistryClient(
            reference: Reference(parsing: "0.0.0.0:\(server.port)/a"),
            configuration: RegistryConfiguration())
        let error = message { () throws(RegistryError) in _ = try client.manifest(.tag("latest")) }
        #expect(error.contains("TLS handshake"), "\(error)")
        #expect(server.requests.isEmpty)
    }
}
