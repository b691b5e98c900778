internal import Engine

/// `__complete SHELL WORD…`, which the completion scripts ask. For bash the words are the line up to the cursor and
/// `$COMP_WORDBREAKS`, for others the words behind the program's name, the last being the one at the cursor. Prints what
/// fits; of what goes wrong it says nothing, since it would be said in the middle of somebody's command line.
package enum Completion {
    static let name = "__complete"

    static func main(_ arguments: ArraySlice<String>, _ context: CommandContext) -> Int32 {
        guard let shell = arguments.first.flatMap(Shell.init) else { return 1 }
        let words = Array(arguments.dropFirst())
        guard shell == .bash else {
            let current = words.last ?? ""
            let offer = CompletionLine(context).offer(Array(words.dropLast()), current)
            context.output.write(offer.continuing(current).lines)
            return 0
        }
        let line = ShellLine(words.first ?? "", breaks: words.count > 1 ? words[1] : "")
        var before = line.words.drop { $0.prefix { $0 != "=" }.allSatisfy(isVariable) && $0.contains("=") }
        // The program's own name, whatever it is called by.
        if !before.isEmpty { before.removeFirst() }
        let offer = CompletionLine(context).offer(Array(before), line.current).continuing(line.current)
        let insertions = offer.candidates.compactMap { line.insertion($0.text) }
        context.output.write(insertions.map { "\($0)\n" }.joined() + offer.directive)
        return 0
    }

    private static func isVariable(_ character: Character) -> Bool {
        character == "_" || (character.isASCII && (character.isLetter || character.isNumber))
    }

    /// The shells that have a script.
    package enum Shell: String, Sendable, CaseIterable { case bash, zsh, fish }
}

/// What may stand in the place of one word of a command line.
struct CompletionLine {
    private let context: CommandContext

    init(_ context: CommandContext) { self.context = context }

    /// What fits behind `words`; what does not continue `current` may be among it.
    func offer(_ words: [String], _ current: String) -> Offer {
        let flags = GlobalFlags.flags.map(\.info)
        var walk = WordWalk(flags, interspersed: false)
        var count = 0
        for word in words where walk.operands.isEmpty {
            walk.take(word)
            count += 1
        }
        var context = context
        context.options = options(words.prefix(count))
        let values = ValueOffers { [context] in try? context.readingEngine() }
        guard let first = walk.operands.first else {
            return flagOrValue(flags, walk, current, values) ?? Self.commands()
        }
        return command(first, Array(words.dropFirst(count)), current, values)
    }

    /// What was said before the command; of a flag that is wrong, and those behind it, nothing.
    private func options(_ words: ArraySlice<String>) -> GlobalOptions {
        var draft = GlobalFlags.Draft()
        draft.options = context.options
        _ = try? FlagParser(GlobalFlags.table, interspersed: false).parse(words, into: &draft)
        return draft.options
    }

    private func command(_ first: String, _ rest: [String], _ current: String, _ values: ValueOffers) -> Offer {
        if first == "help" {
            guard let group = rest.first else { return Self.commands() }
            return rest.count == 1 ? Self.members(of: group) : Offer()
        }
        var rest = rest
        var path = first
        if !CommandTable.members(of: first).isEmpty {
            guard let second = rest.first else { return Self.members(of: first) }
            rest.removeFirst()
            path = "\(first) \(second)"
        }
        guard let command = CommandTable.find(path)?.command else { return Offer() }
        let flags = command.flagInfos
        var walk = WordWalk(flags, interspersed: command.interspersed)
        for word in rest { walk.take(word) }
        return flagOrValue(flags, walk, current, values) ?? operand(command.info, walk, current, values)
    }

    private func operand(
        _ info: CommandInfo, _ walk: WordWalk, _ current: String, _ values: ValueOffers
    ) -> Offer {
        let position = walk.operands.count
        let most =
            switch info.arguments {
            case .none: 0
            case .exactly(let count), .atMost(let count), .between(_, let count): count
            case .atLeast: Int.max
            }
        guard position < most, let kind = info.operands.prefix(position + 1).last else { return Offer() }
        var offer = values.offer(kind, typed: current)
        offer.candidates.removeAll { walk.operands.contains($0.text) }
        return offer
    }

    /// The value of a flag, or flags; nil where an argument is next.
    private func flagOrValue(
        _ flags: [FlagInfo], _ walk: WordWalk, _ current: String, _ values: ValueOffers
    ) -> Offer? {
        if let flag = walk.pending { return values.offer(flag.takes ?? .text, typed: current) }
        guard !walk.isPastFlags, current.hasPrefix("-") else { return nil }
        let (name, value) = current.cut("=")
        if let value, name.hasPrefix("--") {
            guard let flag = flags.first(where: { "--\($0.name)" == name }) else { return Offer() }
            let kind = flag.kind == .bool ? .boolean : flag.takes ?? .text
            return values.offer(kind, typed: value).behind("\(name)=")
        }
        var offer = Offer(candidates: [Offer.Candidate(text: "--help", note: "Show help")])
        for flag in flags where Self.isOffered(flag, walk) {
            offer.candidates.append(Offer.Candidate(text: "--\(flag.name)", note: flag.usage))
            guard current == "-", let short = flag.short else { continue }
            offer.candidates.append(Offer.Candidate(text: "-\(short)", note: flag.usage))
        }
        return offer
    }

    /// Once is enough but for what gathers values.
    private static func isOffered(_ flag: FlagInfo, _ walk: WordWalk) -> Bool {
        guard !flag.hidden, flag.availability == .supported else { return false }
        if case .value(let type) = flag.kind, !["string", "network"].contains(type), !ValueKind.numbers.contains(type) {
            return true
        }
        return !walk.given.contains(flag.name)
    }

    /// What the top help lists.
    private static func commands() -> Offer {
        let entries = CommandTable.entries.filter { !$0.path.contains(" ") && $0.state == .ready }
            .map { Offer.Candidate(text: $0.path, note: $0.summary) }
        let groups = CommandTable.readyGroups.map { Offer.Candidate(text: $0.name, note: $0.summary) }
        return Offer(
            candidates: entries + groups + [Offer.Candidate(text: "help", note: "Show help of a command")])
    }

    private static func members(of group: String) -> Offer {
        Offer(
            candidates: CommandTable.members(of: group).filter { $0.entry.state == .ready }
                .map { Offer.Candidate(text: $0.word, note: $0.entry.summary) })
    }
}
