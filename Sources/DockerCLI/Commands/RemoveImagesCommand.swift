internal import Engine

/// `rmi [OPTIONS] IMAGE [IMAGE...]`.
package enum RemoveImagesCommand: Command {
    package struct Draft: Sendable {
        package var force = false
        package var prune = true
    }

    package static let info = CommandInfo(
        path: "rmi", synopsis: "[OPTIONS] IMAGE [IMAGE...]", summary: "Remove images",
        aliases: ["image rm", "image remove", "rmi"], arguments: .atLeast(1), operands: [.image])

    package static let flags = FlagTable<Draft>([
        .bool("force", short: "f", "Remove even what several names or stopped containers use") { $0.force = $1 },
        .bool("no-prune", "Keep untagged parents") { $0.prune = !$1 },
        .planned("platform", type: "strings", "Remove one platform's variant only"),
    ])

    package static func newDraft(_ context: CommandContext) -> Draft { Draft() }

    /// All are tried; the exit code tells whether one failed. With `--force`, as docker has it, one that is not there is
    /// only told of.
    package static func execute(_ draft: Draft, _ arguments: [String], _ context: CommandContext) throws -> Int32 {
        let engine = try context.engine()
        var code: Int32 = 0
        for name in arguments {
            do {
                for removal in try engine.removeImage(name, force: draft.force, prune: draft.prune) {
                    switch removal {
                    case .untagged(let name): context.output.line("Untagged: \(name)")
                    case .deleted(let id): context.output.line("Deleted: \(id)")
                    }
                }
            } catch let error as any MissingObjectError where draft.force && error.isMissingObject {
                context.errors.line("\(context.program): \(error)")
            } catch {
                context.errors.line("\(context.program): \(error)")
                code = 1
            }
        }
        return code
    }
}
