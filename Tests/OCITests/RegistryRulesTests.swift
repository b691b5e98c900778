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

    @Test func namesWithoutARegistryStandBelowTheDefault() throws {
        var rules = RegistryRules()
        #expect(rules.qualified("alpine") == "alpine")
        rules.defaultRegistry = .init(try NamePrefix(parsing: "corp.example:5000/hub"), origin: "test")
        for (name, full) in [
            ("alpine", "corp.example:5000/hub/alpine"), ("team/app:2", "corp.example:5000/hub/team/app:2"),
            ("docker.io/alpine", "docker.io/alpine"), ("localhost/a", "localhost/a"),
            ("other.example/a", "other.example/a"),
            ("ALPINE", "ALPINE"), ("", ""), ("a@b", "a@b"),
        ] {
            #expect(rules.qualified(name) == full)
        }
        // docker's own names are as ever where docker.io is the default.
        rules.defaultRegistry = .init(.hub, origin: "test")
        #expect(try Reference(parsing: rules.qualified("alpine")).canonical == "docker.io/library/alpine")
    }

    @Test func kubernetesImagesAreAskedElsewhere() throws {
        var rules = RegistryRules()
        rules.rewrites = try RegistryRules.imageRepository(NamePrefix(parsing: "m.example/google"), origin: "test")
        for (name, place) in [
            ("registry.k8s.io/pause:3.9", "m.example/google/pause:3.9"),
            ("k8s.gcr.io/etcd", "m.example/google/etcd"), ("gcr.io/google_containers/a", "m.example/google/a"),
            // kubeadm's renaming.
            ("registry.k8s.io/coredns/coredns:v1", "m.example/google/coredns:v1"),
            ("k8s.gcr.io/coredns:1.7.0", "m.example/google/coredns:1.7.0"),
            ("registry.k8s.io/ingress/controller", "m.example/google/ingress/controller"),
            ("gcr.io/other/a", "gcr.io/other/a"), ("alpine", "docker.io/library/alpine"),
        ] {
            #expect(try rules.place(of: Reference(parsing: name)).name.canonical == place)
        }
    }
}
