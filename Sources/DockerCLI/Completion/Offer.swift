internal import OCI

/// What a shell is told to offer.
struct Offer: Sendable, Hashable {
    struct Candidate: Sendable, Hashable {
        var text: String
        /// What it is, in a few words; shells that can show it beside.
        var note = ""
    }

    enum Paths: String, Sendable, Hashable { case none, files, directories }

    var candidates: [Candidate] = []
    /// Whether the shell adds paths of its own.
    var paths = Paths.none
    /// So many characters of the word stand before the path.
    var pathStart = 0

    static func + (left: Offer, right: Offer) -> Offer {
        var sum = left
        sum.candidates += right.candidates
        if sum.paths == .none { (sum.paths, sum.pathStart) = (right.paths, right.pathStart) }
        return sum
    }

    /// The same behind a fixed beginning.
    func behind(_ prefix: String) -> Offer {
        Offer(
            candidates: candidates.map { Candidate(text: prefix + $0.text, note: $0.note) }, paths: paths,
            pathStart: pathStart + prefix.count)
    }

    /// What continues `typed` and can be said on one line. Names in a store that somebody wrote into by hand, and of
    /// files in a container, may be anything.
    func continuing(_ typed: String) -> Offer {
        var offer = self
        var seen: Set<String> = []
        offer.candidates = candidates.filter { candidate in
            !candidate.text.isEmpty && candidate.text.hasPrefix(typed) && !candidate.text.hasControlCharacters
                && seen.insert(candidate.text).inserted
        }
        return offer
    }

    /// A candidate a line, with what it is behind a tab, and at last what the shell is to add.
    var lines: String {
        candidates.map { candidate in
            candidate.note.isEmpty
                ? "\(candidate.text)\n" : "\(candidate.text)\t\(ForeignText(candidate.note, limit: 60))\n"
        }.joined() + directive
    }

    var directive: String { paths == .none ? ":none 0\n" : ":\(paths.rawValue) \(pathStart)\n" }
}
