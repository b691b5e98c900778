import OCI
import Registry
import Sys
import TestSupport
import Testing

/// Proxies, names that lead elsewhere than they look, and client certificates.
@Suite struct NetworkTests {
    typealias Response = FaultyRegistry.Response

    @Test func plainRequestsGoThroughTheProxy() throws {
        let proxy = try FaultyRegistry { _, _ in GoodManifest.response() }
        var configuration = RegistryConfiguration(environment: ["http_proxy": "http://user:secret@\(proxy.host)"])
        configuration.rules = .hubMirrors(["http://mirror.example:5000"])
        configuration.insecureRegistries = ["mirror.example:5000"]
        let client = try RegistryClient(reference: Reference(parsing: "a"), configuration: configuration)
        #expect(try client.manifest(.tag("latest")).endpoint == "mirror.example:5000")
        #expect(proxy.requests.map(\.target) == ["http://mirror.example:5000/v2/library/a/manifests/latest"])
    }

    @Test("P13: a proxy's password is not said") func refusingProxyIsNamedWithoutItsPassword() throws {
        let proxy = try FaultyRegistry { _, _ in Response(403) }
        let configuration = RegistryConfiguration(environment: ["HTTPS_PROXY": "http://user:secret@\(proxy.host)"])
        let client = try RegistryClient(reference: Reference(parsing: "r.example/a"), configuration: configuration)
        let error = message { () throws(RegistryError) in _ = try client.manifest(.tag("latest")) }
        #expect(error.contains("r.example:443 through proxy \(proxy.host)"), "\(error)")
        #expect(!error.contains("secret"))
        #expect(proxy.requests.map(\.method) == ["CONNECT"])
    }

    /// `NAME.localhost` is this machine to libcurl, whatever it looks like.
    @Test("P1, P3: a name that leads to this machine is refused once it is known")
    func nameThatLeadsToThisMachineIsRefusedOnceItIsKnown() throws {
        let inside = try FaultyRegistry { _, _ in GoodManifest.response() }
        let name = "metadata.localhost:\(inside.port)"
        let server = try FaultyRegistry { _, _ in .redirect("http://\(name)/secret") }
        var configuration = RegistryConfiguration()
        configuration.insecureRegistries = ["0.0.0.0:\(server.port)", name]
        let client = try RegistryClient(
            reference: Reference(parsing: "0.0.0.0:\(server.port)/a"), configuration: configuration)
        let error = message { () throws(RegistryError) in _ = try client.manifest(.tag("latest")) }
        #expect(error.contains("has the address 127.0.0.1: local addresses are refused here"), "\(error)")
        #expect(inside.requests.isEmpty)
    }

    @Test(.enabled(if: Conditions.has("openssl"), "needs openssl")) func clientCertificateIsShown() throws {
        let scratch = try Scratch()
        let port = try RealRegistry.freePort()
        let host = "127.0.0.1:\(port)"
        let certificates = try scratch.directory("certs.d/\(host)")
        for (name, files) in [("server", scratch("server")), ("client", "\(certificates)/client")] {
            try Tool.check(
                "openssl",
                [
                    "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                    "-subj", "/CN=\(name)", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", "\(files).key", "-out",
                    "\(files).cert",
                ])
        }
        try scratch.file("certs.d/\(host)/ca.crt", contents(scratch("server.cert")))
        let path = try #require(Tool.find("openssl"))
        // Each request for a page is answered with a description of the session.
        var server = try ChildProcess(
            path,
            [
                "s_server", "-accept", host, "-cert", scratch("server.cert"), "-key", scratch("server.key"), "-Verify",
                "1", "-verify_return_error", "-CAfile", "\(certificates)/client.cert", "-www", "-quiet",
            ], environment: Tool.baseEnvironment)
        defer { _ = try? server.stop() }
        var configuration = RegistryConfiguration()
        configuration.certificateDirectories = [scratch("certs.d")]
        func fetch() -> String {
            message { () throws(RegistryError) in
                let name = Reference(domain: host, path: "a", tag: nil, digest: nil)
                _ = try RegistryClient(reference: name, configuration: configuration).manifest(.tag("latest"))
            }
        }
        let isUp = Wait.until(seconds: 10) { !fetch().contains("ECONNREFUSED") }
        #expect(isUp)
        #expect(fetch() == "")

        try File.rename("\(certificates)/client.key", to: "\(certificates)/moved.pem")
        #expect(fetch() == "missing key client.key for client certificate \(certificates)/client.cert")
        try File.rename("\(certificates)/client.cert", to: "\(certificates)/moved2.pem")
        #expect(fetch().contains("the server wants a client certificate"))
    }
}
