/// A full image name: `docker.io/library/alpine:3.20@sha256:…` (the grammar of distribution/reference, with docker's
/// defaults filled in).
package struct Reference: Hashable, Sendable {
    /// Host and port: `docker.io`, `localhost:5000`, `[::1]:5000`.
    package let domain: String
    /// `library/alpine`.
    package let path: String
    package let tag: String?
    package let digest: Digest?

    package init(domain: String, path: String, tag: String?, digest: Digest?) {
        self.domain = domain
        self.path = path
        self.tag = tag
        self.digest = digest
    }

    /// `docker.io/library/alpine`.
    package var repository: String { "\(domain)/\(path)" }

    /// `docker.io/library/alpine:latest`, what a repository index is keyed by.
    package var canonical: String { repository + suffix }

    /// As docker prints it: without `docker.io/` and `library/`. Unlike docker's, it reads as the same name again:
    /// `docker.io/a.b/c` stays whole, as `a.b/c` would be another host's.
    package var familiarRepository: String {
        guard domain == Reference.defaultDomain else { return repository }
        let official = "library/"
        guard path.hasPrefix(official), !path.dropFirst(official.count).contains("/") else {
            let first = path.prefix { $0 != "/" }
            return first.contains(".") || first == "localhost" ? repository : path
        }
        let name = String(path.dropFirst(official.count))
        return Digest(sha256: name) == nil ? name : repository
    }

    /// `alpine:latest`, `user/name@sha256:…`.
    package var familiar: String { familiarRepository + suffix }

    private var suffix: String {
        (tag.map { ":\($0)" } ?? "") + (digest.map { "@\($0)" } ?? "")
    }

    package static let defaultDomain = "docker.io"
    package static let defaultTag = "latest"

    /// The name with `latest` where it has neither tag nor digest.
    package var tagged: Reference {
        guard tag == nil, digest == nil else { return self }
        return Reference(domain: domain, path: path, tag: Reference.defaultTag, digest: nil)
    }
}

extension Reference: CustomStringConvertible {
    package var description: String { canonical }
}
