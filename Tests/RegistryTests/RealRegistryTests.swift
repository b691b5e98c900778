import OCI
import Registry
import TestSupport
import Testing

/// Against Debian's docker-registry, filled by skopeo with an image that is made here.
@Suite(.enabled(if: Conditions.hasRegistry, "needs docker-registry and skopeo"), .serialized)
struct RealRegistryTests {
    /// A layout with one image of one layer, and a client's view of it.
    static func layout(_ scratch: Scratch) throws -> (source: String, layer: [UInt8]) {
        let layout = try OCILayout(scratch("layout"))
        let tar = Array(Blob(700_000).bytes.prefix(700_000 / 512 * 512)) + [UInt8](repeating: 0, count: 1024)
        let layer = try layout.layer(tar: tar, .none)
        let amd64 = try layout.image([layer], platform: Platform(os: "linux", architecture: "amd64"))
        let arm64 = try layout.image([layer], platform: Platform(os: "linux", architecture: "arm64", variant: "v8"))
        try layout.tag(layout.index([amd64, arm64]), "latest")
        return ("oci:\(layout.path):latest", tar)
    }

    static func client(
        _ registry: RealRegistry, _ repository: String = "library/test", credentials: String? = nil,
        configure: (inout RegistryConfiguration) -> Void = { _ in }
    ) throws -> RegistryClient {
        var configuration = RegistryConfiguration()
        configuration.retry = Fixture.fastRetries
        if let credentials {
            let json = #"{"auths":{"\#(registry.host)":{"auth":"\#(credentials)"}}}"#
            configuration.credentials = try CredentialStore(json: Array(json.utf8), origin: "test")
        }
        configure(&configuration)
        return try RegistryClient(
            reference: Reference(parsing: "\(registry.host)/\(repository)"), configuration: configuration)
    }

    /// Index, manifest, config and layer, as a pull fetches them.
    static func pull(_ client: RegistryClient, _ scratch: Scratch, layer: [UInt8]) throws {
        let top = try client.manifest(.tag("latest"))
        let index = try Index.decode(top.bytes, contentType: top.contentType)
        let entry = try index.choose(for: Platform(os: "linux", architecture: "arm64", variant: "v8"))
        let document = try client.manifest(.digest(entry.digest))
        let manifest = try Manifest.decode(document.bytes, contentType: document.contentType, descriptor: entry)
        let config = try ImageConfig.decode(client.blob(manifest.config), descriptor: manifest.config)
        try config.check(layersOf: manifest)
        try config.check(platform: #require(entry.platform))
        let file = try scratch.file("layer", Array(layer.prefix(1234)))
        try client.download(manifest.layers[0], toFile: file, from: 1234)
        #expect(contents(file) == layer)
    }

    @Test func plainOnLoopback() throws {
        let registry = try RealRegistry()
        let scratch = try Scratch()
        let (source, layer) = try RealRegistryTests.layout(scratch)
        try registry.push(source, as: "library/test:latest")
        try registry.push(source, as: "library/test:v2")
        let client = try RealRegistryTests.client(registry)
        try RealRegistryTests.pull(client, scratch, layer: layer)
        #expect(try client.tags().sorted() == ["latest", "v2"])

        var error = message { () throws(RegistryError) in _ = try client.manifest(.tag("nope")) }
        #expect(
            error == "manifest for \(registry.host)/library/test:nope not found: manifest unknown: manifest unknown")
        let absent = Descriptor(mediaType: MediaType.ociLayer, digest: Digest.of("absent".utf8), size: 6)
        error = message { () throws(RegistryError) in _ = try client.blob(absent) }
        #expect(error.contains("not found: blob unknown: blob unknown to registry"), "\(error)")
        let other = try RealRegistryTests.client(registry, "no/such")
        error = message { () throws(RegistryError) in _ = try other.tags() }
        #expect(error.contains("repository \(registry.host)/no/such not found: name unknown"), "\(error)")
    }

    @Test func asMirrorOfTheHub() throws {
        let registry = try RealRegistry()
        let scratch = try Scratch()
        let (source, layer) = try RealRegistryTests.layout(scratch)
        try registry.push(source, as: "library/test:latest")
        var configuration = RegistryConfiguration()
        configuration.rules = .hubMirrors([registry.url])
        let client = try RegistryClient(reference: Reference(parsing: "test"), configuration: configuration)
        try RealRegistryTests.pull(client, scratch, layer: layer)
    }

