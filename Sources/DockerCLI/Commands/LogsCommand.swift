internal import Engine
internal import Logs

/// `logs [OPTIONS] CONTAINER [CONTAINER...]`.
package enum LogsCommand: Command {
    package struct Draft: Sendable {
        package var follow = false
        package var since = ""
        package var until = ""
        package var tail = "all"
        package var timestamps = false
        package var details = false
        package var names = false
    }

    package static let info = CommandInfo(
        path: "logs", synopsis: "[OPTIONS] CONTAINER [CONTAINER...]", summary: "Show what a container wrote",
        aliases: ["container logs", "logs"], arguments: .atLeast(1), operands: [.container(.any)])

    package static let flags = FlagTable<Draft>([
        .bool("details", "Show the labels and variables that --log-opt asked for") { $0.details = $1 },
        .bool("follow", short: "f", "Go on until the container ends") { $0.follow = $1 },
        .bool("names", "Begin each line with the container's name") { $0.names = $1 },
        .value("since", takes: .text, "Begin with the entries of this time (2024-01-02T15:04:05Z, 42m)") {
            $0.since = $1
        },
        .value("tail", short: "n", takes: .words(["all"]), "Show only so many of the last lines", default: "\"all\"") {
            $0.tail = $1
        },
        .bool("timestamps", short: "t", "Begin each line with its time") { $0.timestamps = $1 },
        .value("until", takes: .text, "End with the entries of this time") { $0.until = $1 },
    ])

    package static func newDraft(_ context: CommandContext) -> Draft { Draft() }

    package static func execute(_ draft: Draft, _ arguments: [String], _ context: CommandContext) throws -> Int32 {
        var request = LogsRequest(containers: arguments)
        request.query.since = try TimeFlag.read(draft.since, "since")
        request.query.until = try TimeFlag.read(draft.until, "until")
        // As docker: what is no number of lines is all of them.
        request.query.tail = Int(draft.tail).flatMap { $0 < 0 ? nil : $0 }
        request.follow = draft.follow
        request.outputs = context.output.descriptors
        let printer = LogPrinter(draft, naming: draft.names || arguments.count > 1, context)
        defer { printer.flush() }
        try context.engine().logs(request, observer: printer)
        return 0
    }
}

/// Prints entries as docker does: what a container wrote to standard error goes there.
final class LogPrinter: LogsObserver {
    private let timestamps: Bool
    private let details: Bool
    private let isNaming: Bool
    private let output: any TextOutput
    private let errors: any TextOutput
    /// Gathered for one of the two; the other one's turn writes it, so that a terminal shows them in order.
    private var gathered: [UInt8] = []
    private var goesToErrors = false
    /// Containers' streams whose last entry was a part of a line.
    private var unfinished: Set<LineKey> = []
    private static let batch = 1 << 16

    private struct LineKey: Hashable {
        let container: String
        let stream: LogEntry.Stream
    }

    init(_ draft: LogsCommand.Draft, naming: Bool, _ context: CommandContext) {
        timestamps = draft.timestamps
        details = draft.details
        isNaming = naming
        output = context.output
        errors = context.errors
    }

    func take(_ entry: LogEntry, of source: LogSource) -> Bool {
        let toErrors = entry.stream == .stderr && !source.hasTerminal
        if toErrors != goesToErrors { flush() }
        goesToErrors = toErrors
        prefix(entry, source)
        gathered.append(contentsOf: entry.text)
        if gathered.count >= LogPrinter.batch { flush() }
        return true
    }

    func notice(_ notice: LogNotice) {
        flush()
        errors.line("WARNING: \(notice)")
    }

    func willWait() { flush() }

    func flush() {
        if gathered.isEmpty { return }
        (goesToErrors ? errors : output).write(String(decoding: gathered, as: UTF8.self))
        gathered.removeAll(keepingCapacity: true)
    }

    /// A line in several parts has one prefix.
    private func prefix(_ entry: LogEntry, _ source: LogSource) {
        guard timestamps || details || isNaming else { return }
        let key = LineKey(container: source.id, stream: entry.stream)
        let isContinued = entry.endsLine ? unfinished.remove(key) != nil : !unfinished.insert(key).inserted
        if isContinued { return }
        if isNaming { gathered += "\(source.name) ".utf8 }
        if timestamps { gathered += "\(entry.time.text) ".utf8 }
        if details { gathered += "\(LogPrinter.details(entry.attributes)) ".utf8 }
    }

    /// `key=value,…`, escaped as in a URL's query.
    private static func details(_ attributes: [String: String]) -> String {
        attributes.sorted { $0.key < $1.key }.map { "\(escaped($0.key))=\(escaped($0.value))" }.joined(separator: ",")
    }

    private static func escaped(_ text: String) -> String {
        var result = ""
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."),
                UInt8(ascii: "~"):
                result.unicodeScalars.append(Unicode.Scalar(byte))
            case UInt8(ascii: " "): result += "+"
            default: result += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
            }
        }
        return result
    }
}
