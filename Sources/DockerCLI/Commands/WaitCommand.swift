package import Engine
internal import OCI

/// `wait [OPTIONS] CONTAINER [CONTAINER...]`.
package enum WaitCommand: Command {
    package struct Draft: Sendable {
        package var conditions: [WaitCondition] = []
        /// Nanoseconds; nil: it is woken.
        package var interval: Int64?
        package var selection = ContainerSelection()
    }

    package static let info = CommandInfo(
        path: "wait", synopsis: "[OPTIONS] CONTAINER [CONTAINER...]", summary: "Wait until containers end",
        aliases: ["container wait", "wait"], arguments: .atLeast(0),
        operands: [.container(.running)])

    package static let flags = FlagTable<Draft>(
        [
            .value(
                "condition", type: "list", takes: .names(of: WaitCondition.self), "What to wait for: " + names,
                default: "not-running"
            ) {
                (draft, text) throws(ValueError) in
                for word in text.pieces(",") { draft.conditions.append(try condition(word)) }
            },
            .value(
                "interval", short: "i", takes: .text, "Look at least so often, as in 250ms; a change wakes it anyway"
            ) {
                (draft, text) throws(ValueError) in
                draft.interval = try interval(text)
            },
        ] + ContainerSelection.flags(\.selection, shorts: "afl"))

    private static let names = WaitCondition.allCases.map(\.rawValue).sorted().joined(separator: ", ")

    package static func newDraft(_ context: CommandContext) -> Draft { Draft() }

    /// Prints each exit code; as podman, -1 for a container that did not end.
    package static func execute(_ draft: Draft, _ arguments: [String], _ context: CommandContext) throws -> Int32 {
        let engine = try context.engine()
        let names = try draft.selection.names(arguments, engine, info, "\(context.program) wait") {
            !draft.conditions.isEmpty || $0.condition.isRunning
        }
        let conditions = draft.conditions.isEmpty ? [.notRunning] : draft.conditions
        return draft.selection.each(names, context) { name in
            do {
                return "\(try engine.wait(name, for: conditions, interval: draft.interval))"
            } catch let error as any MissingObjectError where draft.selection.ignoresMissing && error.isMissingObject {
                return "-1"
            }
        }
    }

    private static func condition(_ word: String) throws(ValueError) -> WaitCondition {
        guard let condition = WaitCondition(rawValue: word) else {
            throw .plain("unknown container state: \(Names.printable(word)): invalid argument")
        }
        return condition
    }

    /// A duration, or a number of milliseconds.
    private static func interval(_ text: String) throws(ValueError) -> Int64 {
        guard let time = GoDuration.nanoseconds(text) ?? GoDuration.nanoseconds(text + "ms"), time >= 0 else {
            throw .invalid("time: invalid duration \(GoValue.quoted(text))")
        }
        return time
    }
}
