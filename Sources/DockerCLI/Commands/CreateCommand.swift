internal import Engine

/// `create [OPTIONS] IMAGE [COMMAND] [ARG...]`.
package enum CreateCommand: Command {
    package static let info = CommandInfo(
        path: "create", synopsis: "[OPTIONS] IMAGE [COMMAND] [ARG...]", summary: "Make a container",
        aliases: ["container create", "create"], arguments: .atLeast(1), operands: [.image, .text])
    package static var flags: FlagTable<RunDraft> { FlagTable(RunFlags.create) }
    package static var interspersed: Bool { false }

    package static func newDraft(_ context: CommandContext) throws(ValueError) -> RunDraft {
        try RunCommand.newDraft(context)
    }

    package static func execute(
        _ draft: RunDraft, _ arguments: [String], _ context: CommandContext
    ) throws -> Int32 {
        let (request, warnings): (RunRequest, [String])
        do throws(ValueError) {
            (request, warnings) = try RunCommand.request(draft, arguments)
        } catch {
            throw Failure.plain(error, failureCode)
        }
        for warning in warnings { context.errors.line("WARNING: \(warning)") }
        let screen = PullScreen(context.errors, quiet: request.quiet, context)
        defer { screen.finish() }
        let record = try context.engine().create(request) { screen.show($0) }
        context.output.line(record.id)
        return 0
    }
}
