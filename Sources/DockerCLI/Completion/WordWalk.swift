/// Reads the words of a command line that is still being typed, as far as that tells what may come next. Unlike the
/// parser it refuses nothing and sets nothing.
struct WordWalk {
    private let flags: [FlagInfo]
    private let interspersed: Bool
    private(set) var operands: [String] = []
    /// Flags that were given, by name.
    private(set) var given: Set<String> = []
    /// The flag whose value comes next.
    private(set) var pending: FlagInfo?
    /// From here on nothing is a flag.
    private(set) var isPastFlags = false

    init(_ flags: [FlagInfo], interspersed: Bool) {
        self.flags = flags
        self.interspersed = interspersed
    }

    mutating func take(_ word: String) {
        if pending != nil {
            pending = nil
        } else if !isPastFlags, word == "--" {
            isPastFlags = true
        } else if !isPastFlags, word.hasPrefix("--") {
            takeLong(word)
        } else if !isPastFlags, word.hasPrefix("-"), word != "-" {
            takeCluster(word.unicodeScalars.dropFirst())
        } else {
            operands.append(word)
            if !interspersed { isPastFlags = true }
        }
    }

    private mutating func takeLong(_ word: String) {
        let (name, value) = String(word.dropFirst(2)).cut("=")
        guard let flag = flags.first(where: { $0.name == name }) else { return }
        given.insert(flag.name)
        if value == nil, flag.kind != .bool { pending = flag }
    }

    private mutating func takeCluster(_ letters: Substring.UnicodeScalarView) {
        var rest = letters
        while let letter = rest.popFirst() {
            guard let flag = flags.first(where: { $0.short == letter }) else { return }
            given.insert(flag.name)
            if flag.kind == .bool { continue }
            if rest.isEmpty { pending = flag }
            return
        }
    }
}
