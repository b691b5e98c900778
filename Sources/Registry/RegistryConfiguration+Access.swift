package import OCI

extension RegistryConfiguration {
    /// Adds what the command line says of the registry of `reference`, by the rules that lead there.
    package mutating func apply(_ access: RegistryAccess, to reference: Reference) throws(RegistryError) {
        if access.isInsecure { try trust(Resolver.place(of: reference, rules).0.domain) }
    }

    private mutating func trust(_ domain: String) throws(RegistryError) {
        guard ![Reference.defaultDomain, Resolver.hubSearchHost].contains(domain) else {
            throw .configuration("--insecure is not for Docker Hub: it is asked over TLS, with its certificate checked")
        }
        insecureRegistries.append(domain)
    }
}
