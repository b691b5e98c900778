import OCI
import Registry
import Sys
import TestSupport
import Testing

@Suite struct ResolverTests {
    static func endpoints(
        _ name: String, mirrors: [String] = [], insecure: [String] = []
    ) throws -> [Endpoint] {
        var configuration = RegistryConfiguration()
        configuration.rules = .hubMirrors(mirrors)
        configuration.insecureRegistries = insecure
        return try Resolver.endpoints(for: Reference(parsing: name), configuration: configuration)
    }

    @Test func hub() throws {
        let all = try ResolverTests.endpoints("alpine")
        #expect(
            all == [
                Endpoint(
                    role: .registry, host: "registry-1.docker.io", port: nil, repository: "library/alpine",
                    schemes: [.https], trust: .verified)
            ])
    }

    @Test func mirrorsComeFirstAndOnlyForTheHub() throws {
        let mirrors = ["https://One.example:8443/", "http://127.0.0.1:5000", "https://two.example"]
        let all = try ResolverTests.endpoints("user/name:1", mirrors: mirrors)
        #expect(all.map(\.name) == ["one.example:8443", "127.0.0.1:5000", "two.example", "registry-1.docker.io"])
        #expect(all.map(\.role) == [.mirror, .mirror, .mirror, .registry])
        #expect(all.map(\.schemes) == [[.https], [.http], [.https], [.https]])
        #expect(all.allSatisfy { $0.repository == "user/name" })
        #expect(try ResolverTests.endpoints("quay.io/user/name", mirrors: mirrors).map(\.name) == ["quay.io"])
    }

    static let hosts: [(String, [String], [WebURL.Scheme], Endpoint.Trust)] = [
        ("example.com/a", [], [.https], .verified),
        ("10.1.2.3:5000/a", [], [.https], .verified),
        ("127.0.0.1:5000/a", [], [.https, .http], .verifiedIfKnown),
        ("127.8.9.1/a", [], [.https, .http], .verifiedIfKnown),
        ("localhost/a", [], [.https, .http], .verifiedIfKnown),
        ("localhost:5000/a", [], [.https, .http], .verifiedIfKnown),
        ("[::1]:5000/a", [], [.https, .http], .verifiedIfKnown),
        ("[::2]:5000/a", [], [.https], .verified),
        ("localhost.example.com/a", [], [.https], .verified),
        ("128.0.0.1/a", [], [.https], .verified),
        ("example.com:5000/a", ["example.com:5000"], [.https, .http], .anyCertificate),
        ("EXAMPLE.com:5000/a", ["http://example.com:5000/"], [.https, .http], .anyCertificate),
        ("example.com:5000/a", ["example.com"], [.https], .verified),
        ("example.com/a", ["example.com:5000"], [.https], .verified),
        ("sub.example.com/a", ["example.com"], [.https], .verified),
        ("10.1.2.3:5000/a", ["10.0.0.0/8"], [.https, .http], .anyCertificate),
        ("11.1.2.3:5000/a", ["10.0.0.0/8"], [.https], .verified),
        ("[fd00::7]:5000/a", ["fd00::/8"], [.https, .http], .anyCertificate),
        ("10.1.2.3/a", ["10.0.0.0/33", "10.1.2.3/"], [.https, .http], .anyCertificate),
    ]

    @Test("P4: plain http is for local and listed hosts", arguments: hosts.indices)
    func plainHTTPIsForLocalAndListedHosts(_ row: Int) throws {
        let (name, insecure, schemes, trust) = ResolverTests.hosts[row]
        let all = try ResolverTests.endpoints(name, insecure: insecure)
        #expect(all.map(\.schemes) == [schemes])
        #expect(all.map(\.trust) == [trust])
    }

    static let mirrors: [(String, String)] = [
        ("http://mirror.example", "plain http is only for this machine; use https, or list mirror.example in insecure"),
        ("http://mirror.example:5000", "list mirror.example:5000 in insecure-registries"),
        ("mirror.example", "invalid registry mirror"),
        ("ftp://mirror.example", "invalid registry mirror"),
        ("https://mirror.example/path", "must end behind the host and port"),
        ("https://mirror.example?x=secret", "must end behind the host and port"),
        ("https://mirror.example/#x", "must end behind the host and port"),
        ("https://user:secret@mirror.example", "invalid registry mirror"),
        ("https://", "invalid registry mirror"),
        ("", "invalid registry mirror"),
        ("https://mirror.example:99999", "invalid registry mirror"),
        ("“https://mirror.example”", "invalid registry mirror"),
    ]

    @Test(arguments: mirrors) func refusesMirror(_ mirror: String, _ words: String) {
        let error = message { () throws(RegistryError) in
            var configuration = RegistryConfiguration()
            configuration.rules = .hubMirrors([mirror])
            let name = Reference(domain: "docker.io", path: "library/a", tag: nil, digest: nil)
            _ = try Resolver.endpoints(for: name, configuration: configuration)
        }
        #expect(error.contains(words), "\(error)")
        #expect(!error.contains("secret"))
    }

    @Test func listedMirrorMayBePlain() throws {
        let all = try ResolverTests.endpoints("a", mirrors: ["http://m.example:80"], insecure: ["m.example"])
        #expect(all[0].schemes == [.http])
        #expect(all[0].name == "m.example")
    }

    @Test func explanationsAreInTheOrderOfAsking() throws {
        var configuration = RegistryConfiguration()
        configuration.rules = .hubMirrors(["https://a.example", "https://b.example"])
        let until = Clock.bootNanoseconds + EndpointHealth.lifetime / 2
        configuration.health = EndpointHealth(["a.example": .init(until: until, reason: "it was dead")])
        let places = try Resolver.explain(Reference(parsing: "alpine"), configuration: configuration)
        let hosts = places.map { $0.url.split(separator: "/").dropFirst().first ?? "" }
        #expect(hosts == ["b.example", "registry-1.docker.io", "a.example"])
        #expect(places[2].rules.contains { $0.hasPrefix("asked last for ") && $0.hasSuffix(" s more: it was dead") })
    }
}