    @Test(
        "P4: with a password over TLS, and under the wrong CA",
        .enabled(if: Conditions.has("openssl", "htpasswd"), "needs openssl and htpasswd"))
    func withPasswordOverTLS() throws {
        let registry = try RealRegistry(.init(tls: true, credentials: ("user", "password")))
        let scratch = try Scratch()
        let (source, layer) = try RealRegistryTests.layout(scratch)
        try registry.push(source, as: "library/test:latest")
        let trusted = try scratch.directory("certs.d/\(registry.host)")
        try scratch.file("certs.d/\(registry.host)/ca.crt", contents(registry.authorityFile))
        _ = trusted
        let certificates = scratch("certs.d")
        let good = "dXNlcjpwYXNzd29yZA=="  // user:password

        let client = try RealRegistryTests.client(registry, credentials: good) {
            $0.certificateDirectories = [certificates]
        }
        try RealRegistryTests.pull(client, scratch, layer: layer)

        // Without and with a wrong password.
        let anonymous = try RealRegistryTests.client(registry) { $0.certificateDirectories = [certificates] }
        var error = message { () throws(RegistryError) in _ = try anonymous.manifest(.tag("latest")) }
        #expect(error.contains("pull access denied for \(registry.host)/library/test"), "\(error)")
        let wrong = try RealRegistryTests.client(registry, credentials: "dXNlcjp3cm9uZw==") {
            $0.certificateDirectories = [certificates]
        }
        error = message { () throws(RegistryError) in _ = try wrong.manifest(.tag("latest")) }
        #expect(error.contains("pull access denied"), "\(error)")

        // Another CA than the server's: refused, with what to do, and nothing goes out in clear.
        try Tool.check(
            "openssl",
            [
                "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                "-subj", "/CN=other", "-keyout", scratch("other.key"), "-out",
                scratch("certs.d/\(registry.host)/ca.crt"),
            ])
        let before = try registry.requests().count
        let suspicious = try RealRegistryTests.client(registry, credentials: good) {
            $0.certificateDirectories = [certificates]
        }
        error = message { () throws(RegistryError) in _ = try suspicious.manifest(.tag("latest")) }
        #expect(
            error.contains("certificate") && error.contains("/etc/docker/certs.d/\(registry.host)/ca.crt"), "\(error)")
        #expect(error.contains("insecure-registries"), "\(error)")
        #expect(try registry.requests().count == before)

        // Listed as insecure: taken as it is.
        let careless = try RealRegistryTests.client(registry, credentials: good) {
            $0.certificateDirectories = [certificates]
            $0.insecureRegistries = [registry.host]
        }
        #expect(try careless.manifest(.tag("latest")).bytes.isEmpty == false)
    }

    /// By another name of the machine, which is not local by its looks: the CA must be known.
    @Test(
        "P4: certificates are checked for hosts that are not local",
        .enabled(if: Conditions.has("openssl", "htpasswd"), "needs openssl and htpasswd"))
    func certificatesAreCheckedForOtherHosts() throws {
        let registry = try RealRegistry(.init(tls: true))
        let name = try Reference(parsing: "0.0.0.0:\(registry.port)/library/test")
        var configuration = RegistryConfiguration()
        let client = try RegistryClient(reference: name, configuration: configuration)
        var error = message { () throws(RegistryError) in _ = try client.manifest(.tag("latest")) }
        #expect(error.contains("certificate"), "\(error)")
        // curl's own variable for a CA makes it known; the name in the certificate is another one all the same.
        configuration.environment = ["SSL_CERT_FILE": registry.authorityFile]
        let other = try RegistryClient(reference: name, configuration: configuration)
        error = message { () throws(RegistryError) in _ = try other.manifest(.tag("latest")) }
        #expect(error.contains("0.0.0.0:\(registry.port)") && error.contains("subject"), "\(error)")
        let local = try RegistryClient(
            reference: Reference(parsing: "localhost:\(registry.port)/library/test"), configuration: configuration)
        error = message { () throws(RegistryError) in _ = try local.manifest(.tag("latest")) }
        #expect(error.contains("not found"), "\(error)")
    }

    @Test(.enabled(if: Conditions.hasSharedImages, "needs ../shared/images"))
    func realBusybox() throws {
        let registry = try RealRegistry()
        try registry.push("oci:\(SharedImages.busybox)", as: "library/busybox:latest")
        let client = try RealRegistryTests.client(registry, "library/busybox")
        let document = try client.manifest(.tag("latest"))
        let manifest = try Manifest.decode(document.bytes, contentType: document.contentType)
        let config = try ImageConfig.decode(client.blob(manifest.config), descriptor: manifest.config)
        try config.check(layersOf: manifest)
        let scratch = try Scratch()
        for (number, layer) in manifest.layers.enumerated() {
            let file = try scratch.file("\(number)", "")
            try client.download(layer, toFile: file)
            #expect(Digest.of(contents(file)) == layer.digest)
        }
    }
}
