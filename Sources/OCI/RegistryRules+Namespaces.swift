extension RegistryRules {
    /// What files of other programs (registries.conf, hosts.toml) say of all names that begin alike.
    package struct Namespace: Sendable, Hashable, Codable {
        /// `HOST[:PORT][/PATH]`, `*.HOST`, or empty for every name.
        package var prefix: String
        package var origin: String
        /// Nothing below it may be asked for.
        package var isBlocked = false
        /// Asked before the last, in this order.
        package var mirrors: [Place] = []
        /// What stands for the name itself; nil: that.
        package var location: Place?

        package init(_ prefix: String, origin: String) {
            self.prefix = prefix
            self.origin = origin
        }

        /// How many bytes of the name, its repository as a whole, the prefix stands for; nil where it does not match.
        func length(in name: Reference) -> Int? {
            let host = name.domain.prefix { $0 != ":" }
            if prefix.isEmpty { return name.domain.utf8.count }
            if prefix.hasPrefix("*.") {
                let rest = prefix.dropFirst().prefix { $0 != "/" }
                let matches = host.hasSuffix(rest) || name.domain.hasSuffix(rest)
                return rest.count == prefix.count - 1 && matches ? name.domain.utf8.count : nil
            }
            let whole = name.repository.utf8
            guard whole.starts(with: prefix.utf8) else { return nil }
            let next = whole.dropFirst(prefix.utf8.count).first
            return next == nil || next == UInt8(ascii: "/") ? prefix.utf8.count : nil
        }
    }

    /// One place of a namespace.
    package struct Place: Sendable, Hashable, Codable {
        /// `HOST[:PORT][/PATH]`, which takes the place of the prefix.
        package var target: String
        package var origin: String
        /// `http` or `https` where the file says one.
        package var scheme: String?
        /// Asked for names with a digest only, or for names without one only.
        package var withDigest: Bool?
        /// Whether it may say what a tag points to.
        package var resolves = true
        /// Sent as the parameter `ns`: mirrors of containerd serve several registries by it.
        package var namespace: String?

        package init(_ target: String, origin: String) {
            self.target = target
            self.origin = origin
        }

        /// The name as it is asked for there. `length` bytes of it make way.
        package func place(of name: Reference, length: Int) throws(NamePrefix.Fault) -> Reference {
            let rest = String(decoding: name.repository.utf8.dropFirst(length), as: UTF8.self)
            let whole = target + rest
            let domain = String(whole.prefix { $0 != "/" })
            let path = String(whole.dropFirst(domain.count + 1))
            if path.isEmpty {
                throw NamePrefix.Fault(
                    description: "\(name.familiar) becomes \(whole) by \(origin), which names no repository")
            }
            return Reference(domain: domain, path: path, tag: name.tag, digest: name.digest)
        }
    }

    /// The namespace that holds for the name, with how much of the name it stands for: the one with the longest prefix, of
    /// those the first.
    package func namespace(of name: Reference) -> (namespace: Namespace, length: Int)? {
        var best: (namespace: Namespace, length: Int)?
        for namespace in namespaces ?? [] {
            guard let length = namespace.length(in: name) else { continue }
            if let best, best.namespace.prefix.utf8.count >= namespace.prefix.utf8.count { continue }
            best = (namespace, length)
        }
        return best
    }
}

/// Files for one host's TLS, from hosts.toml.
package struct HostCertificates: Sendable, Hashable, Codable {
    package var authorities: [String] = []
    package var client: String?
    /// nil: in the same file.
    package var clientKey: String?

    package init() {}
}
