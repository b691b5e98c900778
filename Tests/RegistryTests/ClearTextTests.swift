import Glibc
import OCI
import Registry
import Sys
import TestSupport
import Testing

/// Servers that would like to hear in clear, or under a certificate of their own, what is meant for another.
@Suite(.enabled(if: Conditions.has("openssl"), "needs openssl")) struct ClearTextTests {
    /// openssl's TLS server, which writes down all that it is sent and answers nothing.
    private final class Listener {
        let scratch: Scratch
        let port: UInt16
        private var process: ChildProcess
        /// Its standard input, whose end would be that of every connection.
        private let input: OwnedFD

        init(days: Int, name: String) throws {
            scratch = try Scratch()
            port = try RealRegistry.freePort()
            let directory = scratch.path
            try Tool.check(
                "openssl",
                [
                    "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=x",
                    "-keyout", "key", "-out", "request",
                ], directory: directory)
            try scratch.file("san", "subjectAltName=\(name)\n")
            // Days below zero make one that has expired.
            try Tool.check(
                "openssl",
                [
                    "x509", "-req", "-in", "request", "-signkey", "key", "-days", "\(days)", "-extfile", "san", "-out",
                    "cert",
                ], directory: directory)
            try scratch.file("certs.d/0.0.0.0:\(port)/ca.crt", contents(scratch("cert")))
            let path = try #require(Tool.find("openssl"))
            let pipe = try Pipe()
            input = try pipe.writer.duplicate()
            let heard = try File.open(scratch("heard"), O_WRONLY | O_CREAT | O_APPEND, mode: 0o600)
            process = try ChildProcess(
                path,
                [
                    "s_server", "-accept", "127.0.0.1:\(port)", "-cert", "cert", "-key", "key", "-quiet", "-naccept",
                    "9",
                ],
                environment: Tool.baseEnvironment, directory: directory, input: .descriptor(pipe.reader.raw),
                output: .descriptor(heard.raw))
            let server = self.port
            _ = try Wait.until(seconds: 10) {
                try Tool.run("openssl", ["s_client", "-connect", "127.0.0.1:\(server)"]).status == 0
            }
        }

        deinit { _ = try? process.stop() }

        /// What came through TLS.
        var heard: String { String(decoding: contents(scratch("heard")), as: UTF8.self) }
    }

    private static func configuration(_ host: String) throws -> RegistryConfiguration {
        var configuration = RegistryConfiguration()
        configuration.retry = Fixture.fastRetries
        configuration.retry.retries = 0
        configuration.timeouts.slowPeriod = 1
        // Sent unasked once a challenge was answered; here nobody gets so far.
        configuration.credentials = try AuthTests.store(host, AuthTests.user)
        return configuration
    }

    private static func fetch(_ host: String, _ configuration: RegistryConfiguration) -> String {
        message { () throws(RegistryError) in
            let name = Reference(domain: host, path: "test/image", tag: "latest", digest: nil)
            _ = try RegistryClient(reference: name, configuration: configuration).manifest(.tag("latest"))
        }
    }

    @Test("P4: a port that speaks only plain http hears nothing") func plainPortHearsNothing() throws {
        let server = try FaultyRegistry { _, _ in GoodManifest.response() }
        // 0.0.0.0 connects to this machine without being one of its loopback addresses.
        let host = "0.0.0.0:\(server.port)"
        let error = ClearTextTests.fetch(host, try ClearTextTests.configuration(host))
        #expect(error.contains("seems to speak plain http, which is used for hosts in insecure-registries"), "\(error)")
        #expect(server.requests.isEmpty)
    }

    @Test(
        "P4: nothing is said under a certificate that is unknown, expired or another's",
        arguments: [
            (30, "IP:0.0.0.0", false, "certificate"), (-1, "IP:0.0.0.0", true, "has expired"),
            (30, "IP:127.0.0.2", true, "subject"),
        ]) func badCertificateHearsNothing(_ days: Int, _ name: String, _ isKnown: Bool, _ words: String) throws
    {
        let listener = try Listener(days: days, name: name)
        let host = "0.0.0.0:\(listener.port)"
        var configuration = try ClearTextTests.configuration(host)
        if isKnown { configuration.certificateDirectories = [listener.scratch("certs.d")] }
        let error = ClearTextTests.fetch(host, configuration)
        #expect(error.contains(words), "\(error)")
        #expect(listener.heard.isEmpty, "\(listener.heard)")
    }

    /// That the listener hears at all, and that a redirect's change of scheme leaves credentials behind.
    @Test("P3: a redirect to another scheme leaves credentials behind") func redirectToAnotherScheme() throws {
        let listener = try Listener(days: 30, name: "IP:127.0.0.1")
        let target = "https://127.0.0.1:\(listener.port)/x"
        let server = try FaultyRegistry { request, _ in
            request.header("Authorization") == nil
                ? .init(401, [("WWW-Authenticate", "Basic realm=\"x\"")])
                : .redirect(target)
        }
        var configuration = try ClearTextTests.configuration(server.host)
        configuration.insecureRegistries = ["127.0.0.1:\(listener.port)"]
        let error = ClearTextTests.fetch(server.host, configuration)
        #expect(error.contains("127.0.0.1:\(listener.port): less than"), "\(error)")
        #expect(server.requests.last?.header("Authorization") == AuthTests.userHeader)
        #expect(listener.heard.contains("GET /x HTTP/1.1"))
        #expect(!listener.heard.lowercased().contains("authorization"), "\(listener.heard)")
    }
}
