internal import Engine

/// `pause CONTAINER [CONTAINER...]`.
package enum PauseCommand: Command {
    package struct Draft: Sendable {
        package var selection = ContainerSelection()
    }

    package static let info = CommandInfo(
        path: "pause", synopsis: "CONTAINER [CONTAINER...]",
        summary: "Pause all processes within one or more containers", aliases: ["container pause", "pause"],
        arguments: .atLeast(0), operands: [.container(.running)])

    package static let flags = FlagTable<Draft>(ContainerSelection.flags(\.selection, ignore: false))

    package static func newDraft(_ context: CommandContext) -> Draft { Draft() }

    package static func execute(_ draft: Draft, _ arguments: [String], _ context: CommandContext) throws -> Int32 {
        let engine = try context.engine()
        let names = try draft.selection.names(arguments, engine, info, "\(context.program) pause") {
            $0.condition.isRunning && !$0.isPaused
        }
        return draft.selection.each(names, context) { name in
            try engine.pause(name)
            return name
        }
    }
}

/// `unpause CONTAINER [CONTAINER...]`.
package enum UnpauseCommand: Command {
    package typealias Draft = PauseCommand.Draft

    package static let info = CommandInfo(
        path: "unpause", synopsis: "CONTAINER [CONTAINER...]",
        summary: "Unpause all processes within one or more containers", aliases: ["container unpause", "unpause"],
        arguments: .atLeast(0), operands: [.container(.paused)])

    package static let flags = PauseCommand.flags

    package static func newDraft(_ context: CommandContext) -> Draft { Draft() }

    package static func execute(_ draft: Draft, _ arguments: [String], _ context: CommandContext) throws -> Int32 {
        let engine = try context.engine()
        let names = try draft.selection.names(arguments, engine, info, "\(context.program) unpause") {
            $0.isPaused
        }
        return draft.selection.each(names, context) { name in
            try engine.unpause(name)
            return name
        }
    }
}
