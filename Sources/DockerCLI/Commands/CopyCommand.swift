internal import Engine

/// `cp [OPTIONS] CONTAINER|IMAGE:SRC_PATH DEST_PATH|-` and `cp [OPTIONS] SRC_PATH|- CONTAINER:DEST_PATH`.
package enum CopyCommand: Command {
    package struct Draft: Sendable {
        package var archive = false
        package var followLink = false
        package var quiet = false
    }

    package static let info = CommandInfo(
        path: "cp",
        synopsis: "[OPTIONS] CONTAINER|IMAGE:SRC_PATH DEST_PATH|-\n[OPTIONS] SRC_PATH|- CONTAINER:DEST_PATH",
        summary: "Copy files from or to a container, or from an image", aliases: ["container cp", "cp"],
        arguments: .exactly(2),
        operands: [.containerPath])

    package static let flags = FlagTable<Draft>([
        .bool("archive", short: "a", "Keep the owners of what leaves the container") { $0.archive = $1 },
        .bool("follow-link", short: "L", "Copy what a link at the end of the source leads to") { $0.followLink = $1 },
        .bool("quiet", short: "q", "Don't say what was copied") { $0.quiet = $1 },
    ])

    package static func newDraft(_ context: CommandContext) -> Draft { Draft() }

    package static func execute(_ draft: Draft, _ arguments: [String], _ context: CommandContext) throws -> Int32 {
        if arguments[0].isEmpty { throw CommandError.failed("source can not be empty", code: 1) }
        if arguments[1].isEmpty { throw CommandError.failed("destination can not be empty", code: 1) }
        var request = CopyRequest(source: end(arguments[0], stream: 0), destination: end(arguments[1], stream: 1))
        request.archive = draft.archive
        request.followLink = draft.followLink
        if request.destination == .stream(descriptor: 1), context.output.isTerminal {
            throw CommandError.failed("cowardly refusing to save to a terminal. Use a path or redirect", code: 1)
        }
        let result = try context.engine().copy(request)
        if !draft.quiet, context.errors.isTerminal, request.destination != .stream(descriptor: 1) {
            context.errors.line("Successfully copied \(Human.size(result.bytes, digits: 3)) to \(result.destination)")
        }
        return 0
    }

    /// `NAME:PATH` is in a container, or where none has the name in an image, unless the text is a path: absolute, or beginning with a dot.
    static func end(_ text: String, stream: Int32) -> CopyEnd {
        if text == "-" { return .stream(descriptor: stream) }
        guard !text.hasPrefix("/"), !text.hasPrefix("."), let colon = text.firstIndex(of: ":") else {
            return .local(path: text)
        }
        let name = String(text[..<colon])
        return name.isEmpty
            ? .local(path: text) : .container(name: name, path: String(text[text.index(after: colon)...]))
    }
}
