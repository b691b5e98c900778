extension RegistryRules {
    /// What a name without a registry stands below, instead of docker.io.
    package struct DefaultRegistry: Sendable, Hashable, Codable {
        package var prefix: NamePrefix
        package var origin: String

        package init(_ prefix: NamePrefix, origin: String) {
            self.prefix = prefix
            self.origin = origin
        }
    }

    /// A name with its registry: one that has none gets the default's. Any other, and what is no name, stays as it is.
    package func qualified(_ name: String) -> String {
        guard defaultRegistry != nil || aliases?.isEmpty == false, Reference.lacksRegistry(name) else { return name }
        let short = String(name.prefix { $0 != ":" && $0 != "@" })
        if let full = aliases?[short] { return full + name.dropFirst(short.count) }
        guard let prefix = defaultRegistry?.prefix else { return name }
        return "\(prefix.text)/\(name)"
    }

    /// Where Kubernetes keeps its images, now and before.
    private static let kubernetes = [
        "registry.k8s.io", "k8s.gcr.io", "gcr.io/google_containers", "gcr.io/google-containers",
    ]

    /// Kubernetes' images asked for at another place, as kubeadm does it: `registry.k8s.io/pause` at `HOST/PATH/pause`, and
    /// `registry.k8s.io/coredns/coredns` at `HOST/PATH/coredns`.
    package static func imageRepository(
        _ target: NamePrefix, origin: String
    ) throws(NamePrefix.Fault) -> [Rewrite] {
        var result: [Rewrite] = []
        for text in kubernetes {
            let source = try NamePrefix(parsing: text)
            result.append(
                Rewrite(
                    try source.appending("coredns/coredns"), to: try target.appending("coredns"), origin: origin))
            result.append(Rewrite(source, to: target, origin: origin))
        }
        return result
    }
}

extension NamePrefix {
    fileprivate func appending(_ path: String) throws(Fault) -> NamePrefix {
        try NamePrefix(parsing: "\(text)/\(path)")
    }
}
