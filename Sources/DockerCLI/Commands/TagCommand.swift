/// `tag SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]`.
package enum TagCommand: Command {
    package struct Draft: Sendable {}

    package static let info = CommandInfo(
        path: "tag", synopsis: "SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]", summary: "Give an image a further name",
        aliases: ["image tag", "tag"], arguments: .exactly(2), operands: [.image, .image])
    package static let flags = FlagTable<Draft>([Flag<Draft>]())

    package static func newDraft(_ context: CommandContext) -> Draft { Draft() }

    package static func execute(_ draft: Draft, _ arguments: [String], _ context: CommandContext) throws -> Int32 {
        try context.engine().tagImage(arguments[0], as: arguments[1])
        return 0
    }
}
