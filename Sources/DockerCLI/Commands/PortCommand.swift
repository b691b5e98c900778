internal import Engine
internal import OCI

/// `port CONTAINER [PRIVATE_PORT[/PROTO]]`.
package enum PortCommand: Command {
    package struct Draft: Sendable {}

    package static let info = CommandInfo(
        path: "port", synopsis: "CONTAINER [PRIVATE_PORT[/PROTO]]",
        summary: "List the published ports of a container", aliases: ["container port", "port"],
        arguments: .atLeast(1), operands: [.container(.running), .text])
    package static let flags = FlagTable<Draft>([Flag<Draft>]())

    package static func newDraft(_ context: CommandContext) -> Draft { Draft() }

    package static func execute(_ draft: Draft, _ arguments: [String], _ context: CommandContext) throws -> Int32 {
        guard arguments.count <= 2 else {
            throw CommandError.arguments("'\(context.program) port' requires at most 2 arguments")
        }
        let details = try context.engine().details(of: arguments[0], withSize: false)
        guard arguments.count == 2 else {
            let ports = details.ports.sorted { $0.key < $1.key }
            for (port, places) in ports { for place in places { context.output.line("\(port) -> \(text(place))") } }
            return 0
        }
        let places = details.ports[try port(arguments[1])] ?? []
        if places.isEmpty {
            throw CommandError.failed("No public port '\(arguments[1])' published for \(arguments[0])", code: 1)
        }
        for place in places { context.output.line(text(place)) }
        return 0
    }

    private static func text(_ place: PublishedPort) -> String { "\(place.address.text):\(place.hostPort)" }

    private static func port(_ text: String) throws -> ContainerPort {
        let (number, name) = text.cut("/")
        guard let number = UInt16(number), let transport = PortProtocol(rawValue: name ?? "tcp") else {
            throw CommandError.failed("invalid port (\(Names.printable(text)))", code: 1)
        }
        return ContainerPort(number, transport)
    }
}
