package import OCI

/// Values that several commands read.
package enum CommonFlags {
    package static let contentTrust =
        "content trust is not available: Notary's signatures (Docker Content Trust) are not supported"

    package static func platform(_ text: String) throws(ValueError) -> Platform? {
        if text.isEmpty { return nil }
        do throws(Platform.ParseError) { return try Platform(parsing: text) } catch {
            throw .plain("\(error)")
        }
    }

    /// `URL` or `HOST[/PATH]=URL`.
    static func mirror(_ text: String) throws(ValueError) -> RegistryRules.Mirror {
        var mirror: RegistryRules.Mirror
        do throws(NamePrefix.Fault) {
            mirror = try RegistryRules.Mirror(parsing: text, origin: "--registry-mirror")
        } catch {
            throw .invalid("\(error)")
        }
        mirror.url = try url(mirror.url)
        return mirror
    }

    static let defaultRegistryHelp = "What names without a registry stand below: HOST[:PORT][/PATH]"
    static let imageRepositoryHelp = "Where Kubernetes' images are asked for: HOST[:PORT][/PATH]"

    static func defaultRegistry(_ text: String) throws(ValueError) -> RegistryRules.DefaultRegistry {
        RegistryRules.DefaultRegistry(try namePrefix(text), origin: "--default-registry")
    }

    static func imageRepository(_ text: String) throws(ValueError) -> [RegistryRules.Rewrite] {
        do throws(NamePrefix.Fault) {
            return try RegistryRules.imageRepository(try NamePrefix(parsing: text), origin: "--image-repository")
        } catch {
            throw .invalid("\(error)")
        }
    }

    static func namePrefix(_ text: String) throws(ValueError) -> NamePrefix {
        do throws(NamePrefix.Fault) { return try NamePrefix(parsing: text) } catch {
            throw .invalid("\(error)")
        }
    }

    /// `http://…` or `https://…`, without a query.
    private static func url(_ text: String) throws(ValueError) -> String {
        let lowered = text.lowercased()
        guard let scheme = ["http://", "https://"].first(where: lowered.hasPrefix) else {
            throw .invalid("invalid mirror: want a URL that starts with http:// or https://")
        }
        let rest = text.dropFirst(scheme.count)
        guard let first = rest.utf8.first, first != UInt8(ascii: "/"), !text.hasControlCharacters else {
            throw .invalid("invalid mirror: no host in \(GoValue.quoted(text))")
        }
        guard !rest.utf8.contains(where: { "?# ".utf8.contains($0) }) else {
            throw .invalid("invalid mirror: query or fragment at end of the URI \(GoValue.quoted(text))")
        }
        return text.hasSuffix("/") ? String(text.dropLast()) : text
    }
}
