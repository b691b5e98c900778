import OCI
import Registry
import TestSupport
import Testing

/// Questions about a whole registry.
@Suite struct SearchTests {
    typealias Response = FaultyRegistry.Response

    static func client(
        _ server: FaultyRegistry, credentials: CredentialStore = CredentialStore()
    ) throws -> RegistryClient {
        var configuration = RegistryConfiguration()
        configuration.retry = Fixture.fastRetries
        configuration.credentials = credentials
        return try RegistryClient(
            reference: .registry(server.host), configuration: configuration, scope: "registry:catalog:*")
    }

    @Test func dockersSearchIsAskedFirst() throws {
        let server = try FaultyRegistry { _, _ in
            Response(
                200,
                text: """
                    {"num_results":2,"results":[{"name":"nginx","description":"Web","star_count":12,"is_official":true,
                     "is_automated":false,"is_trusted":false},{"name":"a/nginx","description":null,"star_count":3}]}
                    """)
        }
        let found = try SearchTests.client(server).search("ngi&nx", limit: 7)
        #expect(found.map(\.name) == ["nginx", "a/nginx"])
        #expect(found[0].isOfficial && found[0].stars == 12 && found[0].description == "Web")
        #expect(!found[1].isOfficial && found[1].description.isEmpty)
        #expect(server.requests.map(\.target) == ["/v1/search?q=ngi%26nx&n=7"])
    }

    @Test func elseTheCatalogInPages() throws {
        let server = try FaultyRegistry { request, count in
            guard request.path == "/v2/_catalog" else { return Response(404, text: "<html>no</html>") }
            let names = count == 0 ? #""app/one","base""# : #""other","the-app""#
            return Response(
                200, count == 0 ? [("Link", "</v2/_catalog?last=base&n=2>; rel=\"next\"")] : [],
                text: #"{"repositories":[\#(names)]}"#)
        }
        #expect(try SearchTests.client(server).search("app", limit: 25).map(\.name) == ["app/one", "the-app"])
        #expect(server.requests.last?.target == "/v2/_catalog?n=1000&last=base")
        #expect(try SearchTests.client(server).search("", limit: 1).map(\.name) == ["other"])
    }

    /// A token for the catalog is asked for by its own scope.
    @Test func theCatalogHasItsOwnScope() throws {
        let server = try FaultyRegistry { request, _ in
            if request.path == "/token" { return Response(200, text: #"{"token":"t"}"#) }
            guard request.header("Authorization") == "Bearer t" else {
                return AuthTests.challenge("http://\(request.header("Host") ?? "")/token")
            }
            return request.path == "/v2/_catalog" ? Response(200, text: #"{"repositories":["a"]}"#) : Response(404)
        }
        #expect(try SearchTests.client(server).search("a", limit: 25).map(\.name) == ["a"])
        #expect(
            server.requests(to: "/token").allSatisfy {
                $0.target.lowercased().contains("scope=registry%3acatalog%3a%2a")
            })
    }

    @Test(arguments: ["", "{", #"{"results":3}"#, #"{"results":[{"star_count":1}]}"#, "[]"])
    func aBrokenAnswerIsRefused(_ text: String) throws {
        let server = try FaultyRegistry { _, _ in Response(200, text: text) }
        let client = try SearchTests.client(server)
        let error = message { () throws(RegistryError) in _ = try client.search("a", limit: 25) }
        #expect(error.contains("the list of repositories: "), "\(error)")
    }

    @Test("P8: a search without end stops at its limits") func endlessSearchStops() throws {
        let one = try FaultyRegistry { _, _ in LimitTests.endless() }
        let client = try SearchTests.client(one)
        let error = message { () throws(RegistryError) in _ = try client.search("a", limit: 25) }
        #expect(error.contains("more than 4194304 bytes, the limit"), "\(error)")
        let pages = try FaultyRegistry { request, count in
            request.path == "/v2/_catalog"
                ? Response(200, [("Link", "<x>; rel=\"next\"")], text: #"{"repositories":["b\#(count)"]}"#)
                : Response(404)
        }
        #expect(try SearchTests.client(pages).search("a", limit: 25).isEmpty)
        #expect(pages.requests(to: "/v2/_catalog").count == 100)
    }

    /// docker.io's search is at a host of its own, and a mirror of its images is no place to search.
    @Test func whereTheHubIsSearched() throws {
        var configuration = RegistryConfiguration()
        configuration.rules = .hubMirrors(["https://mirror.example"])
        configuration.insecureRegistries = [Resolver.hubSearchHost, Resolver.hubHost]
        for (host, name) in [("docker.io", Resolver.hubHost), (Resolver.hubSearchHost, Resolver.hubSearchHost)] {
            let places = try Resolver.endpoints(for: .registry(host), configuration: configuration)
            #expect(places.map(\.name) == [name] && places[0].schemes == [.https] && places[0].trust == .verified)
        }
        configuration.rules.rewrites = [
            .init(.hub, to: try NamePrefix(parsing: "lab.example:5000/hub"), origin: "test"),
            .init(try NamePrefix(parsing: "quay.io/team"), to: try NamePrefix(parsing: "lab.example"), origin: "test"),
        ]
        #expect(try Resolver.place(of: .registry("docker.io"), configuration.rules).0 == .registry("lab.example:5000"))
        #expect(try Resolver.place(of: .registry("quay.io"), configuration.rules).0 == .registry("quay.io"))
    }
}
