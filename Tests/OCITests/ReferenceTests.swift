import OCI
import Testing

@Suite struct ReferenceTests {
    static let hex = String(repeating: "f", count: 64)
    static let identifier = "1a3f5e7d9c1b3a5f7e9d1c3b5a7f9e1d3c5b7a9f1e3d5d7c9b1a3f5e7d9c1b3a"

    struct Good: Sendable, CustomTestStringConvertible {
        let text: String
        let domain: String
        let path: String
        var tag: String?
        var digest: String?

        init(_ text: String, _ domain: String, _ path: String, tag: String? = nil, digest: String? = nil) {
            self.text = text
            self.domain = domain
            self.path = path
            self.tag = tag
            self.digest = digest
        }

        var testDescription: String { text }
    }

    static let good = [
        Good("ubuntu", "docker.io", "library/ubuntu"),
        Good("ubuntu:16.04", "docker.io", "library/ubuntu", tag: "16.04"),
        Good("user/name", "docker.io", "user/name"),
        Good("docker.io/ubuntu", "docker.io", "library/ubuntu"),
        Good("docker.io/library/ubuntu:18", "docker.io", "library/ubuntu", tag: "18"),
        Good("index.docker.io/ubuntu", "docker.io", "library/ubuntu"),
        Good("index.docker.io/a/b", "docker.io", "a/b"),
        Good("docker.io/a.b/c", "docker.io", "a.b/c"),
        Good("docker.io/localhost/c", "docker.io", "localhost/c"),
        Good("docker.io/library/foo/bar", "docker.io", "library/foo/bar"),
        Good("localhost/a", "localhost", "a"),
        Good("localhost:5000", "docker.io", "library/localhost", tag: "5000"),
        Good("localhost:5000/a/b:tag", "localhost:5000", "a/b", tag: "tag"),
        Good("test.com:tag", "docker.io", "library/test.com", tag: "tag"),
        Good("test.com/repo:tag", "test.com", "repo", tag: "tag"),
        Good("test:5000/repo", "test:5000", "repo"),
        Good("test_com/foo", "docker.io", "test_com/foo"),
        Good("foo_bar.com:8080", "docker.io", "library/foo_bar.com", tag: "8080"),
        Good("foo/foo_bar.com:8080", "docker.io", "foo/foo_bar.com", tag: "8080"),
        Good("192.168.1.1", "docker.io", "library/192.168.1.1"),
        Good("192.168.1.1:5000/repo:5050", "192.168.1.1:5000", "repo", tag: "5050"),
        Good("[::1]:5000/a", "[::1]:5000", "a"),
        Good("[2001:db8::1]/repo", "[2001:db8::1]", "repo"),
        Good("[fc00:1:2:3:4:5:6:7]:5000/library/debian", "[fc00:1:2:3:4:5:6:7]:5000", "library/debian"),
        Good("Registry.Example.COM/a", "Registry.Example.COM", "a"),
        Good("xn--n3h.com/myimage:xn--n3h.com", "xn--n3h.com", "myimage", tag: "xn--n3h.com"),
        Good(
            "b.gcr.io/test.example.com/my-app:test.example.com", "b.gcr.io", "test.example.com/my-app",
            tag: "test.example.com"),
        Good("docker---rules/docker", "docker.io", "docker---rules/docker"),
        Good("dock__er/docker", "docker.io", "dock__er/docker"),
        Good("lowercase:Upper_Case.1-2", "docker.io", "library/lowercase", tag: "Upper_Case.1-2"),
        Good("d/t", "docker.io", "d/t"),
        Good(
            "thisisthesongthatneverendsitgoesonandonandonthisisthesongthatnev", "docker.io",
            "library/thisisthesongthatneverendsitgoesonandonandonthisisthesongthatnev"),
        Good("docker.io/\(identifier)", "docker.io", "library/\(identifier)"),
        Good("name@sha256:\(hex)", "docker.io", "library/name", digest: "sha256:\(hex)"),
        Good("name:tag@sha256:\(hex)", "docker.io", "library/name", tag: "tag", digest: "sha256:\(hex)"),
        Good("h:1/n:t@sha512:\(hex)\(hex)", "h:1", "n", tag: "t", digest: "sha512:\(hex)\(hex)"),
        Good(
            String(repeating: "a/", count: 127) + "a:tag-puts-this-over-max", "docker.io",
            String(repeating: "a/", count: 127) + "a", tag: "tag-puts-this-over-max"),
        Good(
            "a:" + String(repeating: "t", count: 128), "docker.io", "library/a", tag: String(repeating: "t", count: 128)
        ),
    ]

    @Test(arguments: good) func reads(_ name: Good) throws {
        let reference = try Reference(parsing: name.text)
        #expect(reference.domain == name.domain)
        #expect(reference.path == name.path)
        #expect(reference.tag == name.tag)
        #expect(reference.digest?.description == name.digest)
        // What is printed is read as the same again, in both forms.
        #expect(try Reference(parsing: reference.canonical) == reference)
        #expect(try Reference(parsing: reference.familiar) == reference)
    }

