package import OCI
internal import Sys

extension ImageStore {
    /// Finds an image by name (`alpine`, `alpine:3.20`, `alpine@sha256:…`), by full ID (`sha256:…` or 64 digits) or by the
    /// first digits of one. A name wins over the digits of an ID. nil: there is no such image.
    package func resolve(_ text: String) throws(StoreError) -> Image? {
        if let id = ImageStore.fullID(text) {
            return try load(id, names: readableRepositories())
        }
        let prefix = ImageStore.idPrefix(text)
        let repositories: Repositories
        do throws(StoreError) {
            repositories = try readRepositories()
        } catch {
            // The names cannot be read, but an ID does without them.
            guard let prefix, let id = try find(prefix: prefix, typed: text) else { throw error }
            return try load(id, names: Repositories())
        }
        let name: Reference
        do {
            name = try Reference(parsing: text)
        } catch {
            guard let prefix else { throw .invalidName("\(error)") }
            return try find(prefix: prefix, typed: text).flatMap { id throws(StoreError) in
                try load(id, names: repositories)
            }
        }
        if let id = ImageStore.lookUp(name, in: repositories), let image = try load(id, names: repositories) {
            return image
        }
        guard let prefix, let id = try find(prefix: prefix, typed: text) else { return nil }
        return try load(id, names: repositories)
    }

    /// The error of an image that is not here: docker names the tag that it looked for.
    package static func missing(_ text: String) -> StoreError {
        .noSuchImage((try? Reference(parsing: text))?.tagged.familiar ?? text)
    }

    /// Refuses what can be neither a name nor an ID, without a look at the disk.
    package static func checkName(_ text: String) throws(StoreError) {
        if fullID(text) != nil || idPrefix(text) != nil { return }
        do {
            _ = try Reference(parsing: text)
        } catch {
            throw .invalidName("\(error)")
        }
    }

    /// As `resolve(_:)`, for a name that is parsed already.
    package func resolve(_ name: Reference) throws(StoreError) -> Image? {
        let repositories = try readRepositories()
        guard let id = ImageStore.lookUp(name, in: repositories) else { return nil }
        return try load(id, names: repositories)
    }

    /// A digest says more than the tag beside it, so docker ignores that tag.
    static func lookUp(_ name: Reference, in repositories: Repositories) -> Digest? {
        guard let digest = name.digest else { return repositories[name.tagged] }
        return repositories[Reference(domain: name.domain, path: name.path, tag: nil, digest: digest)]
    }

    /// Names where they can be read; who asks by ID does not depend on them.
    private func readableRepositories() -> Repositories {
        (try? readRepositories()) ?? Repositories()
    }

    static func fullID(_ text: String) -> Digest? {
        Digest(sha256: text.hasPrefix("sha256:") ? String(text.dropFirst(7)) : text)
    }

    /// Whether the text may be an ID or the beginning of one.
    package static func mayBeID(_ text: String) -> Bool { fullID(text) != nil || idPrefix(text) != nil }

    /// The digits of what may be the beginning of an ID.
    static func idPrefix(_ text: String) -> String? {
        let digits = text.hasPrefix("sha256:") ? text.dropFirst(7) : text[...]
        let isHex = digits.utf8.allSatisfy { (48...57).contains($0) || (97...102).contains($0) }
        return isHex && (1..<64).contains(digits.utf8.count) ? String(digits) : nil
    }

    /// The one image whose ID begins with `prefix`.
    func find(prefix: String, typed text: String) throws(StoreError) -> Digest? {
        var found: Digest?
        for id in try allIDs() where id.hex.hasPrefix(prefix) {
            if found != nil { throw .ambiguous(prefix: text) }
            found = id
        }
        return found
    }

    /// The IDs of all images, in no order.
    func allIDs() throws(StoreError) -> [Digest] {
        do throws(Errno) {
            return try Directory.entries(layout.configs).compactMap { Digest(sha256: $0.name) }
        } catch .noEntry {
            return []
        } catch {
            throw .system(SystemFailure("list", layout.configs, error))
        }
    }
}
