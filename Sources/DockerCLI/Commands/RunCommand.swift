package import Engine
internal import OCI

/// `run [OPTIONS] IMAGE [COMMAND] [ARG...]`.
package enum RunCommand: Command {
    package static let info = CommandInfo(
        path: "run", synopsis: "[OPTIONS] IMAGE [COMMAND] [ARG...]",
        summary: "Make a container from an image and run it", aliases: ["container run", "run"],
        arguments: .atLeast(1), operands: [.image, .text])
    package static var flags: FlagTable<RunDraft> { RunFlags.table }
    /// What stands behind IMAGE is the container's.
    package static var interspersed: Bool { false }
    package static var failureCode: Int32 { 125 }

    package static func newDraft(_ context: CommandContext) throws(ValueError) -> RunDraft {
        try ImageEnvironment.check(context)
        var draft = RunDraft()
        draft.request.platform = try ImageEnvironment.platform(context)
        return draft
    }

    /// The request that a command line stands for, and warnings.
    package static func request(
        _ draft: RunDraft, _ arguments: [String]
    ) throws(ValueError) -> (RunRequest, warnings: [String]) {
        var draft = draft
        guard let image = arguments.first else { throw .plain("no image") }
        return try draft.finish(image: image, command: Array(arguments.dropFirst()))
    }

    package static func execute(
        _ draft: RunDraft, _ arguments: [String], _ context: CommandContext
    ) throws -> Int32 {
        let request: RunRequest
        let warnings: [String]
        do throws(ValueError) {
            (request, warnings) = try Self.request(draft, arguments)
        } catch {
            throw Failure.plain(error, failureCode)
        }
        for warning in warnings { context.errors.line("WARNING: \(warning)") }
        if let lost = misplaced(request.command) {
            context.errors.line("WARNING: \(lost) stands behind the image, so the container gets it")
        }
        if request.interactive, request.terminal, !request.detach, !context.standardInputIsTerminal, !request.dryRun {
            context.errors.line("the input device is not a TTY")
            throw CommandError.exit(1)
        }
        let screen = PullScreen(context.errors, quiet: request.quiet, context)
        defer { screen.finish() }
        let outcome = try context.engine().run(request) { event in
            switch event {
            case .plan(let text): context.output.line(text)
            case .timing(let spent): for line in TimingTable.lines(spent) { context.errors.line(line) }
            default: screen.show(event)
            }
        }
        switch outcome {
        case .ended(let code): return code
        case .detached(let id):
            if request.detach { context.output.line(id) } else { Detached.say(context) }
            return 0
        }
    }

    /// The notes that users learnt from put this flag behind the image, where it does nothing.
    private static func misplaced(_ command: [String]) -> String? {
        guard let first = command.first else { return nil }
        return first == "--registry-mirror" || first.hasPrefix("--registry-mirror=") ? "--registry-mirror" : nil
    }
}

/// What the environment says about images.
enum ImageEnvironment {
    static func check(_ context: CommandContext) throws(ValueError) {
        guard let trust = context.environment("DOCKER_CONTENT_TRUST"), !trust.isEmpty else { return }
        guard let on = try? GoValue.bool(trust), !on else {
            throw .plain("DOCKER_CONTENT_TRUST: \(CommonFlags.contentTrust)")
        }
    }

    static func platform(_ context: CommandContext) throws(ValueError) -> Platform? {
        guard let text = context.environment("DOCKER_DEFAULT_PLATFORM") else { return nil }
        return try CommonFlags.platform(text)
    }
}
