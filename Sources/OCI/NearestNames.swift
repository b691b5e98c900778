/// Did-you-mean.
package enum NearestNames {
    /// Those of `candidates` that are at most two edits away, or that begin with what was typed, nearest first; at most
    /// three. Case does not count.
    package static func of(_ word: String, in candidates: some Sequence<String>) -> [String] {
        let typed = Array(word.lowercased().utf8)
        // A word that long is no slip, and the table below grows with its square.
        guard !typed.isEmpty, typed.count <= 40 else { return [] }
        var scored: [(name: String, edits: Int)] = []
        for candidate in candidates {
            let name = Array(candidate.lowercased().utf8)
            let edits = distance(typed, name)
            if edits <= min(2, typed.count - 1) || (typed.count > 1 && name.starts(with: typed)) {
                scored.append((candidate, edits))
            }
        }
        return scored.sorted { ($0.edits, $0.name) < ($1.edits, $1.name) }.prefix(3).map(\.name)
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
