internal import Images
internal import OCI
internal import Registry
internal import Sys

/// What a pull's argument names.
enum SourceName: Hashable, Sendable {
    case registry(Reference)
    /// A layout's directory; `tag` is the entry's `ref.name`.
    case layout(path: String, tag: String?)
    case layoutArchive(path: String, tag: String?)
    /// `tag` is one of its `RepoTags`.
    case dockerArchive(path: String, tag: String?)

    /// `exists` tells whether there is a file: paths may hold colons.
    init(parsing text: String, exists: (String) -> Bool = { File.exists($0) }) throws(WorkerError) {
        let transports: [(String, (String, String?) -> SourceName)] = [
            ("oci:", { .layout(path: $0, tag: $1) }), ("oci-archive:", { .layoutArchive(path: $0, tag: $1) }),
            ("docker-archive:", { .dockerArchive(path: $0, tag: $1) }),
        ]
        for (prefix, make) in transports where text.hasPrefix(prefix) {
            let rest = String(text.dropFirst(prefix.count))
            guard !rest.isEmpty else { throw .request("\(prefix) needs a path behind it: \(prefix)PATH[:TAG]") }
            let (path, tag) = SourceName.split(rest, exists: exists)
            self = make(path, tag)
            return
        }
        do throws(ReferenceError) {
            self = .registry(try Reference(parsing: text))
        } catch {
            throw .request("\(error)")
        }
    }

    /// What a request is about: a registry as a whole, by the rules that lead there, or what `source` names.
    init(_ request: WorkerRequest) throws(WorkerError) {
        guard let query = request.query, query.isAboutRegistry else {
            self = try SourceName(parsing: request.source)
            return
        }
        let named = try lift({ .request("\($0)") }) { () throws(ReferenceError) in
            try Reference(parsingRegistry: request.source)
        }
        self = .registry(
            try lift(WorkerError.registry) { () throws(RegistryError) in
                try RegistrySource.place(of: query, at: named, request.registryRules)
            })
    }

    /// The file or directory that is read; nil for a registry.
    var path: String? {
        switch self {
        case .registry: nil
        case .layout(let path, _), .layoutArchive(let path, _), .dockerArchive(let path, _): path
        }
    }

    /// Which of a file's images is meant, where it was said.
    var tag: String? {
        switch self {
        case .registry: nil
        case .layout(_, let tag), .layoutArchive(_, let tag), .dockerArchive(_, let tag): tag
        }
    }

    /// The longest path that exists, and the tag behind it; the first colon divides where none does.
    private static func split(_ text: String, exists: (String) -> Bool) -> (String, String?) {
        var end = text.endIndex
        while true {
            let path = String(text[..<end])
            if exists(path) { return (path, end == text.endIndex ? nil : String(text[text.index(after: end)...])) }
            guard let colon = text[..<end].lastIndex(of: ":"), colon != text.startIndex else { break }
            end = colon
        }
        guard let colon = text.dropFirst().firstIndex(of: ":") else { return (text, nil) }
        return (String(text[..<colon]), String(text[text.index(after: colon)...]))
    }
}
