internal import Engine
internal import Images
internal import OCI

/// `search [OPTIONS] [HOST[:PORT]/]TERM`.
package enum SearchCommand: Command {
    package struct Draft: Sendable {
        var registry = RegistryFlags()
        var filter = SearchFilter()
        var format = ""
        var limit = SearchCommand.usualLimit
        var truncate = true
    }

    /// docker's.
    static let usualLimit = 25
    private static let limits = 1...100

    package static let info = CommandInfo(
        path: "search", synopsis: "[OPTIONS] [HOST[:PORT]/]TERM", summary: "Search Docker Hub, or another registry",
        aliases: ["image search", "search"], arguments: .exactly(1), operands: [.text])

    package static let flags = FlagTable<Draft>(
        [
            .value("filter", short: "f", type: "filter", takes: SearchFilter.values, "Show only what fits: KEY=VALUE") {
                (draft, text) throws(ValueError) in try draft.filter.add(text)
            },
            .value("format", takes: .listFormat, "Output as table, \"table TEMPLATE\", json, or by a Go template") {
                $0.format = $1
            },
            .value("limit", type: "int", "Most results that are asked for", default: "\(usualLimit)") {
                (draft, text) throws(ValueError) in draft.limit = try limit(text)
            },
            .bool("no-trunc", "Show descriptions in full") { $0.truncate = !$1 },
        ] + RegistryFlags.flags(\Draft.registry))

    package static func newDraft(_ context: CommandContext) throws(ValueError) -> Draft { Draft() }

    private static func limit(_ text: String) throws(ValueError) -> Int {
        let number = Int(try GoValue.int64(text))
        if number == 0 { return usualLimit }
        guard limits.contains(number) else {
            throw .plain("limit \(number) is outside the range of [\(limits.lowerBound), \(limits.upperBound)]")
        }
        return number
    }

    package static func execute(_ draft: Draft, _ arguments: [String], _ context: CommandContext) throws -> Int32 {
        let (host, term) = split(arguments[0])
        if term.isEmpty, host == Reference.defaultDomain {
            throw CommandError.failed("nothing to search for: give a part of a name", code: 1)
        }
        // Before anything is asked.
        let table = try SearchTable(draft)
        let screen = PullScreen(context.errors, quiet: true, context)
        let found = try context.engine().query(
            .search(term: term, limit: draft.limit), try draft.registry.request(host)
        ) { screen.show($0) }.found
        context.output.write(try table.render(draft.filter.apply(found)))
        return 0
    }

    /// What is a registry in front of a name is one in front of a term.
    static func split(_ text: String) -> (host: String, term: String) {
        let first = text.prefix { $0 != "/" }
        let isHost = first == "localhost" || first.contains(".") || first.contains(":")
        guard isHost, first.count < text.count else { return (Reference.defaultDomain, text) }
        let host = ["docker.io", "index.docker.io"].contains(first) ? Reference.defaultDomain : String(first)
        return (host, String(text.dropFirst(first.count + 1)))
    }
}

/// `search --filter`.
struct SearchFilter: Sendable, Hashable {
    private var isOfficial: Bool?
    private var isAutomated: Bool?
    private var stars = 0

    static let values = ValueKind.filter([
        FilterKey("is-automated", .boolean), FilterKey("is-official", .boolean), FilterKey("stars"),
    ])

    mutating func add(_ text: String) throws(ValueError) {
        guard let (key, value) = try FilterText.split(text) else { return }
        func fault() -> ValueError { .plain("invalid filter '\(key)=[\(Names.printable(value))]'") }
        switch key {
        case "is-official", "is-automated":
            guard let on = try? GoValue.bool(value) else { throw fault() }
            if key == "is-official" { isOfficial = on } else { isAutomated = on }
        case "stars":
            guard let number = Int(value), number >= 0 else { throw fault() }
            stars = max(stars, number)
        default: throw .plain("invalid filter '\(Names.printable(key))'")
        }
    }

    /// Those that fit; as docker, those with most stars first.
    func apply(_ found: [FoundRepository]) -> [FoundRepository] {
        let fitting = found.filter { repository in
            repository.stars >= stars && (isOfficial ?? repository.isOfficial) == repository.isOfficial
                && (isAutomated ?? repository.isAutomated) == repository.isAutomated
        }
        return fitting.enumerated().sorted { ($1.element.stars, $0.offset) < ($0.element.stars, $1.offset) }
            .map(\.element)
    }
}
