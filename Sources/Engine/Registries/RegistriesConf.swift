internal import OCI

/// What one or more files of containers-registries.conf(5), version 2, say together. Later files add to the earlier ones, and
/// what both say is the later's.
struct RegistriesConf: Sendable, Hashable {
    private(set) var namespaces: [RegistryRules.Namespace] = []
    /// `host[:port]` of places that may be spoken to in plain http or with any certificate.
    private(set) var insecure: [String] = []
    /// Short names and what they stand for.
    private(set) var aliases: [String: String] = [:]
    private(set) var searched: [RegistryRules.DefaultRegistry] = []
    /// What is there and has no effect here.
    private(set) var warnings: [String] = []

    struct Fault: Error {
        var line: Int
        var reason: String
    }

    mutating func add(_ table: TOMLTable, path: String) throws(Fault) {
        if let old = table["registries"] {
            let line = old.table?.entries.first?.value.line ?? old.line
            warnings.append(
                "\(path):\(line): the format of version 1 is not read; want [[registry]] (containers-registries.conf(5))"
            )
            return
        }
        for value in table["registry"]?.array ?? [] {
            guard let entry = value.table else { throw Fault(line: value.line, reason: "want [[registry]]") }
            try addRegistry(entry, line: value.line, path: path)
        }
        for (name, value) in table["aliases"]?.table?.entries ?? [] {
            guard let text = value.string else { throw RegistriesConf.wrong("aliases", value, "a string") }
            aliases[name] = text.isEmpty ? nil : text
        }
        if let value = table["unqualified-search-registries"] {
            searched = try RegistriesConf.strings("unqualified-search-registries", value).map { text throws(Fault) in
                RegistryRules.DefaultRegistry(
                    try RegistriesConf.prefix(text, value.line), origin: "\(path):\(value.line)")
            }
        }
        for key in ["credential-helpers", "additional-layer-store-auth-helper"] {
            if let value = table[key] { warnings.append("\(path):\(value.line): \(key) has no effect here") }
        }
    }

    private mutating func addRegistry(_ entry: TOMLTable, line: Int, path: String) throws(Fault) {
        let location = try RegistriesConf.string("location", entry)
        guard let prefix = try RegistriesConf.string("prefix", entry) ?? location else {
            throw Fault(line: line, reason: "[[registry]] with neither prefix nor location")
        }
        if prefix.contains("@") || RegistriesConf.hasTag(prefix) {
            warnings.append("\(path):\(line): a prefix with a tag or digest has no effect here: \(ForeignText(prefix))")
            return
        }
        let isWildcard = prefix.hasPrefix("*.")
        let host = isWildcard ? String(prefix.dropFirst(2)) : prefix
        if isWildcard, host.contains("/") { throw Fault(line: line, reason: "\(prefix): a wildcard has no path") }
        _ = try RegistriesConf.prefix(host, line)
        var namespace = RegistryRules.Namespace(prefix, origin: "\(path):\(line)")
        namespace.isBlocked = try RegistriesConf.boolean("blocked", entry)
        let byDigest = try RegistriesConf.boolean("mirror-by-digest-only", entry)
        for value in entry["mirror"]?.array ?? [] {
            guard let mirror = value.table else { throw Fault(line: value.line, reason: "want [[registry.mirror]]") }
            namespace.mirrors.append(try place(mirror, line: value.line, path: path, byDigest: byDigest))
        }
        if let location, location != prefix {
            _ = try RegistriesConf.prefix(location, line)
            namespace.location = RegistryRules.Place(location, origin: "\(path):\(line)")
        }
        if try RegistriesConf.boolean("insecure", entry), !isWildcard {
            insecure.append(RegistriesConf.host(location ?? prefix))
        } else if isWildcard, try RegistriesConf.boolean("insecure", entry) {
            warnings.append(
                "\(path):\(line): insecure has no effect with a wildcard; list hosts in insecure-registries")
        }
        namespaces.removeAll { $0.prefix == prefix }
        namespaces.append(namespace)
    }

    private mutating func place(
        _ entry: TOMLTable, line: Int, path: String, byDigest: Bool
    ) throws(Fault) -> RegistryRules.Place {
        guard let location = try RegistriesConf.string("location", entry) else {
            throw Fault(line: line, reason: "[[registry.mirror]] without a location")
        }
        _ = try RegistriesConf.prefix(location, line)
        var place = RegistryRules.Place(location, origin: "\(path):\(line)")
        switch try RegistriesConf.string("pull-from-mirror", entry) ?? "" {
        case "", "all": place.withDigest = byDigest ? true : nil
        case "digest-only": place.withDigest = true
        case "tag-only": place.withDigest = false
        case let other:
            throw Fault(
                line: line, reason: "pull-from-mirror: \(ForeignText(other)): want all, digest-only or tag-only")
        }
        if try RegistriesConf.boolean("insecure", entry) { insecure.append(RegistriesConf.host(location)) }
        return place
    }

    // MARK: Values

    private static func hasTag(_ text: String) -> Bool {
        guard let slash = text.lastIndex(of: "/") else { return false }
        return text[slash...].contains(":")
    }

    static func host(_ text: String) -> String { String(text.prefix { $0 != "/" }) }

    static func prefix(_ text: String, _ line: Int) throws(Fault) -> NamePrefix {
        do throws(NamePrefix.Fault) { return try NamePrefix(parsing: text) } catch {
            throw Fault(line: line, reason: "\(error)")
        }
    }

    static func string(_ key: String, _ table: TOMLTable) throws(Fault) -> String? {
        guard let value = table[key] else { return nil }
        guard let text = value.string else { throw wrong(key, value, "a string") }
        return text.isEmpty ? nil : text
    }

    static func boolean(_ key: String, _ table: TOMLTable) throws(Fault) -> Bool {
        guard let value = table[key] else { return false }
        guard let result = value.boolean else { throw wrong(key, value, "true or false") }
        return result
    }

    /// A list of strings, or one alone.
    static func strings(_ key: String, _ value: TOMLValue) throws(Fault) -> [String] {
        if let text = value.string { return [text] }
        let texts = value.array?.map(\.string) ?? [nil]
        let known = texts.compactMap(\.self)
        guard known.count == texts.count else { throw wrong(key, value, "a list of strings") }
        return known
    }

    private static func wrong(_ key: String, _ value: TOMLValue, _ wanted: String) -> Fault {
        Fault(line: value.line, reason: "\(ForeignText(key)): want \(wanted)")
    }
}
