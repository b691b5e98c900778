internal import Engine

/// How a container is asked to end.
package struct StopDraft: Sendable {
    package var signal: String?
    package var timeout: Int?
    package var selection = ContainerSelection()
    package var onlyRunning = false
    package var untilBoot = false

    static let flags: [Flag<StopDraft>] =
        [
            .value("signal", short: "s", takes: .signal, "Signal that asks the container to end") { $0.signal = $1 },
            .value("timeout", short: "t", type: "int", "Seconds until it is killed; -1 waits for ever", timeout),
            Flag.value("time", type: "int", "Seconds until it is killed", timeout)
                .hidden(deprecated: "use --timeout instead"),
        ] + ContainerSelection.flags(\.selection)

    private static let timeout: Flag<StopDraft>.Setter = { (draft, text) throws(ValueError) in
        draft.timeout = Int(try GoValue.int64(text))
    }
}

/// `stop [OPTIONS] CONTAINER [CONTAINER...]`.
package enum StopCommand: Command {
    package static let info = CommandInfo(
        path: "stop", synopsis: "[OPTIONS] CONTAINER [CONTAINER...]", summary: "Stop running containers",
        aliases: ["container stop", "stop"], arguments: .atLeast(0), operands: [.container(.running)])
    package static let flags = FlagTable<StopDraft>(
        StopDraft.flags + [
            .bool("until-boot", "As a shutdown does: restart policies start them again after a boot") {
                $0.untilBoot = $1
            }
        ])

    package static func newDraft(_ context: CommandContext) -> StopDraft { StopDraft() }

    package static func execute(
        _ draft: StopDraft, _ arguments: [String], _ context: CommandContext
    ) throws -> Int32 {
        let engine = try context.engine()
        let names = try draft.selection.names(arguments, engine, info, "\(context.program) stop") {
            $0.condition.isRunning || $0.condition == .restarting
        }
        return draft.selection.each(names, context) { name in
            if draft.untilBoot {
                try engine.stopUntilBoot(name, signal: draft.signal, timeout: draft.timeout)
            } else {
                try engine.stop(name, signal: draft.signal, timeout: draft.timeout)
            }
            return name
        }
    }
}

/// `restart [OPTIONS] CONTAINER [CONTAINER...]`.
package enum RestartCommand: Command {
    package static let info = CommandInfo(
        path: "restart", synopsis: "[OPTIONS] CONTAINER [CONTAINER...]", summary: "Stop and start containers",
        aliases: ["container restart", "restart"], arguments: .atLeast(0), operands: [.container(.any)])
    package static let flags = FlagTable<StopDraft>(
        StopDraft.flags + [.bool("running", "All containers that run") { $0.onlyRunning = $1 }])

    package static func newDraft(_ context: CommandContext) -> StopDraft { StopDraft() }

    package static func execute(
        _ draft: StopDraft, _ arguments: [String], _ context: CommandContext
    ) throws -> Int32 {
        let engine = try context.engine()
        var selection = draft.selection
        selection.all = selection.all || draft.onlyRunning
        let names = try selection.names(arguments, engine, info, "\(context.program) restart") {
            !draft.onlyRunning || $0.condition.isRunning
        }
        return selection.each(names, context) { name in
            try engine.restart(name, signal: draft.signal, timeout: draft.timeout)
            return name
        }
    }
}

/// `kill [OPTIONS] CONTAINER [CONTAINER...]`.
package enum KillCommand: Command {
    package struct Draft: Sendable {
        package var signal: String?
        package var selection = ContainerSelection()
    }

    package static let info = CommandInfo(
        path: "kill", synopsis: "[OPTIONS] CONTAINER [CONTAINER...]", summary: "Send a signal to containers",
        aliases: ["container kill", "kill"], arguments: .atLeast(0), operands: [.container(.running)])
    package static let flags = FlagTable<Draft>(
        [.value("signal", short: "s", takes: .signal, "Signal to send", default: "\"KILL\"") { $0.signal = $1 }]
            + ContainerSelection.flags(\.selection))

    package static func newDraft(_ context: CommandContext) -> Draft { Draft() }

    package static func execute(_ draft: Draft, _ arguments: [String], _ context: CommandContext) throws -> Int32 {
        let engine = try context.engine()
        let names = try draft.selection.names(arguments, engine, info, "\(context.program) kill") {
            $0.condition.isRunning
        }
        return draft.selection.each(names, context) { name in
            try engine.kill(name, signal: draft.signal)
            return name
        }
    }
}
