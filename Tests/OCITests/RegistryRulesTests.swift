import OCI
import Testing

@Suite struct RegistryRulesTests {
    private static func place(_ name: String, _ rules: [(String, String)]) throws -> String {
        var all = RegistryRules()
        for (prefix, target) in rules {
            all.rewrites.append(
                .init(try NamePrefix(parsing: prefix), to: try NamePrefix(parsing: target), origin: prefix))
        }
        return try all.place(of: try Reference(parsing: name).tagged).name.canonical
    }

    static let rewritten: [(String, [(String, String)], String)] = [
        ("xxx.com/a/b:1", [("xxx.com", "yyy.com")], "yyy.com/a/b:1"),
        ("xxx.com/a/b:1", [("xxx.com", "yyy.com:5000/c/d")], "yyy.com:5000/c/d/a/b:1"),
        ("xxx.com/a/b:1", [("xxx.com/a", "yyy.com/c")], "yyy.com/c/b:1"),
        ("xxx.com/a/b:1", [("xxx.com/a/b", "yyy.com/c")], "yyy.com/c:1"),
        // At boundaries only.
        ("xxx.com/a/b:1", [("xxx.com/a/", "yyy.com")], "refused"),
        ("xxx.com/ab/c", [("xxx.com/a", "yyy.com")], "xxx.com/ab/c:latest"),
        ("xxx.com.evil.org/a", [("xxx.com", "yyy.com")], "xxx.com.evil.org/a:latest"),
        ("xxx.com:5000/a", [("xxx.com", "yyy.com")], "xxx.com:5000/a:latest"),
        // The longest wins, then the first; once.
        ("xxx.com/a/b", [("xxx.com", "one.com"), ("xxx.com/a", "two.com")], "two.com/b:latest"),
        ("xxx.com/a/b", [("xxx.com", "one.com"), ("xxx.com", "two.com")], "one.com/a/b:latest"),
        ("xxx.com/a", [("xxx.com", "yyy.com"), ("yyy.com", "zzz.com")], "yyy.com/a:latest"),
        ("xxx.com/a", [("xxx.com/a", "yyy.com")], "refused"),
        // Docker Hub, by all its names.
        ("alpine", [("docker.io", "m.corp/hub")], "m.corp/hub/library/alpine:latest"),
        ("alpine", [("index.docker.io", "m.corp/hub")], "m.corp/hub/library/alpine:latest"),
        ("alpine:3", [("docker.io/library", "m.corp")], "m.corp/alpine:3"),
        ("user/x", [("docker.io/library", "m.corp")], "docker.io/user/x:latest"),
        ("quay.io/x", [("quay.io", "docker.io/corp")], "docker.io/corp/x:latest"),
        ("localhost/x", [("localhost", "127.0.0.1:5000")], "127.0.0.1:5000/x:latest"),
    ]

    @Test(arguments: rewritten.indices) func rewrites(_ row: Int) throws {
        let (name, rules, expected) = Self.rewritten[row]
        let found = (try? Self.place(name, rules)) ?? "refused"
        #expect(found == expected)
    }

    @Test func aDigestStays() throws {
        let digest = "sha256:" + String(repeating: "a", count: 64)
        let found = try Self.place("alpine:3@\(digest)", [("docker.io", "m.corp")])
        #expect(found == "m.corp/library/alpine:3@\(digest)")
    }

    @Test(arguments: [
        "", "alpine", "library/alpine", "x.com/A", "x.com/a:1", "x.com//a", "x.com:x", "https://x.com", "x.com/",
    ])
    func whatIsNoPrefix(_ text: String) {
        #expect(throws: NamePrefix.Fault.self) { try NamePrefix(parsing: text) }
    }
}
