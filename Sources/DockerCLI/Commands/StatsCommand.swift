package import Engine
internal import Glibc

/// `stats [OPTIONS] [CONTAINER...]`.
package enum StatsCommand: Command {
    package struct Draft: Sendable {
        package var all = false
        package var stream = true
        package var truncate = true
        package var redraws = true
        /// Seconds between two looks.
        package var interval: Int64 = 1
        package var format = ""

        package init() {}
    }

    package static let info = CommandInfo(
        path: "stats", synopsis: "[OPTIONS] [CONTAINER...]",
        summary: "Display a live stream of container(s) resource usage statistics",
        aliases: ["container stats", "stats"], arguments: .atLeast(0), operands: [.container(.running)])

    package static let flags = FlagTable<Draft>([
        .bool("all", short: "a", "Show all containers, not the running ones only") { $0.all = $1 },
        .value("format", takes: .listFormat, "Output as table, \"table TEMPLATE\", json, or by a Go template") {
            $0.format = $1
        },
        .value("interval", short: "i", type: "int", "Seconds between two looks", default: "1") {
            (draft, text) throws(ValueError) in
            draft.interval = try GoValue.int64(text)
            guard (1...3600).contains(draft.interval) else { throw .invalid("must be between 1 and 3600") }
        },
        .bool("no-reset", "Keep what was shown before instead of redrawing the screen") { $0.redraws = !$1 },
        .bool("no-stream", "Show what is used now and end") { $0.stream = !$1 },
        .bool("no-trunc", "Show IDs in full") { $0.truncate = !$1 },
    ])

    package static func newDraft(_ context: CommandContext) -> Draft { Draft() }

    package static func execute(_ draft: Draft, _ arguments: [String], _ context: CommandContext) throws -> Int32 {
        let table: StatsTable
        do throws(TemplateError) {
            table = try StatsTable(draft)
        } catch {
            throw CommandError.failed("template parsing error: \(error)", code: 1)
        }
        let screen = StatsScreen(context.output, redraws: draft.redraws && draft.stream)
        let look = try context.engine().statsWatch(arguments, all: draft.all)
        // A CPU's share takes two looks. The first ones are close, so that something is shown soon.
        _ = try look()
        var pause: UInt32 = 500_000
        while true {
            usleep(pause)
            let stats = try look()
            if stats.isEmpty, !arguments.isEmpty { return 0 }
            if !stats.isEmpty || draft.stream { screen.show(try table.render(stats)) }
            if !draft.stream { return 0 }
            pause = UInt32(draft.interval) * 1_000_000
        }
    }
}

/// Redraws the table in place on a terminal; elsewhere each one follows the last.
struct StatsScreen {
    private let output: any TextOutput
    private let redraws: Bool

    init(_ output: any TextOutput, redraws: Bool) {
        self.output = output
        self.redraws = redraws && output.isTerminal
        if self.redraws { output.write("\u{1b}[2J") }
    }

    func show(_ text: String) {
        guard redraws else { return output.write(text) }
        // What does not fit would scroll, and the next one would begin in the wrong place. Each line ends by erasing
        // what a longer one left there; below the last, all.
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).dropLast().prefix(output.rows - 1)
        output.write("\u{1b}[H" + lines.map { "\($0)\u{1b}[K\n" }.joined() + "\u{1b}[J")
    }
}

/// The rows and the layout of `stats`.
package struct StatsTable {
    private let format: ListFormat
    private let truncate: Bool
    private static let absent = "--"

    package init(_ draft: StatsCommand.Draft) throws(TemplateError) {
        truncate = draft.truncate
        format = try ListFormat(
            draft.format,
            standard:
                "{{.ID}}\t{{.Name}}\t{{.CPUPerc}}\t{{.MemUsage}}\t{{.MemPerc}}\t{{.NetIO}}\t{{.BlockIO}}\t{{.PIDs}}")
    }

    package func render(_ stats: [ContainerStats]) throws(TemplateError) -> String {
        try format.render(header: StatsTable.header, stats.map(row))
    }

    private static let header = TemplateValue.record(
        [
            ("BlockIO", "BLOCK I/O"), ("CPUPerc", "CPU %"), ("Container", "CONTAINER"), ("ID", "CONTAINER ID"),
            ("MemPerc", "MEM %"), ("MemUsage", "MEM USAGE / LIMIT"), ("Name", "NAME"), ("NetIO", "NET I/O"),
            ("PIDs", "PIDS"),
        ].map { TemplateValue.Field($0.0, .string($0.1)) })

    private func row(_ stats: ContainerStats) -> TemplateValue {
        let memory = [stats.memoryUsed, stats.memoryLimit].map { StatsTable.size($0, Human.binarySize) }
        return .row(
            [
                ("BlockIO", StatsTable.traffic(stats.blockIO)), ("CPUPerc", StatsTable.percent(stats.cpuPercent)),
                ("Container", stats.id), ("ID", truncate ? String(stats.id.prefix(12)) : stats.id),
                ("MemPerc", StatsTable.percent(stats.memoryPercent)), ("MemUsage", memory.joined(separator: " / ")),
                ("Name", stats.name), ("NetIO", StatsTable.traffic(stats.network)),
                ("PIDs", stats.pids.map(String.init) ?? StatsTable.absent),
            ].map { TemplateValue.Field($0.0, .string($0.1)) })
    }

    private static func size(_ bytes: UInt64?, _ text: (Int64) -> String) -> String {
        bytes.map { text(Int64(clamping: $0)) } ?? absent
    }

    private static func traffic(_ traffic: ContainerStats.Traffic?) -> String {
        [traffic?.read, traffic?.written].map { size($0) { Human.size($0, digits: 3) } }.joined(separator: " / ")
    }

    /// Two digits behind the point, as printf's `%.2f`.
    private static func percent(_ value: Double?) -> String {
        guard let value else { return absent }
        let hundredths = UInt64((max(0, min(value, 1e12)) * 100).rounded())
        let fraction = hundredths % 100
        return "\(hundredths / 100).\(fraction < 10 ? "0" : "")\(fraction)%"
    }
}
