import DockerCLI
import Engine
import Images
import OCI
import Testing

/// What `login` and `logout` ask and say; the registry and the file are the engine's.
@Suite struct LoginCommandTests {
    private static let warning =
        "\nWARNING! Your credentials are stored unencrypted in '/root/.docker/config.json'.\nConfigure a credential "
        + "helper to remove this warning. See\nhttps://docs.docker.com/go/credential-store/\n\n"

    @Test func passwordOnStandardInput() {
        var bench = Bench()
        bench.input = "pa ss\r\n"
        #expect(bench.run("login -u me --password-stdin lab.example:5000") == 0)
        #expect(bench.engine.verbs == ["verify lab.example:5000", "keep lab.example:5000 me pa ss"])
        #expect(bench.engine.shown == [.password(user: "me", password: "pa ss")])
        #expect(bench.output.text == "Login Succeeded\n")
        #expect(bench.errors.text == Self.warning)
    }

    @Test func aHelperNeedsNoWarning() {
        let bench = Bench()
        bench.engine.helper = "secretservice"
        #expect(bench.run("login -u me -p secret") == 0)
        #expect(bench.engine.verbs == ["verify docker.io", "keep docker.io me secret"])
        #expect(
            bench.errors.text == "WARNING! Using --password via the CLI is insecure. Use --password-stdin.\n")
    }

    @Test func aTerminalIsAsked() {
        var bench = Bench()
        bench.standardInputIsTerminal = true
        bench.answer = " me "
        bench.secret = "secret"
        #expect(bench.run("login https://lab.example/v2/") == 0)
        #expect(bench.output.text == "Username: Password: \nLogin Succeeded\n")
        #expect(bench.engine.verbs == ["verify lab.example", "keep lab.example me secret"])
    }

    static let refusals: [(String, String)] = [
        ("login", "Cannot perform"), ("login -u me", "Cannot perform an interactive login from a non TTY device"),
        ("login -u me -p x --password-stdin", "--password and --password-stdin are mutually exclusive"),
        ("login --password-stdin", "Must provide --username with --password-stdin"),
        ("login -u me --password-stdin", "the password on standard input is empty"),
        ("login -u a:b -p x", "a user's name can't hold a colon"),
        ("login -u a -p x word", "invalid registry \"word\""),
        ("login -u a -p x h:99999999", "invalid registry"),
        ("login --get-login h.example", "not logged into h.example"),
        ("logout --all h.example", "--all takes no server"),
    ]

    @Test(arguments: refusals.indices) func isRefused(_ row: Int) {
        var bench = Bench()
        bench.input = "\n"
        let (line, words) = Self.refusals[row]
        #expect(bench.run(line) == 1)
        #expect(bench.errors.text.contains(words), "\(bench.errors.text)")
        #expect(bench.engine.verbs.isEmpty)
    }

    @Test func emptyAnswersAreRefused() {
        var bench = Bench()
        bench.standardInputIsTerminal = true
        #expect(bench.run("login") == 1 && bench.errors.text.contains("username is required"))
        bench.answer = "me"
        #expect(bench.run("login") == 1 && bench.errors.text.contains("password is required"))
        #expect(bench.engine.verbs.isEmpty)
    }

    @Test func whatIsKeptIsTriedFirst() {
        var bench = Bench()
        bench.engine.kept = [StoredLogin(registry: "h.example", user: "me", helper: nil, file: "f")]
        #expect(bench.run("login h.example") == 0)
        #expect(bench.engine.shown == [nil])
        #expect(bench.output.text.hasPrefix("Authenticating with existing credentials... [Username: me]\n"))
        #expect(bench.output.text.hasSuffix("Login Succeeded\n"))
        // Where it is not taken any more, a new one is asked for.
        bench.engine.failure = EngineError.worker(message: "no", kind: .denied)
        bench.standardInputIsTerminal = true
        bench.answer = ""
        bench.secret = "new"
        #expect(bench.run("login h.example") == 1)
        #expect(bench.errors.text.contains("Stored credentials invalid or expired"))
        #expect(bench.output.text.hasSuffix("Username (me): Password: \n"))
        #expect(bench.engine.shown.last == .password(user: "me", password: "new"))
        #expect(!bench.engine.verbs.contains { $0.hasPrefix("keep") })
    }

    @Test func logoutAndLists() {
        let bench = Bench()
        bench.engine.kept = [
            StoredLogin(registry: "docker.io", user: "me", helper: nil, file: "f"),
            StoredLogin(registry: "h.example", user: nil, helper: "x", file: "f"),
        ]
        #expect(bench.run("login --list") == 0)
        #expect(bench.run("login --get-login") == 0)
        #expect(bench.output.text == "docker.io\tme\nh.example\t<token>\nme\n")
        #expect(bench.run("logout") == 0)
        #expect(bench.run("logout other.example") == 0)
        #expect(bench.run("logout -a") == 0)
        #expect(bench.engine.verbs.map { $0.dropFirst(5) } == ["docker.io", "other.example", "docker.io", "h.example"])
        let lines = bench.output.text.split(separator: "\n").suffix(4)
        #expect(
            Array(lines) == [
                "Removing login credentials for https://index.docker.io/v1/", "Not logged in to other.example",
                "Removing login credentials for https://index.docker.io/v1/",
                "Removing login credentials for h.example",
            ])
    }

    // MARK: Access

    @Test func flagsOfAccess() throws {
        let bench = Bench()
        #expect(
            bench.run(
                "pull --proxy proxy.corp:3128 --cacert ca.pem --creds me:se:cret --insecure --limit-rate 500k --retry 2 "
                    + "--retry-delay 500ms h.example/a") == 0)
        var access = RegistryAccess()
        access.proxy = "http://proxy.corp:3128"
        access.authorityFile = "ca.pem"
        access.credentials = .password(user: "me", password: "se:cret")
        access.isInsecure = true
        access.bytesPerSecond = 512_000
        access.retries = 2
        access.retrySeconds = 0.5
        #expect(bench.engine.pulled.map(\.access) == [access])
        #expect(bench.run("run --creds @/x h.example/a") == 0)
        #expect(bench.engine.ran.last?.registryAccess?.credentials == .file("/x"))
        #expect(bench.run("tags --proxy none h.example/a") == 0)
        #expect(bench.engine.pulled.last?.access.proxy == "")
        #expect("\(access)".contains("se:cret") == false && String(reflecting: access).contains("cret") == false)
    }

    @Test(arguments: [
        ("--proxy ftp://x", "--proxy wants"), ("--proxy http://", "there is no host"), ("--cacert=", "want a file"),
        ("--creds me", "--creds wants USER:PASSWORD"), ("--creds :hidden", "--creds wants USER:PASSWORD"),
        ("--limit-rate fast", "invalid size"), ("--limit-rate 0", "more than 0 bytes"),
        ("--retry -1", "from 0 to 1000"),
        ("--retry x", "invalid"), ("--retry-delay 5", "invalid duration"), ("--retry-delay -1s", "can't be negative"),
    ]) func badValues(_ flag: String, _ words: String) {
        let bench = Bench()
        #expect(bench.run("pull \(flag) h.example/a") != 0)
        #expect(bench.errors.text.contains(words) && !bench.errors.text.contains("hidden"), "\(bench.errors.text)")
        #expect(bench.engine.pulled.isEmpty)
    }
}
