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

/// podman's `container exists`, `image exists`, `volume exists`: the exit code tells, 1 for no.
package enum ExistsCommand {
    package struct Draft: Sendable {}

    static func code(_ body: () throws -> Void) throws -> Int32 {
        do {
            try body()
            return 0
        } catch let error as any MissingObjectError where error.isMissingObject {
            return 1
        }
    }
}

/// `container exists CONTAINER`.
package enum ContainerExistsCommand: Command {
    package static let info = CommandInfo(
        path: "container exists", synopsis: "CONTAINER", summary: "Tell by the exit code whether a container is there",
        aliases: ["container exists"], arguments: .exactly(1), operands: [.container(.any)])
    package static let flags = FlagTable<ExistsCommand.Draft>([
        .ignored("external", type: "bool", "Containers of other tools; there are none here", warning: nil)
    ])
    /// As podman: 1 is an answer, so that a failure is another number.
    package static var failureCode: Int32 { 125 }

    package static func newDraft(_ context: CommandContext) -> ExistsCommand.Draft { ExistsCommand.Draft() }

    package static func execute(
        _ draft: ExistsCommand.Draft, _ arguments: [String], _ context: CommandContext
    ) throws -> Int32 {
        let engine = try context.engine()
        return try ExistsCommand.code { _ = try engine.container(named: arguments[0]) }
    }
}

/// `image exists IMAGE`.
package enum ImageExistsCommand: Command {
    package static let info = CommandInfo(
        path: "image exists", synopsis: "IMAGE", summary: "Tell by the exit code whether an image is there",
        aliases: ["image exists"], arguments: .exactly(1), operands: [.image])
    package static let flags = FlagTable<ExistsCommand.Draft>([Flag<ExistsCommand.Draft>]())
    package static var failureCode: Int32 { 125 }

    package static func newDraft(_ context: CommandContext) -> ExistsCommand.Draft { ExistsCommand.Draft() }

    package static func execute(
        _ draft: ExistsCommand.Draft, _ arguments: [String], _ context: CommandContext
    ) throws -> Int32 {
        try context.engine().imageID(named: arguments[0]) == nil ? 1 : 0
    }
}

/// `volume exists VOLUME`.
package enum VolumeExistsCommand: Command {
    package static let info = CommandInfo(
        path: "volume exists", synopsis: "VOLUME", summary: "Tell by the exit code whether a volume is there",
        aliases: ["volume exists"], arguments: .exactly(1), operands: [.volume])
    package static let flags = FlagTable<ExistsCommand.Draft>([Flag<ExistsCommand.Draft>]())
    package static var failureCode: Int32 { 125 }

    package static func newDraft(_ context: CommandContext) -> ExistsCommand.Draft { ExistsCommand.Draft() }

    package static func execute(
        _ draft: ExistsCommand.Draft, _ arguments: [String], _ context: CommandContext
    ) throws -> Int32 {
        let engine = try context.engine()
        return try ExistsCommand.code { _ = try engine.volume(named: arguments[0]) }
    }
}
