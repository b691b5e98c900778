internal import Engine

/// `port CONTAINER [PRIVATE_PORT[/PROTO]]`.
package enum PortCommand: Command {
    package struct Draft: Sendable {}

    package static let info = CommandInfo(
        path: "port", synopsis: "CONTAINER [PRIVATE_PORT[/PROTO]]",
        summary: "List the published ports of a container", aliases: ["container port", "port"],
        arguments: .atLeast(1), operands: [.container(.running), .text])
    package static let flags = FlagTable<Draft>([Flag<Draft>]())

    package static func newDraft(_ context: CommandContext) -> Draft { Draft() }

    /// A container's networks, `none` and `host`, publish nothing: without a port there is nothing to list.
    package static func execute(_ draft: Draft, _ arguments: [String], _ context: CommandContext) throws -> Int32 {
        guard arguments.count <= 2 else {
            throw CommandError.arguments("'\(context.program) port' requires at most 2 arguments")
        }
        _ = try context.engine().container(named: arguments[0])
        guard arguments.count == 2 else { return 0 }
        let text = arguments[1]
        let (number, name) = text.cut("/")
        guard UInt16(number) != nil, ["tcp", "udp", "sctp"].contains(name ?? "tcp") else {
            throw CommandError.failed("invalid port (\(Names.printable(text)))", code: 1)
        }
        throw CommandError.failed("No public port '\(text)' published for \(arguments[0])", code: 1)
    }
}
