package import Engine

/// `start [OPTIONS] CONTAINER [CONTAINER...]`.
package enum StartCommand: Command {
    package struct Draft: Sendable {
        package var attach = false
        package var interactive = false
        package var options = AttachOptions()
        package var selection = ContainerSelection()

        /// The oldest first, since a container may be made for one that was there. Who asks by restart policy wants what a
        /// daemon would start again: not what somebody stopped and asked to stay so.
        fileprivate func names(
            _ arguments: [String], _ engine: any EngineVerbs, _ context: CommandContext
        ) throws -> [String] {
            let asksForPolicy = selection.filter.asks(for: "restart-policy")
            let names = try selection.names(arguments, engine, info, "\(context.program) start") { container in
                if asksForPolicy, container.restart.kind == .unlessStopped, container.state.isStopped { return false }
                return !container.condition.isRunning && container.condition != .restarting
            }
            return arguments.isEmpty ? names.reversed() : names
        }
    }

    package static let info = CommandInfo(
        path: "start", synopsis: "[OPTIONS] CONTAINER [CONTAINER...]", summary: "Start stopped containers",
        aliases: ["container start", "start"], arguments: .atLeast(0), operands: [.container(.stopped)])

    package static let flags = FlagTable<Draft>(
        [
            .bool("attach", short: "a", "Connect output, errors and signals with the container") { $0.attach = $1 },
            .bool("interactive", short: "i", "Connect the container's input") { $0.interactive = $1 },
            .value("detach-keys", takes: .text, "Keys that detach from the container") { $0.options.detachKeys = $1 },
            .bool("sig-proxy", "Pass signals on when attached", default: "true") { $0.options.signalProxy = $1 },
            .planned("checkpoint", "Restore from this checkpoint"),
            .planned("checkpoint-dir", "Directory of checkpoints"),
        ] + ContainerSelection.flags(\.selection, ignore: false, shorts: "fl"))

    package static func newDraft(_ context: CommandContext) -> Draft { Draft() }

    package static func execute(_ draft: Draft, _ arguments: [String], _ context: CommandContext) throws -> Int32 {
        let engine = try context.engine()
        let names = try draft.names(arguments, engine, context)
        guard draft.attach || draft.interactive else {
            var failed = names
            let code = draft.selection.each(names, context) { name in
                try engine.start(name)
                failed.removeAll { $0 == name }
                return name
            }
            if !failed.isEmpty {
                context.errors.line(
                    "\(context.program): failed to start containers: \(failed.joined(separator: ", "))")
            }
            return code
        }
        guard names.count == 1 else {
            throw CommandError.failed("you cannot start and attach multiple containers at once", code: 1)
        }
        let outcome = try engine.startAttached(
            names[0], input: draft.interactive, options: draft.options
        ) { event in
            if case .warning(let text) = event { context.errors.line("WARNING: \(text)") }
        }
        guard case .ended(let code) = outcome else {
            Detached.say(context)
            return 0
        }
        return code
    }
}

/// `attach [OPTIONS] CONTAINER`.
package enum AttachCommand: Command {
    package struct Draft: Sendable {
        package var input = true
        package var options = AttachOptions()
        package var selection = ContainerSelection()
    }

    package static let info = CommandInfo(
        path: "attach", synopsis: "[OPTIONS] CONTAINER",
        summary: "Connect the terminal to a running container", aliases: ["container attach", "attach"],
        arguments: .atMost(1), operands: [.container(.running)])

    package static let flags = FlagTable<Draft>([
        .bool("no-stdin", "Do not connect the input") { $0.input = !$1 },
        .bool("sig-proxy", "Pass signals on", default: "true") { $0.options.signalProxy = $1 },
        .value("detach-keys", takes: .text, "Keys that detach from the container") { $0.options.detachKeys = $1 },
        .bool("latest", "The container that was made last") { $0.selection.latest = $1 },
    ])

    package static func newDraft(_ context: CommandContext) -> Draft { Draft() }

    package static func execute(_ draft: Draft, _ arguments: [String], _ context: CommandContext) throws -> Int32 {
        let engine = try context.engine()
        let names = try draft.selection.names(arguments, engine, info, "\(context.program) attach") { _ in true }
        guard let name = names.first else { return 0 }
        let outcome = try engine.attach(name, input: draft.input, options: draft.options)
        guard case .ended(let code) = outcome else {
            Detached.say(context)
            return 0
        }
        return code
    }
}

/// The word for a container that its user let go of by the keys for that.
enum Detached {
    static func say(_ context: CommandContext) { context.errors.line("read escape sequence") }
}
