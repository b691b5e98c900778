internal import FoundationEssentials
internal import Glibc
internal import OCI
internal import Sys
internal import TestSupport
import Testing

extension EndToEnd {
    /// `login` and `logout` against real registries, files and helpers.
    @Suite(.enabled(if: Conditions.canPull, "needs docker-registry and skopeo")) struct LoginTests {
        typealias Response = FaultyRegistry.Response

        private static let password = "hidden:pass word"
        private static let auth = Data("me:\(password)".utf8).base64EncodedString()

        private static func registry(tls: Bool = false) throws -> RealRegistry {
            try PullCommand.fixtureRegistry(.init(tls: tls, credentials: ("me", password)))
        }

        private static func login(
            _ runimg: Runimg, _ server: String, _ password: String = password, _ more: [String] = [],
            environment: [String: String] = [:]
        ) throws -> Tool.Output {
            try runimg.run(
                ["login", "-u", "me", "--password-stdin"] + more + [server], input: Array("\(password)\n".utf8),
                environment: environment)
        }

        @Test func inAndOut() throws {
            let registry = try Self.registry()
            let runimg = try Runimg()
            let file = runimg.scratch("docker/config.json")
            let name = "\(registry.host)/library/fixture"
            #expect(try runimg("pull", "-q", name).status == 1)
            let output = try Self.login(runimg, registry.host)
            #expect(output.status == 0 && output.stdout == "Login Succeeded\n", "\(output)")
            #expect(output.stderr.contains("stored unencrypted in '\(file)'"), "\(output)")
            let text = String(decoding: try File.readAll(file), as: UTF8.self)
            #expect(
                text
                    == "{\n\t\"auths\": {\n\t\t\"\(registry.host)\": {\n\t\t\t\"auth\": \"\(Self.auth)\"\n\t\t}\n\t}\n}"
            )
            #expect(try File.status(file).mode == 0o600)
            #expect(try runimg("pull", "-q", name).status == 0)
            #expect(try runimg.check("login", "--list").stdout == "\(registry.host)\tme\n")
            #expect(try runimg.check("login", "--get-login", "http://\(registry.host)/v2/").stdout == "me\n")
            let again = try runimg.check("login", registry.host)
            #expect(again.stdout.hasPrefix("Authenticating with existing credentials... [Username: me]\n"), "\(again)")
            #expect(
                try runimg.check("logout", registry.host).stdout == "Removing login credentials for \(registry.host)\n")
            #expect(String(decoding: try File.readAll(file), as: UTF8.self) == "{\n\t\"auths\": {}\n}")
            #expect(try runimg("pull", "-q", name).status == 1)
            #expect(try runimg.check("logout", registry.host).stdout == "Not logged in to \(registry.host)\n")
        }

        /// docker's client asks the registry itself where it finds no daemon.
        @Test(.enabled(if: Conditions.has("docker"), "needs docker's client"))
        func theSameAsDocker() throws {
            let registry = try Self.registry()
            let runimg = try Runimg()
            let theirs = try Tool.run(
                "docker", ["login", "-u", "me", "--password-stdin", registry.host],
                environment: [
                    "DOCKER_CONFIG": runimg.scratch("theirs"), "DOCKER_HOST": "unix://\(runimg.scratch("none"))",
                ], input: Array(Self.password.utf8))
            try #require(theirs.status == 0, "\(theirs)")
            let ours = try Self.login(runimg, registry.host)
            #expect(ours.stdout == theirs.stdout)
            #expect(
                ours.stderr.replacing(runimg.scratch("docker"), with: "X")
                    == theirs.stderr.replacing(runimg.scratch("theirs"), with: "X")
                    // What docker logs of the way there.
                    .split(separator: "\n", omittingEmptySubsequences: false).filter { !$0.hasPrefix("time=") }
                    .joined(separator: "\n"))
            #expect(
                try File.readAll(runimg.scratch("docker/config.json"))
                    == File.readAll(runimg.scratch("theirs/config.json")))
        }

        @Test func aWrongPasswordChangesNothing() throws {
            let registry = try Self.registry()
            let runimg = try Runimg()
            let old = "{ \"auths\":{\"\(registry.host)\":{\"auth\":\"eDp5\"}}, \"x\" : [ ] }"
            let file = try runimg.scratch.file("docker/config.json", old, mode: 0o644)
            let output = try Self.login(runimg, registry.host, "wrong")
            #expect(output.status == 1 && output.stdout.isEmpty, "\(output)")
            #expect(
                output.stderr
                    == "runimg: login to \(registry.host) failed: unauthorized: authentication required; "
                    + "check the user's name and the password\n")
            #expect(String(decoding: try File.readAll(file), as: UTF8.self) == old)
            let dead = try Self.login(runimg, "127.0.0.1:\(try RealRegistry.freePort())")
            #expect(dead.status == 1 && dead.stderr.contains("ECONNREFUSED"), "\(dead)")
            #expect(try File.status(file).mode == 0o644)
        }

        /// A token server is shown the password, once, and nobody else.
        @Test func aTokenServer() throws {
            let server = try FaultyRegistry { request, _ in
                if request.path == "/token" {
                    return request.header("Authorization") == "Basic \(Self.auth)"
                        ? Response(200, text: #"{"token":"t"}"#) : Response(401)
                }
                return request.header("Authorization") == "Bearer t"
                    ? Response(200)
                    : Response(
                        401,
                        [
                            (
                                "WWW-Authenticate",
                                "Bearer realm=\"http://\(request.header("Host") ?? "")/token\",service=\"s\""
                            )
                        ])
            }
            let runimg = try Runimg()
            #expect(try Self.login(runimg, server.host).status == 0)
            #expect(server.requests.map(\.path) == ["/v2/", "/token", "/v2/"])
            #expect(server.requests[1].target == "/token?service=s&client_id=runimg&account=me")
            #expect(try Self.login(runimg, server.host, "wrong").status == 1)
        }

        // MARK: The file

        @Test func theRestOfTheFileStaysByteForByte() throws {
            let registry = try Self.registry()
            let runimg = try Runimg()
            let real = try runimg.scratch.file(
                "elsewhere/real.json",
                "{\r\n   \"psFormat\": \"x\\u0041\",  \"auths\": {\r\n      \"https://index.docker.io/v1/\": {\"auth\":\"QTpC\"}\r\n   },\r\n   \"plugins\": {\"a\": {\"b\": 1.0}}\r\n}\r\n",
                mode: 0o644)
            try File.symlink("../elsewhere/real.json", runimg.scratch("docker/config.json"))
            try Sys.check { chown(real, 1234, 4321) }
            #expect(try Self.login(runimg, registry.host).status == 0)
            let text = String(decoding: try File.readAll(real), as: UTF8.self)
            #expect(
                text
                    == "{\r\n   \"psFormat\": \"x\\u0041\",  \"auths\": {\r\n      \"https://index.docker.io/v1/\": {\"auth\":\"QTpC\"},\r\n      \"\(registry.host)\": {\n         \"auth\": \"\(Self.auth)\"\n      }\r\n   },\r\n   \"plugins\": {\"a\": {\"b\": 1.0}}\r\n}\r\n"
            )
            let status = try File.status(real)
            #expect(status.mode == 0o600 && status.uid == 1234 && status.gid == 4321)
            #expect(try File.readLink(runimg.scratch("docker/config.json")) == "../elsewhere/real.json")
            #expect(try Directory.entries(runimg.scratch("elsewhere")).count == 1)
            #expect(try runimg.check("login", "--list").lines == ["\(registry.host)\tme", "docker.io\tA"])
            try runimg.check("logout")
            #expect(try runimg.check("login", "--list").lines == ["\(registry.host)\tme"])
        }

        @Test func aDamagedFileIsLeftAlone() throws {
            let registry = try Self.registry()
            let runimg = try Runimg()
            let file = try runimg.scratch.file("docker/config.json", "{\"auths\": {,}}", mode: 0o600)
            let output = try Self.login(runimg, registry.host)
            #expect(output.status == 1 && output.stderr.contains("not JSON at byte 11"), "\(output)")
            #expect(String(decoding: try File.readAll(file), as: UTF8.self) == "{\"auths\": {,}}")
        }

        @Test func theDirectoryIsMadeForItsOwner() throws {
            let registry = try Self.registry()
            let runimg = try Runimg()
            let directory = runimg.scratch("new/docker")
            #expect(try Self.login(runimg, registry.host, environment: ["DOCKER_CONFIG": directory]).status == 0)
            #expect(try File.status(directory).mode == 0o700)
            #expect(try File.status("\(directory)/config.json").mode == 0o600)
        }

        @Test func manyAtOnceLoseNothing() throws {
            let runimg = try Runimg()
            let entries = (1...6).map { "\"127.0.0.\($0):9\":{\"auth\":\"QTpC\"}," }.joined()
            let file = try runimg.scratch.file(
                "docker/config.json", "{\"auths\":{\(entries)\"h.example\":{}}}", mode: 0o600)
            let script = (1...6).map { "\"$0\" --config-file \"$1\" logout 127.0.0.\($0):9 &" }.joined(separator: " ")
            let output = try Tool.run(
                "sh", ["-c", script + " wait", Runimg.path, runimg.configFile],
                environment: ["DOCKER_CONFIG": runimg.scratch("docker")])
            #expect(output.lines.count == 6, "\(output)")
            #expect(String(decoding: try File.readAll(file), as: UTF8.self) == "{\"auths\":{\"h.example\":{}}}")
        }

        // MARK: Helpers

        /// A helper that keeps each secret in a file, and notes how it was called.
        private static func helper(_ runimg: Runimg) throws -> [String: String] {
            let place = try runimg.scratch.directory("kept")
            try runimg.scratch.file(
                "bin/docker-credential-files",
                #"""
                #!/bin/sh
                echo "$@" >> PLACE/calls; env >> PLACE/environment
                case $1 in
                store) cat > PLACE/secret ;;
                get) cat > PLACE/asked; [ -f PLACE/secret ] && cat PLACE/secret || { echo 'credentials not found in native keychain'; exit 1; } ;;
                erase) cat > PLACE/erased; rm PLACE/secret ;;
                esac
                """#.replacing("PLACE", with: place), mode: 0o755)
            return ["PATH": "\(runimg.scratch("bin")):\(Tool.baseEnvironment["PATH"] ?? "")"]
        }

        @Test(arguments: ["credsStore", "credHelpers"]) func aHelperKeepsIt(_ kind: String) throws {
            let registry = try Self.registry()
            let runimg = try Runimg()
            let environment = try Self.helper(runimg)
            let setting = kind == "credsStore" ? "\"files\"" : "{\"\(registry.host)\": \"files\"}"
            let file = try runimg.scratch.file("docker/config.json", "{\n\t\"\(kind)\": \(setting)\n}", mode: 0o600)
            let output = try Self.login(runimg, registry.host, environment: environment)
            #expect(output.status == 0 && !output.stderr.contains("WARNING"), "\(output)")
            let secret = try JSONValue(parsing: File.readAll(runimg.scratch("kept/secret")))
            #expect(secret["ServerURL"]?.string == registry.host && secret["Secret"]?.string == Self.password)
            // The file says only that there is one.
            #expect(
                String(decoding: try File.readAll(file), as: UTF8.self)
                    == "{\n\t\"\(kind)\": \(setting),\n\t\"auths\": {\n\t\t\"\(registry.host)\": {}\n\t}\n}")
            let calls = String(decoding: try File.readAll(runimg.scratch("kept/calls")), as: UTF8.self)
            let seen = String(decoding: try File.readAll(runimg.scratch("kept/environment")), as: UTF8.self)
            #expect(calls == "store\n" && !seen.contains("hidden"))
            #expect(
                try runimg.run(["pull", "-q", "\(registry.host)/library/fixture"], environment: environment).status == 0
            )
            #expect(try runimg.run(["logout", registry.host], environment: environment).status == 0)
            #expect(String(decoding: try File.readAll(runimg.scratch("kept/erased")), as: UTF8.self) == registry.host)
            #expect(!File.exists(runimg.scratch("kept/secret")))
        }

        @Test func aHelperThatFailsIsAnError() throws {
            let registry = try Self.registry()
            let runimg = try Runimg()
            try runimg.scratch.file(
                "bin/docker-credential-bad", "#!/bin/sh\necho \"locked: $(cat)\"; exit 1\n", mode: 0o755)
            let old = #"{"credsStore": "bad"}"#
            let file = try runimg.scratch.file("docker/config.json", old, mode: 0o600)
            let environment = ["PATH": "\(runimg.scratch("bin")):\(Tool.baseEnvironment["PATH"] ?? "")"]
            let output = try Self.login(runimg, registry.host, environment: environment)
            #expect(output.status == 1 && output.stdout.isEmpty, "\(output)")
            #expect(output.stderr.contains("docker-credential-bad: it failed: locked"), "\(output)")
            #expect(!output.stderr.contains(Self.password))
            #expect(String(decoding: try File.readAll(file), as: UTF8.self) == old)
        }

        // MARK: Terminals

        @Test func thePasswordIsNotShown() throws {
            let registry = try Self.registry()
            let runimg = try Runimg()
            let terminal = try runimg.terminal("login", registry.host)
            try terminal.expect("Username: ")
            try terminal.type("me\n")
            try terminal.expect("Password: ")
            #expect(Wait.until(seconds: 10) { terminal.mode != terminal.initialMode })
            try terminal.type("\(Self.password)\n")
            #expect(try terminal.wait() == .exited(0), "\(terminal.transcript)")
            #expect(terminal.transcript.contains("Login Succeeded") && !terminal.transcript.contains("hidden"))
            #expect(terminal.mode == terminal.initialMode)
        }

        @Test func anInterruptedPromptLeavesTheTerminalAsItWas() throws {
            let runimg = try Runimg()
            let terminal = try runimg.terminal("login", "-u", "me", "127.0.0.1:1")
            try terminal.expect("Password: ")
            #expect(Wait.until(seconds: 10) { terminal.mode != terminal.initialMode })
            try terminal.type("half\u{3}")
            #expect(try terminal.wait() == .signaled(SIGINT), "\(terminal.transcript)")
            #expect(terminal.mode == terminal.initialMode && !terminal.transcript.contains("half"))
        }

        // MARK: Secrets

        @Test("P4: a login that would go in clear text, or to a bad certificate, sends nothing")
        func noLoginInClearText() throws {
            let server = try FaultyRegistry { _, _ in Response(401, [("WWW-Authenticate", "Basic realm=\"x\"")]) }
            let runimg = try Runimg()
            // 0.0.0.0 connects to this machine without being one of its loopback addresses.
            let plain = try Self.login(runimg, "0.0.0.0:\(server.port)")
            #expect(plain.status == 1 && plain.stderr.contains("insecure-registries"), "\(plain)")
            #expect(server.requests.isEmpty)
            let secure = try Self.registry(tls: true)
            let unknown = try Self.login(runimg, "0.0.0.0:\(secure.port)")
            #expect(unknown.status == 1 && unknown.stderr.contains("certificate"), "\(unknown)")
            #expect(try secure.requests().allSatisfy { !$0.agent.hasPrefix("runimg") })
            #expect(!File.exists(runimg.scratch("docker/config.json")))
            // With its authority it is taken.
            let known = try Self.login(runimg, secure.host, Self.password, ["--cacert", secure.authorityFile])
            #expect(known.status == 0, "\(known)")
        }

        @Test("P13: a login's password is in no output, argument, environment or file but docker's own")
        func loginsStaySecret() throws {
            // Other tests hand theirs to other programs.
            let password = "unseen:\(Random.hex(bytes: 8))"
            let auth = Data("me:\(password)".utf8).base64EncodedString()
            let slow = try FaultyRegistry { request, count in
                var response = Response(401, [("WWW-Authenticate", "Basic realm=\"x\"")])
                if request.header("Authorization") == "Basic \(auth)" { response = Response(200) }
                if count == 1 { response.delay = 2 }
                return response
            }
            let runimg = try Runimg()
            let secret = try runimg.scratch.file("secret", "\(password)\n", mode: 0o600)
            let input = try File.open(secret, O_RDONLY)
            var child = try runimg.start(
                "-D", "login", "-u", "me", "--password-stdin", slow.host, input: .descriptor(input.raw))
            #expect(Wait.until(seconds: 30) { slow.requests.count == 2 })
            let processes = PullSecurity.processes()
            #expect(processes.contains("runimg-image"))
            #expect(try child.wait(seconds: 30) == .exited(0), "\(runimg.startedErrors)")
            let said = runimg.startedOutput + runimg.startedErrors
            #expect(said.contains("GET http://\(slow.host)/v2/"), "\(said)")
            for text in [password, auth, "unseen"] {
                #expect(!said.contains(text) && !processes.contains(text))
            }
            // In the file alone.
            let found = try Tool.run("grep", ["-rlaF", "-e", auth, "-e", "unseen:", runimg.scratch.path]).lines
            #expect(Set(found) == [secret, runimg.scratch("docker/config.json")])
        }
    }
}
