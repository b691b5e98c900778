/// What says, besides a name itself, where an image is asked for. Pure: each rule knows who said it, for `resolve`.
package struct RegistryRules: Sendable, Hashable, Codable {
    /// In the order of asking.
    package var mirrors: [Mirror] = []
    package var rewrites: [Rewrite] = []
    package var defaultRegistry: DefaultRegistry?
    /// Short names and what they stand for; they come before the default registry.
    package var aliases: [String: String]?
    /// What other programs' files say, for what is not said otherwise.
    package var namespaces: [Namespace]?

    package init() {}

    /// A place that is asked before the registry itself.
    package struct Mirror: Sendable, Hashable, Codable {
        /// Of these names; Docker Hub's.
        package var prefix: NamePrefix
        package var url: String
        /// The flag, or the file and line.
        package var origin: String

        /// `URL`, of Docker Hub, or `HOST[:PORT][/PATH]=URL`.
        package init(parsing text: String, origin: String) throws(NamePrefix.Fault) {
            let scheme = text.prefix { $0 != ":" && $0 != "=" }
            guard text.contains("="), !["http", "https"].contains(scheme.lowercased()) else {
                self.init(url: text, origin: origin)
                return
            }
            let prefix = text.prefix { $0 != "=" }
            self.init(
                url: String(text.dropFirst(prefix.count + 1)), of: try NamePrefix(parsing: String(prefix)),
                origin: origin)
        }

        package init(url: String, of prefix: NamePrefix = .hub, origin: String) {
            self.prefix = prefix
            self.url = url
            self.origin = origin
        }
    }

    /// A place that is asked instead: what the prefix names is never spoken to.
    package struct Rewrite: Sendable, Hashable, Codable {
        package var prefix: NamePrefix
        package var target: NamePrefix
        package var origin: String

        package init(_ prefix: NamePrefix, to target: NamePrefix, origin: String) {
            self.prefix = prefix
            self.target = target
            self.origin = origin
        }
    }

    /// These, and what `other` says besides.
    package func followed(by other: RegistryRules) -> RegistryRules {
        var result = self
        result.mirrors += other.mirrors
        result.rewrites += other.rewrites
        result.aliases = aliases ?? other.aliases
        result.namespaces = namespaces.map { $0 + (other.namespaces ?? []) } ?? other.namespaces
        result.defaultRegistry = defaultRegistry ?? other.defaultRegistry
        return result
    }

    /// The name under which the image is asked for, and the rule that made it: the one with the longest prefix, of those
    /// the first. A name that was rewritten is not rewritten again. Throws where nothing is left of it.
    package func place(of name: Reference) throws(NamePrefix.Fault) -> (name: Reference, rule: Rewrite?) {
        var best: Rewrite?
        for rule in rewrites where rule.prefix.matches(name) {
            if rule.prefix.text.utf8.count > (best?.prefix.text.utf8.count ?? 0) { best = rule }
        }
        guard let best else { return (name, nil) }
        if name.isRegistry { return (.registry(best.target.domain), best) }
        let rest = name.repository.dropFirst(best.prefix.text.count)
        let path = String((best.target.path + rest).dropFirst())
        if path.isEmpty {
            throw NamePrefix.Fault(
                description: "\(name.familiar) becomes \(best.target.text) by \(best.origin), which names no repository"
            )
        }
        return (Reference(domain: best.target.domain, path: path, tag: name.tag, digest: name.digest), best)
    }
}

/// `HOST[:PORT][/PATH]`: the beginning of names, up to a `/` or their end.
package struct NamePrefix: Sendable, Hashable, Codable {
    package let domain: String
    /// Empty, or `/a/b`.
    package let path: String

    package static let hub = NamePrefix(domain: Reference.defaultDomain, path: "")

    private init(domain: String, path: String) {
        self.domain = domain
        self.path = path
    }

    /// `docker.io/library`.
    package var text: String { domain + path }

    package struct Fault: Error, Equatable, CustomStringConvertible {
        package let description: String
    }

    /// Throws where the first part is no host, or the rest can't be in a name.
    package init(parsing text: String) throws(Fault) {
        let shown = "\"\(ForeignText(text))\""
        let host = text.prefix { $0 != "/" }
        guard host == "localhost" || host.contains(".") || host.contains(":") else {
            throw Fault(description: "\(shown) does not begin with a registry: want HOST[:PORT][/PATH]")
        }
        // With two more parts it is a whole name, to which docker's defaults add nothing.
        let more = "/a/b"
        do throws(ReferenceError) {
            let name = try Reference(parsing: text + more)
            guard name.tag == nil, name.digest == nil, name.path.hasSuffix(more.dropFirst()) else {
                throw ReferenceError(text: text, reason: .empty)
            }
            domain = name.domain
            path = String(("/" + name.path).dropLast(more.count))
        } catch {
            throw Fault(description: "\(shown) is no beginning of an image's name: want HOST[:PORT][/PATH]")
        }
    }

    /// Whether the name begins so.
    package func matches(_ name: Reference) -> Bool {
        guard name.domain == domain else { return false }
        let whole = "/" + name.path
        return whole.hasPrefix(path) && (whole.count == path.count || whole.dropFirst(path.count).first == "/")
    }
}