    @Test func fillsInLatestOnlyWhereNothingIsSaid() throws {
        #expect(try Reference(parsing: "a").tagged.tag == "latest")
        #expect(try Reference(parsing: "a:b").tagged.tag == "b")
        #expect(try Reference(parsing: "a@sha256:\(ReferenceTests.hex)").tagged.tag == nil)
    }

    static let bad: [(String, String)] = [
        ("", "the name is empty"),
        (":justtag", "a letter or digit of a repository at position 1"),
        ("@sha256:\(hex)", "at position 1"),
        ("repo@sha256:ffffffffffffffffffffffffffffffffff", "full length"),
        ("repo@sha256:\(hex.uppercased())", "lower-case hexadecimal"),
        ("repo@sha1:\(hex.prefix(40))", "algorithm is not sha256 or sha512"),
        ("repo@invaliddigest:\(hex)", "algorithm is not sha256 or sha512"),
        ("repo@", "no ':' between"),
        ("repo@sha256:../../../etc/passwd", "lower-case hexadecimal"),
        ("Uppercase:tag", "repository name (Uppercase) must be lowercase"),
        ("docker/Docker", "repository name (docker/Docker) must be lowercase"),
        ("Docker/docker", "repository name (Docker/docker) must be lowercase"),
        ("test:5000/Uppercase/lowercase:tag", "repository name (Uppercase/lowercase) must be lowercase"),
        (String(repeating: "a/", count: 128) + "a:tag", "at most 255 characters"),
        ("a:" + String(repeating: "t", count: 129), "at most 128 characters"),
        ("aa/asdf$$^/aa", "character \"$\" at position 8"),
        ("[2001:db8::1]", "character \"[\" at position 1"),
        ("[2001:db8::1]:5000", "character \"[\" at position 1"),
        ("[fe80::1%eth0]:5000/repo", "character \"%\" at position 9"),
        ("[2001:db8:3:4::192.0.2.33]:5000/debian", "character \".\" at position 19"),
        ("[]/a", "character \"]\" at position 2"),
        ("[::1/a", "position 5"),
        ("[::1]x/a", "character \"x\" at position 6"),
        ("fc00::1:5000/debian", "character \":\" at position 6"),
        ("https://github.com/docker/docker", "position 7"),
        ("-docker", "character \"-\" at position 1"),
        ("-docker.io/docker/docker", "character \"-\" at position 1"),
        ("docker///docker", "character \"/\" at position 8"),
        ("docker.io/docker///docker", "character \"/\" at position 18"),
        ("docker-/docker", "character \"/\" at position 8"),
        ("____/____", "character \"_\" at position 1"),
        ("dock..er/docker", "position 6"),
        ("a/dock..er", "character \".\" at position 8"),
        ("a/dock_.er", "character \".\" at position 8"),
        ("a/dock___er", "character \"_\" at position 9"),
        ("docker/", "position 8"),
        ("docker.io/", "position 11"),
        ("a/b-", "position 5"),
        ("a:", "a letter or digit of a tag at position 3"),
        ("a:-b", "character \"-\" at position 3"),
        ("a:.b", "character \".\" at position 3"),
        ("a:b/c", "character \"b\" at position 3"),
        ("a/b:c/d", "character \"/\" at position 6"),
        ("a:b:c", "character \":\" at position 4"),
        ("a b", "character \" \" at position 2"),
        ("a\nb", "character \"U+000A\" at position 2"),
        ("é/a", "character \"é\" at position 1"),
        ("aé", "character \"é\" at position 2"),
        ("éa:!", "position 1"),
        ("foo_bar.com/a", "character \"_\" at position 4"),
        ("h:0/a", "port \"0\""),
        ("h:65536/a", "port \"65536\""),
        ("h:99999999999999999999/a", "port \"99999999999999999999\""),
        ("h:/a", "position 3"),
        ("a./b", "position 3"),
        ("../b", "character \".\" at position 1"),
        (identifier, "cannot specify 64-byte hexadecimal strings"),
        ("ubuntu:@sha256:\(hex)", "did you mean \"ubuntu@sha256:\(hex)\"?"),
        ("\u{1b}[31mx", "U+001B"),
    ]

    @Test("P7: names and digests that are none, and where they end to be", arguments: bad) func refuses(
        _ text: String, _ message: String
    ) throws {
        let error = try #require(throws: ReferenceError.self) { _ = try Reference(parsing: text) }
        let words = "\(error)"
        #expect(words.contains(message), "\(words)")
        #expect(words.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7f })
    }

    @Test func tags() {
        #expect(Reference.isTag("latest"))
        #expect(Reference.isTag("_1.2-3"))
        #expect(!Reference.isTag(""))
        #expect(!Reference.isTag("../x"))
        #expect(!Reference.isTag(".x"))
        #expect(!Reference.isTag("a b"))
        #expect(!Reference.isTag("a\u{1b}"))
    }
}
