package import Engine
internal import OCI

/// `exec [OPTIONS] CONTAINER COMMAND [ARG...]`.
package enum ExecCommand: Command {
    package struct Draft: Sendable {
        package var options = ExecOptions()
        package var latest = false
    }

    package static let info = CommandInfo(
        path: "exec", synopsis: "[OPTIONS] CONTAINER COMMAND [ARG...]",
        summary: "Run a command in a running container", aliases: ["container exec", "exec"], arguments: .atLeast(0),
        operands: [.container(.running), .text])

    /// What stands behind CONTAINER is the process's.
    package static var interspersed: Bool { false }

    package static let flags = FlagTable<Draft>([
        .bool("detach", short: "d", "Return once the process has started") { $0.options.detach = $1 },
        .value("detach-keys", takes: .text, "Keys that let go of a process with a terminal") {
            $0.options.detachKeys = $1
        },
        .value("env", short: "e", type: "list", takes: .text, "Environment variable, as NAME=VALUE or NAME to pass on")
        {
            (draft, text) throws(ValueError) in
            draft.options.environment.append(try Names.environment(text))
        },
        .value("env-file", type: "list", takes: .file, "File of environment variables, one a line") {
            $0.options.environmentFiles.append($1)
        },
        .bool("interactive", short: "i", "Pass standard input on to the process") { $0.options.interactive = $1 },
        .bool("latest", "The container that was made last") { $0.latest = $1 },
        .refused("preserve-fds", type: "uint", "", reason: "no descriptor of the caller's goes into a container")
            .hidden(),
        .bool("privileged", "Give the process all capabilities and no seccomp filter") { $0.options.privileged = $1 },
        .bool("tty", short: "t", "Give the process a terminal") { $0.options.terminal = $1 },
        .value("user", short: "u", takes: .text, "User to run as: NAME|UID[:GROUP|GID]") {
            (draft, text) throws(ValueError) in
            draft.options.user = text.isEmpty ? nil : try Names.clean(text, flag: "--user")
        },
        .value("workdir", short: "w", takes: .text, "Working directory inside the container") {
            (draft, text) throws(ValueError) in
            draft.options.workingDirectory = text.isEmpty ? nil : try Names.clean(text, flag: "--workdir")
        },
    ])

    package static func newDraft(_ context: CommandContext) -> Draft { Draft() }

    package static func execute(_ draft: Draft, _ arguments: [String], _ context: CommandContext) throws -> Int32 {
        try Failure.checkCount(arguments, atLeast: draft.latest ? 1 : 2, "\(context.program) exec")
        var options = draft.options
        if options.interactive, options.terminal, !options.detach, !context.standardInputIsTerminal {
            context.errors.line("the input device is not a TTY")
            throw CommandError.exit(1)
        }
        let engine = try context.engine()
        guard draft.latest else {
            options.command = Array(arguments.dropFirst())
            return exitCode(try engine.exec(arguments[0], options), context)
        }
        options.command = arguments
        guard let last = try engine.list().first else { throw CommandError.failed("no containers", code: 1) }
        return exitCode(try engine.exec(last.record.id, options), context)
    }

    private static func exitCode(_ outcome: RunOutcome, _ context: CommandContext) -> Int32 {
        guard case .ended(let code) = outcome else {
            Detached.say(context)
            return 0
        }
        return code
    }
}
