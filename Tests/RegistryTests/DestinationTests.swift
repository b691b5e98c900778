import Testing

@testable import Registry

/// Where a registry may send us: pure tables, no connection is made.
@Suite struct DestinationTests {
    static let realms: [(String, String, [String], String)] = [
        // registry, realm, insecure, refusal ("" is allowed)
        ("https://r.example", "https://auth.example/token", [], ""),
        ("https://r.example", "https://r.example/token", [], ""),
        ("https://r.example", "http://r.example/token", [], "plain http for a registry on https"),
        ("https://r.example", "http://auth.example/token", [], "plain http"),
        ("https://r.example", "https://127.0.0.1/token", [], "to this machine"),
        ("https://r.example", "https://localhost/token", [], "to this machine"),
        ("https://r.example", "https://169.254.169.254/latest", [], "link-local"),
        ("https://r.example", "https://[fe80::1]/", [], "link-local"),
        ("https://r.example", "https://2852039166/", [], "link-local"),
        ("https://r.example", "https://[::ffff:169.254.169.254]/", [], "link-local"),
        ("https://r.example", "https://10.0.0.1/token", [], "a private address"),
        ("https://r.example", "https://192.168.0.1:8443/token", [], "a private address"),
        ("https://r.example", "https://0.0.0.0/token", [], "to this machine"),
        ("https://10.0.0.1:5000", "https://10.0.0.1:5001/token", [], ""),
        ("https://10.0.0.1:5000", "https://10.0.0.2:5001/token", [], "a private address"),
        ("http://127.0.0.1:5000", "http://127.0.0.1:5001/token", [], ""),
        ("http://127.0.0.1:5000", "http://localhost:5001/token", [], ""),
        ("http://127.0.0.1:5000", "http://auth.example/token", [], "plain http"),
        ("http://127.0.0.1:5000", "https://auth.example/token", [], ""),
        ("http://127.0.0.1:5000", "http://169.254.169.254/latest", [], "plain http"),
        ("http://r.example:5000", "http://r.example:5000/token", ["r.example:5000"], ""),
        ("http://r.example:5000", "http://r.example:5001/token", ["r.example:5000"], "plain http"),
        ("http://r.example:5000", "http://auth.example/token", ["r.example:5000", "auth.example"], ""),
    ]

    @Test("P2: where a realm may be", arguments: realms.indices) func judgesRealm(_ row: Int) throws {
        let (registry, realm, insecure, refusal) = DestinationTests.realms[row]
        let policy = DestinationPolicy(origin: try WebURL(parsing: registry), insecure: InsecureHosts(insecure))
        try expect(refusal) { () throws(Fault) in try policy.check(realm: try url(realm)) }
    }

    static let redirects: [(String, String, [String], String)] = [
        ("https://r.example", "https://cdn.example/x", [], ""),
        ("https://r.example", "https://r.example:8443/x", [], ""),
        ("https://r.example", "http://r.example/x", [], "from https to plain http"),
        ("https://r.example", "http://127.0.0.1/x", [], "from https to plain http"),
        ("https://r.example", "https://127.0.0.1/x", [], "to this machine"),
        ("https://r.example", "https://169.254.169.254/x", [], "link-local"),
        ("https://r.example", "https://100.100.100.200/x", [], "link-local"),
        ("https://r.example", "https://0.0.0.0/x", [], "to this machine"),
        ("https://r.example", "https://[::]/x", [], "to this machine"),
        ("https://r.example", "https://10.0.0.1/x", [], ""),
        ("http://127.0.0.1:5000", "http://127.0.0.1:5001/x", [], ""),
        ("http://127.0.0.1:5000", "http://cdn.example/x", [], "plain http"),
        ("http://127.0.0.1:5000", "http://cdn.example/x", ["cdn.example"], ""),
        ("http://127.0.0.1:5000", "http://169.254.169.254/x", [], "plain http"),
        ("http://127.0.0.1:5000", "https://169.254.169.254/x", [], "link-local"),
    ]

    @Test("P1, P3: where a redirect may lead", arguments: redirects.indices) func judgesRedirect(_ row: Int) throws {
        let (registry, target, insecure, refusal) = DestinationTests.redirects[row]
        let origin = try WebURL(parsing: registry)
        let policy = DestinationPolicy(origin: origin, insecure: InsecureHosts(insecure))
        try expect(refusal) { () throws(Fault) in try policy.check(redirect: try url(target), from: origin) }
    }

    @Test("P1, P3: addresses that names turn out to have") func judgesAddressesThatNamesTurnOutToHave() throws {
        let other = try WebURL(parsing: "https://cdn.example/x")
        let publicPolicy = DestinationPolicy(
            origin: try WebURL(parsing: "https://r.example"), insecure: InsecureHosts([]))
        #expect(publicPolicy.allows(connected: "93.184.216.34", for: other))
        #expect(publicPolicy.allows(connected: "10.0.0.1", for: other))
        #expect(!publicPolicy.allows(connected: "169.254.169.254", for: other))
        #expect(!publicPolicy.allows(connected: "fe80::1", for: other))
        #expect(!publicPolicy.allows(connected: "127.0.0.1", for: other))
        #expect(!publicPolicy.allows(connected: "::1", for: other))
        let own = try WebURL(parsing: "https://r.example/x")
        #expect(publicPolicy.allows(connected: "127.0.0.1", for: own))
    }

    private func url(_ text: String) throws(Fault) -> WebURL {
        do throws(WebURL.Fault) {
            return try WebURL(parsing: text)
        } catch {
            throw .refused(error.reason)
        }
    }

    private func expect(_ refusal: String, _ body: () throws(Fault) -> Void) throws {
        if refusal.isEmpty {
            try body()
        } else {
            let fault = try #require(throws: Fault.self) { try body() }
            #expect("\(fault)".contains(refusal), "\(fault)")
        }
    }
}
