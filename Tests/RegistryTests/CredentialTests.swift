import OCI
import Registry
import TestSupport
import Testing

@Suite struct CredentialTests {
    static func endpoint(_ name: String) throws -> Endpoint {
        try #require(
            Resolver.endpoints(for: Reference(parsing: name), configuration: RegistryConfiguration()).last)
    }

    static func lookUp(
        _ json: String, _ name: String, environment: [String: String] = [:]
    ) throws -> (Credential?, warnings: [String]) {
        let store = try CredentialStore(json: Array(json.utf8), origin: "config.json")
        var warnings: [String] = []
        let credential = store.credential(for: try endpoint(name), environment: environment) { warnings.append($0) }
        return (credential, warnings)
    }

    static let auth = "dXNlcjpwYTpzcw=="  // user:pa:ss
    static let found = Credential.password(user: "user", password: "pa:ss")

    static let lookups: [(String, String, Credential?)] = [
        (#"{"auths":{"h:5000":{"auth":"\#(auth)"}}}"#, "h:5000/a", found),
        (#"{"auths":{"https://h:5000/v1/":{"auth":"\#(auth)"}}}"#, "h:5000/a", found),
        (#"{"auths":{"http://h:5000":{"auth":"\#(auth)"}}}"#, "h:5000/a", found),
        (#"{"auths":{"https://index.docker.io/v1/":{"auth":"\#(auth)"}}}"#, "a", found),
        (#"{"auths":{"docker.io":{"auth":"\#(auth)"}}}"#, "a", found),
        (#"{"auths":{"registry-1.docker.io":{"auth":"\#(auth)"}}}"#, "a", found),
        (#"{"auths":{"h.example":{"username":"user","password":"pa:ss"}}}"#, "h.example/a", found),
        (#"{"auths":{"h.example":{"auth":"\#(auth)","identitytoken":"t"}}}"#, "h.example/a", .identityToken("t")),
        (#"{"auths":{"h.example":{"registrytoken":"t"}}}"#, "h.example/a", .registryToken("t")),
        // Only the exact host and port.
        (#"{"auths":{"h":{"auth":"\#(auth)"}}}"#, "h:5000/a", nil),
        (#"{"auths":{"h.example:5000":{"auth":"\#(auth)"}}}"#, "h.example/a", nil),
        (#"{"auths":{"example.com":{"auth":"\#(auth)"}}}"#, "a.example.com/a", nil),
        (#"{"auths":{"a.example.com":{"auth":"\#(auth)"}}}"#, "example.com/a", nil),
        (#"{"auths":{"example.com.evil.example":{"auth":"\#(auth)"}}}"#, "example.com/a", nil),
        (#"{"auths":{"example.com":{"auth":"\#(auth)"}}}"#, "example.com.evil.example/a", nil),
        (#"{"auths":{"https://evil.example/example.com":{"auth":"\#(auth)"}}}"#, "example.com/a", nil),
        (#"{"auths":{"https://index.docker.io/v1/":{"auth":"\#(auth)"}}}"#, "docker.io.evil.example/a", nil),
        (#"{"auths":{"H.EXAMPLE":{"auth":"\#(auth)"}}}"#, "h.example/a", nil),
        (#"{"auths":{"h.example.":{"auth":"\#(auth)"}}}"#, "h.example/a", nil),
        (#"{"auths":{"HTTPS://h.example":{"auth":"\#(auth)"}}}"#, "h.example/a", nil),
        (#"{"auths":{"me@h.example":{"auth":"\#(auth)"}}}"#, "h.example/a", nil),
        (#"{"auths":{"h.example":{}}}"#, "h.example/a", nil),
        (#"{"HttpHeaders":{},"psFormat":"x"}"#, "h.example/a", nil), ("{}", "a", nil),
    ]

    @Test("P12: credentials are found by the exact host and port", arguments: lookups.indices) func findsTheExactHost(
        _ row: Int
    ) throws {
        let (json, name, expected) = CredentialTests.lookups[row]
        let (credential, warnings) = try CredentialTests.lookUp(json, name)
        #expect(credential == expected)
        #expect(warnings.isEmpty)
    }

    @Test(arguments: ["!!!", "dXNlcg=="]) func unreadableAuthIsSaid(_ text: String) throws {
        let (credential, warnings) = try CredentialTests.lookUp(#"{"auths":{"h:1":{"auth":"\#(text)"}}}"#, "h:1/a")
        #expect(credential == nil)
        #expect(warnings == [#"config.json: unreadable "auth" of h:1 is left out"#])
    }

    @Test(arguments: ["", "{", "[]", #"{"auths":[]}"#, #"{"auths":{"a":{},"a":{}}}"#])
    func malformedFileIsAnError(_ text: String) {
        let error = message { () throws(RegistryError) in
            _ = try CredentialStore(json: Array(text.utf8), origin: "/x/config.json")
        }
        #expect(error.hasPrefix("read /x/config.json: "), "\(error)")
    }

    @Test func missingFileIsEmpty() throws {
        let scratch = try Scratch()
        let store = try CredentialStore.load(directory: scratch("none"))
        #expect(try store.credential(for: CredentialTests.endpoint("a"), environment: [:]) { _ in } == nil)
    }

    @Test("P13: a credential does not print itself") func nothingIsPrinted() {
        #expect("\(CredentialTests.found)" == "a user name and password")
        #expect(String(reflecting: CredentialTests.found) == "a user name and password")
    }

    // MARK: Helpers

    static func withHelper(_ script: String) throws -> (Scratch, [String: String]) {
        let scratch = try Scratch()
        try scratch.file("bin/docker-credential-test", "#!/bin/sh\n\(script)\n", mode: 0o755)
        return (scratch, ["PATH": "\(scratch("bin")):/usr/bin:/bin"])
    }

    @Test func helperIsAskedForTheServer() throws {
        let (scratch, environment) = try CredentialTests.withHelper(
            #"""
            [ "$1" = get ] || exit 9
            server=$(cat)
            echo "{\"ServerURL\":\"$server\",\"Username\":\"$server\",\"Secret\":\"s\"}"
            """#)
        for (json, name, asked) in [
            (#"{"credsStore":"test"}"#, "h:5000/a", "h:5000"),
            (#"{"credsStore":"test"}"#, "a", "https://index.docker.io/v1/"),
            (#"{"credHelpers":{"h:5000":"test"},"credsStore":"missing"}"#, "h:5000/a", "h:5000"),
        ] {
            let (credential, warnings) = try CredentialTests.lookUp(json, name, environment: environment)
            #expect(credential == .password(user: asked, password: "s"))
            #expect(warnings.isEmpty)
        }
        _ = scratch
    }

    @Test func helperMayGiveATokenOrNothing() throws {
        let (token, environment) = try CredentialTests.withHelper(#"echo '{"Username":"<token>","Secret":"t"}'"#)
        #expect(
            try CredentialTests.lookUp(#"{"credsStore":"test"}"#, "h:1/a", environment: environment).0
                == .identityToken("t"))
        let (none, other) = try CredentialTests.withHelper("echo 'credentials not found in native keychain'; exit 1")
        let (credential, warnings) = try CredentialTests.lookUp(
            #"{"credsStore":"test","auths":{"h:1":{"auth":"\#(CredentialTests.auth)"}}}"#, "h:1/a", environment: other)
        #expect(credential == CredentialTests.found)
        #expect(warnings.isEmpty)
        withExtendedLifetime((token, none)) {}
    }

    static let failures: [(String, String, String)] = [
        (#"{"credsStore":"test"}"#, "echo broken; exit 1", "docker-credential-test: it failed: broken"),
        (#"{"credsStore":"test"}"#, "kill -9 $$", "docker-credential-test: it failed"),
        (#"{"credsStore":"test"}"#, "echo nonsense", "its answer is not JSON"),
        (#"{"credsStore":"missing"}"#, "", "docker-credential-missing: executable file not found in $PATH"),
        (#"{"credsStore":"../evil"}"#, "", "its name is not one of letters"),
    ]

    @Test(arguments: failures.indices) func failingHelperIsAWarning(_ row: Int) throws {
        let (json, script, words) = CredentialTests.failures[row]
        let (scratch, environment) = try CredentialTests.withHelper(script)
        let (credential, warnings) = try CredentialTests.lookUp(json, "h:1/a", environment: environment)
        #expect(credential == nil)
        #expect(warnings.count == 1 && warnings[0].contains(words), "\(warnings)")
        _ = scratch
    }
}
