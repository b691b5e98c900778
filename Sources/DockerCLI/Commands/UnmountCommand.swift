package import Engine

/// podman's `unmount` and `image unmount`.
package protocol UnmountingCommand: Command where Draft == UnmountDraft {
    static var scope: MountScope { get }
    /// What podman says where nothing is named.
    static var nothingNamed: String { get }
}

package struct UnmountDraft: Sendable {
    package var all = false
    package var latest = false
    package var force = false
}

extension UnmountingCommand {
    package static var failureCode: Int32 { 125 }

    package static func newDraft(_ context: CommandContext) -> UnmountDraft { UnmountDraft() }

    package static func execute(
        _ draft: UnmountDraft, _ arguments: [String], _ context: CommandContext
    ) throws -> Int32 {
        let engine = try context.engine()
        var names = arguments
        if draft.all {
            if !arguments.isEmpty {
                throw CommandError.failed(
                    "when using the --all switch, you may not pass any names or IDs", code: failureCode)
            }
            names = try engine.mountedFiles(scope).map(\.id)
        } else if draft.latest {
            names = try engine.list().prefix(1).map(\.record.id)
            if names.isEmpty { throw CommandError.failed("no such container", code: failureCode) }
        } else if names.isEmpty {
            throw CommandError.failed(nothingNamed, code: failureCode)
        }
        return Mounting.each(names, context) { try engine.unmount($0, force: draft.force, scope) }
    }
}

/// `unmount [OPTIONS] CONTAINER|IMAGE|DIRECTORY...`.
package enum UnmountCommand: UnmountingCommand {
    package static let scope = MountScope.all
    package static let nothingNamed = "you must provide at least one name or id"
    package static let info = CommandInfo(
        path: "unmount", synopsis: "[OPTIONS] CONTAINER|IMAGE|DIRECTORY...",
        summary: "Unmount the files of containers and images",
        aliases: ["container unmount", "container umount", "umount", "unmount"], arguments: .atLeast(0),
        operands: [.either([.container(.any), .image, .directory])])

    package static let flags = FlagTable<UnmountDraft>([
        .bool("all", short: "a", "All that is mounted") { $0.all = $1 },
        .bool("force", short: "f", "Also from under those who use it") { $0.force = $1 },
        .bool("latest", short: "l", "The container that was made last") { $0.latest = $1 },
    ])
}

/// `image unmount [OPTIONS] IMAGE...`.
package enum ImageUnmountCommand: UnmountingCommand {
    package static let scope = MountScope.images
    package static let nothingNamed = "image name or ID must be specified"
    package static let info = CommandInfo(
        path: "image unmount", synopsis: "[OPTIONS] IMAGE...", summary: "Unmount the files of images",
        aliases: ["image unmount", "image umount"], arguments: .atLeast(0), operands: [.image])

    package static let flags = FlagTable<UnmountDraft>([
        .bool("all", short: "a", "All images") { $0.all = $1 },
        .bool("force", short: "f", "Also from under those who use it") { $0.force = $1 },
    ])
}
