import OCI
import Registry
import Sys
import TestSupport
import Testing

/// What the command line says of one command's registry.
@Suite struct AccessTests {
    private static func configuration(_ access: RegistryAccess, _ name: String) throws -> RegistryConfiguration {
        var configuration = RegistryConfiguration(environment: ["https_proxy": "http://p.example", "no_proxy": "*"])
        configuration.rules = .hubMirrors(["https://mirror.example"])
        try configuration.apply(access, to: Reference(parsing: name))
        return configuration
    }

    @Test("P12: a command's credentials are for its registry only", arguments: ["a", "h.example:5000/a"])
    func credentialsAreForTheRegistryOnly(_ name: String) throws {
        var access = RegistryAccess()
        access.credentials = .password(user: "me", password: "x")
        let configuration = try Self.configuration(access, name)
        func found(_ name: String) throws -> [Credential?] {
            try Resolver.endpoints(for: Reference(parsing: name), configuration: configuration).map {
                configuration.credentials.credential(for: $0, environment: [:]) { _ in }
            }
        }
        let own = Credential.password(user: "me", password: "x")
        #expect(try found(name) == (name == "a" ? [nil, own] : [own]))
        for other in ["h.example/a", "h.example:5001/a", "x.h.example:5000/a", "b.example/a"] {
            #expect(try found(other) == [nil], "\(other)")
        }
    }

    @Test func theCommandsProxyComesFirst() throws {
        var access = RegistryAccess()
        let url = try WebURL(parsing: "https://h.example/")
        #expect(try Self.configuration(access, "a").proxies.proxy(for: url) == nil)
        access.proxy = "http://own.example:3128"
        #expect(try Self.configuration(access, "a").proxies.proxy(for: url) == "http://own.example:3128")
        #expect(try Self.configuration(access, "a").proxies.ports == [3128])
        #expect(try Self.configuration(access, "a").proxies.proxy(for: WebURL(parsing: "http://127.0.0.1/")) == nil)
        access.proxy = ""
        #expect(try Self.configuration(access, "a").proxies.ports.isEmpty)
    }

    /// Two downloads at once share the rate; that it is not undercut can be told, however slow the machine is.
    @Test func downloadsShareARate() throws {
        let blobs = [Blob(150_000), Blob(150_001)]
        let fixture = try Fixture(configure: { $0.bytesPerSecond = 200_000 }) { request, _ in
            .blob(blobs.first { request.path == $0.path }?.bytes ?? [], for: request)
        }
        let start = Clock.monotonicNanoseconds
        let threads = try blobs.enumerated().map { index, blob in
            let path = try fixture.scratch.file("blob\(index)", [])
            return Background { (try? fixture.client.download(blob.descriptor, toFile: path)) != nil }
        }
        #expect(threads.map(\.value) == [true, true])
        // 300,001 bytes at 200,000 a second, of which a quarter of a second's may come at once.
        #expect(Clock.monotonicNanoseconds - start > 1_200_000_000)
        for (index, blob) in blobs.enumerated() {
            #expect(try File.readAll(fixture.scratch("blob\(index)")) == blob.bytes)
        }
    }
}
