package import Engine

/// What `run --timing` prints: a line a phase, in the order in which they came.
package enum TimingTable {
    /// - Parameter spent: nanoseconds of each phase; one that did not happen is left out.
    package static func lines(_ spent: [RunPhase: Int64]) -> [String] {
        let phases = RunPhase.allCases.filter { spent[$0] != nil }
        let total = spent.values.reduce(0, +)
        return phases.map { line($0.rawValue, spent[$0] ?? 0, $0.meaning) }
            + [line("total", total, own(total - (spent[.container] ?? 0), of: total))]
    }

    private static func own(_ ours: Int64, of total: Int64) -> String {
        ours == total ? "" : "of it \(milliseconds(ours)) ms without the command itself"
    }

    private static func line(_ name: String, _ nanoseconds: Int64, _ meaning: String) -> String {
        let number = milliseconds(nanoseconds)
        let cells = name + String(repeating: " ", count: max(1, 18 - name.count - number.count)) + number + " ms"
        return meaning.isEmpty ? cells : "\(cells)  \(meaning)"
    }

    /// To ten microseconds.
    private static func milliseconds(_ nanoseconds: Int64) -> String {
        let hundredths = (nanoseconds + 5000) / 10_000
        let fraction = hundredths % 100
        return "\(hundredths / 100).\(fraction < 10 ? "0" : "")\(fraction)"
    }
}
