package import Engine

/// `commit [OPTIONS] CONTAINER [REPOSITORY[:TAG]]`.
package enum CommitCommand: Command {
    package struct Draft: Sendable {
        package var options = CommitOptions()
    }

    package static let info = CommandInfo(
        path: "commit", synopsis: "[OPTIONS] CONTAINER [REPOSITORY[:TAG]]",
        summary: "Make an image from a container", aliases: ["container commit", "commit"],
        arguments: .between(1, 2), operands: [.container(.any), .image])

    package static let flags = FlagTable<Draft>([
        .value("author", short: "a", takes: .text, "Author, such as \"Jane Doe <jane@example.com>\"") {
            $0.options.author = $1
        },
        .value("change", short: "c", type: "list", takes: .changes, "Apply an instruction of a Dockerfile to the image")
        {
            $0.options.changes.append($1)
        },
        .value("message", short: "m", takes: .text, "Message for the image's history") { $0.options.message = $1 },
        .bool("no-pause", "Let the container run on meanwhile") { $0.options.pause = !$1 },
        .bool("pause", short: "p", "Let the container stand still meanwhile", default: "true") {
            $0.options.pause = $1
        },
    ])

    package static func newDraft(_ context: CommandContext) -> Draft { Draft() }

    package static func execute(_ draft: Draft, _ arguments: [String], _ context: CommandContext) throws -> Int32 {
        var options = draft.options
        if arguments.count == 2 { options.name = arguments[1] }
        context.output.line("\(try context.engine().commit(arguments[0], options))")
        return 0
    }
}
