import Registry
import Testing

@Suite struct AddressTests {
    static let spellings: [(String, Bool, Bool, Bool)] = [
        // loopback, link-local, private
        ("127.0.0.1", true, false, false), ("127.1", true, false, false), ("2130706433", true, false, false),
        ("0x7f.0.0.1", true, false, false), ("0177.0.0.1", true, false, false), ("[::1]", true, false, false),
        ("[::ffff:127.0.0.1]", true, false, false), ("169.254.169.254", false, true, false),
        ("0xa9fea9fe", false, true, false), ("[fe80::1]", false, true, false),
        ("[::ffff:a9fe:a9fe]", false, true, false), ("[64:ff9b::a9fe:a9fe]", false, true, false),
        ("[fd00:ec2::254]", false, true, true), ("100.100.100.200", false, true, true),
        ("10.0.0.1", false, false, true),
        ("172.16.0.1", false, false, true), ("172.32.0.1", false, false, false), ("192.168.1.1", false, false, true),
        ("100.64.0.1", false, false, true), ("0.0.0.0", false, false, true), ("[::]", false, false, true),
        ("[fc00::1]", false, false, true), ("224.0.0.1", false, false, true), ("255.255.255.255", false, false, true),
        ("8.8.8.8", false, false, false), ("[2001:db8::1]", false, false, false),
    ]

    @Test("P1, P2: every spelling of a local address is known", arguments: spellings.indices) func classifies(
        _ row: Int
    ) throws {
        let (text, loopback, linkLocal, isPrivate) = AddressTests.spellings[row]
        let address = try #require(HostAddress(text))
        #expect(address.isLoopback == loopback, "\(text)")
        #expect(address.isLinkLocal == linkLocal, "\(text)")
        #expect(address.isPrivate == isPrivate, "\(text)")
    }

    @Test(arguments: ["", "example.com", "localhost", "1.2.3.4.5", "256.1.1.1", "[::1", "::g", "1.2.3.4 "])
    func isNoAddress(_ text: String) { #expect(HostAddress(text) == nil) }

    static let urls: [(String, String, String)] = [
        // text, host, what is printed
        ("https://Example.COM", "example.com", "https://Example.COM/"),
        ("https://example.com:8443/v2/?a=b&c=d", "example.com", "https://example.com:8443/v2/?a=REDACTED&c=REDACTED"),
        ("https://example.com/x?token", "example.com", "https://example.com/x?REDACTED"),
        ("http://[::1]:5000/", "[::1]", "http://[::1]:5000/"), ("http://127.1/", "127.0.0.1", "http://127.0.0.1/"),
        ("https://example.com/a/../b#frag", "example.com", "https://example.com/b"),
    ]

    @Test(arguments: urls.indices) func readsURL(_ row: Int) throws {
        let (text, host, printed) = AddressTests.urls[row]
        let url = try WebURL(parsing: text)
        #expect(url.host == host)
        #expect("\(url)".lowercased() == printed.lowercased())
    }

    @Test(
        "P2, P3: what is no http or https URL is refused",
        arguments: [
            "", "example.com", "ftp://example.com", "file:///etc/passwd", "https://user@example.com",
            "https://u:p@example.com",
            "https://ex ample.com", "https://１６９.254.169.254/", "http://[fe80::1%25eth0]/", "https://example.com:0/",
            "https://example.com:65536/", "https://a\r\nb/", "gopher://x/", "javascript:x",
        ]) func refusesURL(_ text: String)
    { #expect(throws: WebURL.Fault.self) { try WebURL(parsing: text) } }

    @Test func resolvesLocations() throws {
        let base = try WebURL(parsing: "https://example.com:8443/v2/a/blobs/x?y=z")
        #expect(try base.resolving("/other").text == "https://example.com:8443/other")
        #expect(try base.resolving("//evil.example/x").host == "evil.example")
        #expect(try base.resolving("sub").text == "https://example.com:8443/v2/a/blobs/sub")
        #expect(throws: WebURL.Fault.self) { try base.resolving("ftp://x/") }
        #expect(throws: WebURL.Fault.self) { try base.resolving("https://user:pass@example.com/") }
    }

    static let proxies: [([String: String], String, String?)] = [
        ([:], "https://a.example", nil),
        (["HTTPS_PROXY": "http://p:1"], "https://a.example", "http://p:1"),
        (["https_proxy": "http://q:1", "HTTPS_PROXY": "http://p:1"], "https://a.example", "http://q:1"),
        (["HTTPS_PROXY": "http://p:1"], "http://a.example", nil),
        (["http_proxy": "http://p:1"], "http://a.example", "http://p:1"),
        (["ALL_PROXY": "http://p:1"], "https://a.example", "http://p:1"),
        (["ALL_PROXY": "http://p:1"], "https://127.0.0.1:5000", nil),
        (["ALL_PROXY": "http://p:1"], "http://localhost:5000", nil),
        (["ALL_PROXY": "http://p:1", "NO_PROXY": "*"], "https://a.example", nil),
        (["ALL_PROXY": "http://p:1", "NO_PROXY": "b.example,.example"], "https://a.example", nil),
        (["ALL_PROXY": "http://p:1", "NO_PROXY": "example"], "https://a.example", nil),
        (["ALL_PROXY": "http://p:1", "NO_PROXY": "ample"], "https://a.example", "http://p:1"),
        (["ALL_PROXY": "http://p:1", "NO_PROXY": "10.0.0.0/8"], "https://10.2.3.4", nil),
        (["ALL_PROXY": "http://p:1", "NO_PROXY": "10.0.0.0/8"], "https://11.2.3.4", "http://p:1"),
        (["ALL_PROXY": "http://p:1", "no_proxy": "a.example:8443"], "https://a.example:8443", nil),
        (["ALL_PROXY": "http://p:1", "no_proxy": "a.example:8443"], "https://a.example", "http://p:1"),
    ]

    @Test(arguments: proxies.indices) func choosesProxy(_ row: Int) throws {
        let (environment, url, expected) = AddressTests.proxies[row]
        #expect(try ProxySettings(environment: environment).proxy(for: WebURL(parsing: url)) == expected)
    }
}
