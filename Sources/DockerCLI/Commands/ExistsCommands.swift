internal import Engine

/// podman's `container exists`, `image exists`, `network exists`, `volume exists`: the exit code tells, 1 for no.
package protocol ExistsCommand: Command where Draft == ExistsDraft {
    /// False, or the error of an object that is not there, for no.
    static func isThere(_ name: String, _ engine: any EngineVerbs) throws -> Bool
}

package struct ExistsDraft: Sendable {}

extension ExistsCommand {
    /// As podman: 1 is an answer, so that a failure is another number.
    package static var failureCode: Int32 { 125 }
    package static var flags: FlagTable<ExistsDraft> { FlagTable([Flag<ExistsDraft>]()) }

    package static func newDraft(_ context: CommandContext) -> ExistsDraft { ExistsDraft() }

    package static func execute(
        _ draft: ExistsDraft, _ arguments: [String], _ context: CommandContext
    ) throws -> Int32 {
        do {
            return try isThere(arguments[0], try context.engine()) ? 0 : 1
        } catch let error as any MissingObjectError where error.isMissingObject {
            return 1
        }
    }
}

/// `container exists CONTAINER`.
package enum ContainerExistsCommand: ExistsCommand {
    package static let info = CommandInfo(
        path: "container exists", synopsis: "CONTAINER", summary: "Tell by the exit code whether a container is there",
        aliases: ["container exists"], arguments: .exactly(1), operands: [.container(.any)])
    package static let flags = FlagTable<ExistsDraft>([
        .ignored("external", type: "bool", "Containers of other tools; there are none here", warning: nil)
    ])

    package static func isThere(_ name: String, _ engine: any EngineVerbs) throws -> Bool {
        _ = try engine.container(named: name)
        return true
    }
}

/// `image exists IMAGE`.
package enum ImageExistsCommand: ExistsCommand {
    package static let info = CommandInfo(
        path: "image exists", synopsis: "IMAGE", summary: "Tell by the exit code whether an image is there",
        aliases: ["image exists"], arguments: .exactly(1), operands: [.image])

    package static func isThere(_ name: String, _ engine: any EngineVerbs) throws -> Bool {
        try engine.imageID(named: name) != nil
    }
}

/// `volume exists VOLUME`.
package enum VolumeExistsCommand: ExistsCommand {
    package static let info = CommandInfo(
        path: "volume exists", synopsis: "VOLUME", summary: "Tell by the exit code whether a volume is there",
        aliases: ["volume exists"], arguments: .exactly(1), operands: [.volume])

    package static func isThere(_ name: String, _ engine: any EngineVerbs) throws -> Bool {
        _ = try engine.volume(named: name)
        return true
    }
}

/// `network exists NETWORK`.
package enum NetworkExistsCommand: ExistsCommand {
    package static let info = CommandInfo(
        path: "network exists", synopsis: "NETWORK", summary: "Tell by the exit code whether a network is there",
        aliases: ["network exists"], arguments: .exactly(1), operands: [.network])

    package static func isThere(_ name: String, _ engine: any EngineVerbs) throws -> Bool {
        _ = try engine.networkDetails(named: name)
        return true
    }
}
