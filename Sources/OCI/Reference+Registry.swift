extension Reference {
    /// A registry as a whole: what is asked of no repository in particular.
    package static func registry(_ domain: String) -> Reference {
        Reference(domain: domain, path: "", tag: nil, digest: nil)
    }

    package var isRegistry: Bool { path.isEmpty }

    /// `HOST[:PORT]` as a name's first part may be, with docker's other names of its own registry.
    package init(parsingRegistry text: String) throws(ReferenceError) {
        let name = try Reference(parsing: text + "/a/b")
        guard name.path == "a/b" else { throw ReferenceError(text: text, reason: .empty) }
        self = .registry(name.domain)
    }
}
