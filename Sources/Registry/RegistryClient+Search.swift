internal import OCI

/// A repository that a search found, as its registry tells of it.
package struct FoundEntry: Sendable, Hashable {
    package var name: String
    package var description = ""
    package var stars = 0
    package var isOfficial = false
    package var isAutomated = false
}

extension RegistryClient {
    /// Searches the registry: where it has docker's old search, by that, else through the list of all its repositories,
    /// whose names are compared with `term`. At most `limit` entries.
    package func search(_ term: String, limit: Int) throws(RegistryError) -> [FoundEntry] {
        let isHub = reference.domain == Resolver.hubSearchHost
        return try attempt("search results for \"\(ForeignText(term))\"") { turn throws(Fault) in
            do throws(Fault) {
                return try RegistryClient.entries(turn, term, limit)
            } catch {
                guard !isHub, error.saysThatThereIsNoSearch else { throw error }
                return try RegistryClient.catalog(turn, term, limit)
            }
        }
    }

    private struct SearchAnswer: Decodable {
        struct Result: Decodable {
            let name: String
            let description: String?
            let star_count: Int?
            let is_official: Bool?
            let is_automated: Bool?
        }
        let results: [Result]
    }

    private static let answerLimit = 4 << 20
    private static let pageLimit = 100

    private static func entries(
        _ turn: EndpointTurn, _ term: String, _ limit: Int
    ) throws(Fault) -> [FoundEntry] {
        let ask = EndpointSession.Ask(path: "v1/search", base: .host, query: [("q", term), ("n", "\(limit)")])
        let sink = MemorySink(limit: answerLimit, what: "the answer to the search")
        _ = try turn.send(ask, into: sink)
        do throws(JSONFault) {
            let answer = try BoundedJSON.decode(SearchAnswer.self, from: sink.bytes, limit: answerLimit)
            return answer.results.prefix(limit).map { result in
                FoundEntry(
                    name: result.name, description: result.description ?? "", stars: result.star_count ?? 0,
                    isOfficial: result.is_official ?? false, isAutomated: result.is_automated ?? false)
            }
        } catch {
            throw .refused("the answer to the search: \(error)")
        }
    }

    /// OCI distribution spec has no such list; docker's registry API does ("Catalog"), in pages as those of tags.
    private static func catalog(
        _ turn: EndpointTurn, _ term: String, _ limit: Int
    ) throws(Fault) -> [FoundEntry] {
        struct List: Decodable { let repositories: [String] }
        var found: [FoundEntry] = []
        var last: String?
        for _ in 0..<pageLimit {
            var ask = EndpointSession.Ask(path: "_catalog", base: .version, query: [("n", "1000")])
            if let last { ask.query.append(("last", last)) }
            let sink = MemorySink(limit: answerLimit, what: "the list of repositories")
            let head = try turn.send(ask, into: sink)
            let names: [String]
            do throws(JSONFault) {
                names = try BoundedJSON.decode(List.self, from: sink.bytes, limit: answerLimit).repositories
            } catch {
                throw .refused("the list of repositories: \(error)")
            }
            found += names.filter { term.isEmpty || $0.contains(term) }.map { FoundEntry(name: $0) }
            let hasNext = head.values("link").contains { $0.contains("rel=\"next\"") }
            guard found.count < limit, hasNext, let final = names.last, final != last else { break }
            last = final
        }
        return Array(found.prefix(limit))
    }
}

extension Fault {
    /// Whether a registry answered, and has none of what was asked; many answer with a page for people.
    fileprivate var saysThatThereIsNoSearch: Bool {
        switch self {
        case .notFound, .unauthorized, .refused: true
        case .status(let code, _, _): code == 400 || code == 405 || code == 501
        default: false
        }
    }
}
