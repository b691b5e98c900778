internal import Engine
internal import Logs

/// Questions before something is removed for good.
enum Confirmation {
    /// Prints docker's warning and waits for `y`; anything else, and the end of the input, means no.
    static func ask(_ warning: String, _ context: CommandContext) -> Bool {
        context.output.write("WARNING! \(warning)\nAre you sure you want to continue? [y/N] ")
        guard let answer = context.readLine() else { return false }
        let word = answer.lowercased().filter { $0 != " " && $0 != "\r" }
        return word == "y"
    }
}

/// `prune --filter`: what every kind has.
package struct PruneFilter: Sendable, Hashable {
    private var labels: [String] = []
    private var excludedLabels: [String] = []
    private var until: [String] = []
    /// Keys that only one kind has.
    private(set) var rest: [String: [String]] = [:]

    package static let values = ValueKind.filter([FilterKey("label"), FilterKey("label!"), FilterKey("until")])

    package init() {}

    package mutating func add(_ text: String) throws(ValueError) {
        guard let (key, value) = try FilterText.split(text) else { return }
        switch key {
        case "label": labels.append(value)
        case "label!": excludedLabels.append(value)
        case "until": until.append(value)
        default: rest[key, default: []].append(value)
        }
    }

    /// Seconds since 1970 before which something must have been made; nil: no matter when.
    func bound(now: Int64) throws(ValueError) -> Int64? {
        guard let text = until.first else { return nil }
        if until.count > 1 { throw .plain("more than one until filter specified") }
        return try PruneFilter.moment(text, now: now)
    }

    static func moment(_ text: String, now: Int64) throws(ValueError) -> Int64 {
        if let moment = LogTime(argument: text, now: LogTime(seconds: now, nanoseconds: 0)) { return moment.seconds }
        throw .plain("failed to parse value as time or duration: \(GoValue.quoted(text))")
    }

    var hasBound: Bool { !until.isEmpty }

    /// `KEY=VALUE` of all that was given, as a question shows them.
    var texts: [String] {
        labels.map { "label=\($0)" } + excludedLabels.map { "label!=\($0)" } + until.map { "until=\($0)" }
    }

    func accepts(_ actual: [String: String]) -> Bool {
        func has(_ label: String) -> Bool {
            let (key, value) = label.cut("=")
            return actual[key].map { value == nil || value == $0 } ?? false
        }
        return labels.allSatisfy(has) && !excludedLabels.contains(where: has)
    }

    func checkKeys(_ allowed: Set<String>) throws(ValueError) {
        if let key = rest.keys.sorted().first(where: { !allowed.contains($0) }) {
            throw .plain("invalid filter '\(Names.printable(key))'")
        }
    }
}

extension Reclaimed {
    /// Says what is gone, and what could not be removed; returns the exit code.
    func print(
        _ title: String, total: String = "Total reclaimed space", _ context: CommandContext
    ) -> Int32 {
        list(title, context)
        context.output.line("\(total): \(Human.size(bytes))")
        for problem in problems { context.errors.line("\(context.program): \(problem)") }
        return problems.isEmpty ? 0 : 1
    }

    func list(_ title: String, _ context: CommandContext) {
        if !names.isEmpty { context.output.write(([title] + names).joined(separator: "\n") + "\n\n") }
    }
}
