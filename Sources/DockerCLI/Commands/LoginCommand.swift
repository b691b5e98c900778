internal import Engine
internal import Images
internal import OCI

/// `login [OPTIONS] [SERVER]`.
package enum LoginCommand: Command {
    package struct Draft: Sendable {
        var registry = RegistryFlags()
        var user = ""
        var password = ""
        var readsPassword = false
        var lists = false
        var tells = false
    }

    package static let info = CommandInfo(
        path: "login", synopsis: "[OPTIONS] [SERVER]", summary: "Log in to a registry; Docker Hub unless told",
        aliases: ["login"], arguments: .atMost(1), operands: [.text])

    package static let flags = FlagTable<Draft>(
        [
            .bool("get-login", "Print the user who is logged in to the registry") { $0.tells = $1 },
            .bool("list", "List all logins, without their secrets") { $0.lists = $1 },
            .value("password", short: "p", takes: .text, "Password or token; others can see it") { $0.password = $1 },
            .bool("password-stdin", "Read the password or token from standard input") { $0.readsPassword = $1 },
            .value("username", short: "u", takes: .text, "User") { $0.user = $1 },
        ] + RegistryFlags.connection(\Draft.registry))

    package static func newDraft(_ context: CommandContext) throws(ValueError) -> Draft { Draft() }

    package static func execute(_ draft: Draft, _ arguments: [String], _ context: CommandContext) throws -> Int32 {
        let engine = try context.engine()
        if draft.lists { return try list(engine, context) }
        let registry = try LoginServer.registry(arguments.first)
        if draft.tells { return try tell(registry, engine, context) }
        var draft = draft
        try readPassword(&draft, context)
        var known = ""
        if draft.user.isEmpty, draft.password.isEmpty, let login = try engine.logins(registry).first {
            known = login.user ?? ""
            if try takesKnown(login, draft, engine, context) { return 0 }
        }
        try ask(&draft, known, context)
        var access = draft.registry.access
        access.credentials = .password(user: draft.user, password: draft.password)
        let screen = PullScreen(context.errors, quiet: true, context)
        try engine.verifyLogin(registry, access) { screen.show($0) }
        let kept = try engine.keepLogin(registry, user: draft.user, password: draft.password)
        if kept.helper == nil {
            context.errors.line(
                """

                WARNING! Your credentials are stored unencrypted in '\(Names.printable(kept.file))'.
                Configure a credential helper to remove this warning. See
                https://docs.docker.com/go/credential-store/

                """)
        }
        context.output.line("Login Succeeded")
        return 0
    }

    // MARK: What is there

    private static func list(_ engine: any EngineVerbs, _ context: CommandContext) throws -> Int32 {
        for login in try engine.logins(nil) {
            context.output.line(
                [login.registry, login.user ?? "<token>"].map { Names.printable($0) }.joined(separator: "\t"))
        }
        return 0
    }

    private static func tell(_ registry: String, _ engine: any EngineVerbs, _ context: CommandContext) throws -> Int32 {
        guard let login = try engine.logins(registry).first else {
            throw CommandError.failed("not logged into \(registry)", code: 1)
        }
        context.output.line(Names.printable(login.user ?? "<token>"))
        return 0
    }

    /// Whether the registry takes what is kept for it.
    private static func takesKnown(
        _ login: StoredLogin, _ draft: Draft, _ engine: any EngineVerbs, _ context: CommandContext
    ) throws -> Bool {
        let user = login.user.map { " [Username: \(Names.printable($0))]" } ?? ""
        context.output.line("Authenticating with existing credentials...\(user)")
        context.output.line(
            "To login with a different account, run '\(context.program) logout' followed by '\(context.program) login'\n"
        )
        let screen = PullScreen(context.errors, quiet: true, context)
        do {
            try engine.verifyLogin(login.registry, draft.registry.access) { screen.show($0) }
            context.output.line("Login Succeeded")
            return true
        } catch EngineError.worker(_, .denied) {
            context.errors.line("Stored credentials invalid or expired")
        } catch {
            context.errors.line("Login did not succeed, error: \(error)")
        }
        return false
    }

    // MARK: What is asked

    private static func readPassword(_ draft: inout Draft, _ context: CommandContext) throws {
        if !draft.password.isEmpty {
            context.errors.line("WARNING! Using --password via the CLI is insecure. Use --password-stdin.")
            if draft.readsPassword {
                throw CommandError.failed("--password and --password-stdin are mutually exclusive", code: 1)
            }
        }
        guard draft.readsPassword else { return }
        if draft.user.isEmpty { throw CommandError.failed("Must provide --username with --password-stdin", code: 1) }
        guard var text = context.readInput(passwordLimit) else {
            throw CommandError.failed(
                "standard input holds no password: it has too many bytes, or is not UTF-8", code: 1)
        }
        for end in ["\n", "\r"] where text.unicodeScalars.last == end.unicodeScalars.first {
            text.unicodeScalars.removeLast()
        }
        draft.password = text
    }

    /// What a header can hold.
    private static let passwordLimit = 32 << 10

    private static func ask(_ draft: inout Draft, _ known: String, _ context: CommandContext) throws {
        if draft.user.isEmpty || draft.password.isEmpty, !context.standardInputIsTerminal {
            let reason =
                draft.readsPassword
                ? "the password on standard input is empty"
                : "Cannot perform an interactive login from a non TTY device"
            throw CommandError.failed(reason, code: 1)
        }
        if draft.user.isEmpty {
            context.output.write(known.isEmpty ? "Username: " : "Username (\(Names.printable(known))): ")
            let typed = String((context.readLine() ?? "").drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
            draft.user = typed.isEmpty ? known : typed
        }
        if draft.user.isEmpty { throw CommandError.failed("username is required", code: 1) }
        if draft.password.isEmpty {
            context.output.write("Password: ")
            draft.password = context.readSecret() ?? ""
            context.output.write("\n")
        }
        if draft.password.isEmpty { throw CommandError.failed("password is required", code: 1) }
        guard !draft.user.contains(":") else {
            throw CommandError.failed("a user's name can't hold a colon", code: 1)
        }
        guard draft.password.utf8.count <= passwordLimit else {
            throw CommandError.failed("the password has more than \(passwordLimit) bytes", code: 1)
        }
    }
}

/// `logout [SERVER]`.
package enum LogoutCommand: Command {
    package struct Draft: Sendable {
        var all = false
    }

    package static let info = CommandInfo(
        path: "logout", synopsis: "[OPTIONS] [SERVER]", summary: "Log out of a registry; Docker Hub unless told",
        aliases: ["logout"], arguments: .atMost(1), operands: [.text])

    package static let flags = FlagTable<Draft>([
        .bool("all", short: "a", "Log out of all registries") { $0.all = $1 }
    ])

    package static func newDraft(_ context: CommandContext) throws(ValueError) -> Draft { Draft() }

    package static func execute(_ draft: Draft, _ arguments: [String], _ context: CommandContext) throws -> Int32 {
        let engine = try context.engine()
        if draft.all, !arguments.isEmpty {
            throw CommandError.failed("--all takes no server beside it", code: 1)
        }
        let registries = try draft.all ? engine.logins(nil).map(\.registry) : [LoginServer.registry(arguments.first)]
        for registry in registries {
            let shown = registry == Reference.defaultDomain ? LoginServer.hub : registry
            if try engine.dropLogin(registry) {
                context.output.line("Removing login credentials for \(shown)")
            } else {
                context.output.line("Not logged in to \(shown)")
            }
        }
        return 0
    }
}

/// What stands behind `login` and `logout`: a host, or a URL of it.
enum LoginServer {
    static let hub = "https://index.docker.io/v1/"

    /// `HOST[:PORT]`; docker.io where there is none, and for its other names.
    static func registry(_ text: String?) throws -> String {
        guard let text, !text.isEmpty else { return Reference.defaultDomain }
        var rest = Substring(text)
        for scheme in ["https://", "http://"] where rest.lowercased().hasPrefix(scheme) {
            rest = rest.dropFirst(scheme.count)
        }
        let host = String(rest.prefix { $0 != "/" })
        do {
            let domain = try Reference(parsingRegistry: host).domain
            // A word alone would be a repository's name, and stands for Docker Hub there.
            guard domain == host || ["index.docker.io", "registry-1.docker.io"].contains(host) else {
                throw NoServer(text: text)
            }
            return host == "registry-1.docker.io" ? Reference.defaultDomain : domain
        } catch {
            throw NoServer(text: text)
        }
    }

    private struct NoServer: Error, CustomStringConvertible {
        let text: String
        var description: String { "invalid registry \(GoValue.quoted(text)): want HOST[:PORT]" }
    }
}
