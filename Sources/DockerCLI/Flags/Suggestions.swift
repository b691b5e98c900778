/// Did-you-mean.
package enum Suggestions {
    /// Those of `candidates` that are at most two edits away, or that begin with what was typed; at most three.
    package static func near(_ word: String, in candidates: some Sequence<String>) -> [String] {
        let typed = Array(word.lowercased().utf8)
        // A word that long is no slip, and the table below grows with its square.
        guard !typed.isEmpty, typed.count <= 40 else { return [] }
        return candidates.map { ($0, distance(typed, Array($0.utf8))) }
            .filter { $0.1 <= min(2, typed.count - 1) || (typed.count > 1 && $0.0.utf8.starts(with: typed)) }
            .sorted { ($0.1, $0.0) < ($1.1, $1.0) }
            .prefix(3).map(\.0)
    }

    /// Levenshtein's distance.
    private static func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
        var row = Array(0...right.count)
        for (i, a) in left.enumerated() {
            var previous = row[0]
            row[0] = i + 1
            for (j, b) in right.enumerated() {
                let above = row[j + 1]
                row[j + 1] = min(above + 1, row[j] + 1, previous + (a == b ? 0 : 1))
                previous = above
            }
        }
        return row[right.count]
    }
}
