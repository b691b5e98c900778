internal import Engine
internal import Logs

/// `events [OPTIONS]`.
package enum EventsCommand: Command {
    package struct Draft: Sendable {
        package var since = ""
        package var until = ""
        package var format = ""
        package var filter = EventFilter()
    }

    package static let info = CommandInfo(
        path: "events", synopsis: "[OPTIONS]", summary: "Show what happens", aliases: ["system events", "events"],
        arguments: .none)

    package static let flags = FlagTable<Draft>([
        .value("filter", short: "f", type: "filter", takes: EventFilter.values, "Show only events that fit: KEY=VALUE")
        {
            (draft, text) throws(ValueError) in
            try draft.filter.add(text)
        },
        .value("format", takes: .objectFormat, "Output as json or by a Go template") { $0.format = $1 },
        .value("since", takes: .text, "Begin with the events of this time (2024-01-02T15:04:05Z, 42m)") {
            $0.since = $1
        },
        .value("until", takes: .text, "End with the events of this time") { $0.until = $1 },
    ])

    package static func newDraft(_ context: CommandContext) -> Draft { Draft() }

    /// docker's code for a format that is none.
    private static let formatCode: Int32 = 64

    package static func execute(_ draft: Draft, _ arguments: [String], _ context: CommandContext) throws -> Int32 {
        var query = EventQuery()
        query.since = try TimeFlag.read(draft.since, "since")
        query.until = try TimeFlag.read(draft.until, "until")
        let format = try format(draft.format)
        var failure: TemplateError?
        try context.engine().events(query, outputs: context.output.descriptors) { event in
            guard draft.filter.includes(event) else { return true }
            do throws(TemplateError) {
                context.output.write(
                    try format?.render(header: .null, [EventValue.make(event)]) ?? event.line + "\n")
                return true
            } catch {
                failure = error
                return false
            }
        } notice: {
            context.errors.line("WARNING: \($0)")
        }
        if let failure { throw CommandError.failed("template parsing error: \(failure)", code: 1) }
        return 0
    }

    /// Tried on an empty event, so that a wrong name is told before the first one comes.
    private static func format(_ text: String) throws(CommandError) -> ListFormat? {
        if text.isEmpty { return nil }
        do throws(TemplateError) {
            let format = try ListFormat(text, standard: "")
            let empty = Event("", "", actor: "", time: LogTime(seconds: 0, nanoseconds: 0))
            _ = try format.render(header: .null, [EventValue.make(empty)])
            return format
        } catch {
            throw .failed("Error parsing format: \(error)", code: formatCode)
        }
    }
}

/// An event as docker's templates and JSON have it.
enum EventValue {
    private typealias Field = TemplateValue.Field

    static func make(_ event: Event) -> TemplateValue {
        let status = event.hasStatus ? (event.action, event.actor) : ("", "")
        return .record([
            Field("Status", .string(status.0), omitsEmpty: true, key: "status"),
            Field("ID", .string(status.1), omitsEmpty: true, key: "id"),
            Field("From", .string(event.from), omitsEmpty: true, key: "from"),
            Field("Type", .string(event.type)), Field("Action", .string(event.action)),
            Field(
                "Actor",
                .record([
                    Field("ID", .string(event.actor)),
                    Field("Attributes", .map(event.attributes.mapValues { .string($0) })),
                ])),
            Field("Scope", .string("local"), omitsEmpty: true, key: "scope"),
            Field("Time", .int(event.time.seconds), omitsEmpty: true, key: "time"),
            Field("TimeNano", .int(event.timeNanoseconds), omitsEmpty: true, key: "timeNano"),
        ])
    }
}

/// `--since` and `--until`.
enum TimeFlag {
    static func read(_ text: String, _ name: String) throws(CommandError) -> LogTime? {
        if text.isEmpty { return nil }
        guard let time = LogTime(argument: text, now: .now) else {
            let quoted = GoValue.quoted(text)
            throw .failed(
                "invalid value for \"\(name)\": failed to parse value as time or duration: \(quoted)", code: 1)
        }
        return time
    }
}
