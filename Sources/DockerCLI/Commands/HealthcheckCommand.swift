internal import Engine

/// `healthcheck run CONTAINER`, podman's: exit code 0 when the check passed, 1 when it did not.
enum HealthcheckRunCommand: Command {
    struct Draft: Sendable {}

    static let info = CommandInfo(
        path: "healthcheck run", synopsis: "CONTAINER", summary: "Check the health of a container now",
        aliases: ["healthcheck run"], arguments: .exactly(1), operands: [.container(.running)])
    static let flags = FlagTable<Draft>([Flag<Draft>]())

    static func newDraft(_ context: CommandContext) -> Draft { Draft() }

    /// A check that failed says what it wrote.
    static func execute(_ draft: Draft, _ arguments: [String], _ context: CommandContext) throws -> Int32 {
        let result = try context.engine().checkHealth(arguments[0])
        if result.exitCode == 0 { return 0 }
        context.errors.line("unhealthy: exit code \(result.exitCode)")
        for line in result.output.pieces("\n") where !line.isEmpty { context.errors.line(Names.printable(line)) }
        return 1
    }
}
