internal import Engine

/// `unpack [OPTIONS] IMAGE DIRECTORY`.
package enum UnpackCommand: Command {
    package static let info = CommandInfo(
        path: "unpack", synopsis: "[OPTIONS] IMAGE DIRECTORY", summary: "Write an image's files into a directory",
        aliases: ["image unpack", "unpack"], arguments: .exactly(2), operands: [.image, .directory])

    package static var flags: FlagTable<RunDraft> {
        FlagTable(RunFlags.some(RegistryFlags.names.union(["platform", "pull", "quiet"])))
    }

    package static func newDraft(_ context: CommandContext) throws(ValueError) -> RunDraft {
        try RunCommand.newDraft(context)
    }

    package static func execute(_ draft: RunDraft, _ arguments: [String], _ context: CommandContext) throws -> Int32 {
        let (request, _) = try RunCommand.request(draft, [arguments[0]])
        let screen = PullScreen(context.errors, quiet: request.quiet, context)
        defer { screen.finish() }
        try context.engine().unpack(request, into: arguments[1]) { screen.show($0) }
        return 0
    }
}
