/// Did-you-mean.
package enum NearestNames {
    /// Those of `candidates` that are a slip away, or that begin with what was typed, nearest first; at most three. A slip
    /// is one edit, in words of four letters and more two. Case does not count.
    package static func of(_ word: String, in candidates: some Sequence<String>) -> [String] {
        let typed = Array(word.lowercased().utf8)
        // A word that long is no slip, and the table below grows with its square.
        guard !typed.isEmpty, typed.count <= 40 else { return [] }
        let most = min(typed.count - 1, typed.count > 3 ? 2 : 1)
        var scored: [(name: String, edits: Int)] = []
        for candidate in candidates {
            let name = Array(candidate.lowercased().utf8)
            let edits = distance(typed, name)
            if edits <= most || (typed.count > 1 && name.starts(with: typed)) { scored.append((candidate, edits)) }
        }
        return scored.sorted { ($0.edits, $0.name) < ($1.edits, $1.name) }.prefix(3).map(\.name)
    }

    /// Levenshtein's distance, with two neighbours that changed places as one edit (optimal string alignment).
    private static func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
        var before: [Int] = []
        var last = Array(0...right.count)
        for (i, a) in left.enumerated() {
            var row = [i + 1]
            for (j, b) in right.enumerated() {
                var edits = min(last[j + 1] + 1, row[j] + 1, last[j] + (a == b ? 0 : 1))
                if i > 0, j > 0, a == right[j - 1], b == left[i - 1] { edits = min(edits, before[j - 1] + 1) }
                row.append(edits)
            }
            (before, last) = (last, row)
        }
        return last[right.count]
    }
}
