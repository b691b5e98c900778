package import OCI

extension RegistryRules {
    /// Mirrors of Docker Hub, as the flag says them.
    package static func hubMirrors(_ urls: [String]) -> RegistryRules {
        var rules = RegistryRules()
        rules.mirrors = urls.map { Mirror(url: $0, origin: "--registry-mirror") }
        return rules
    }
}
