package import OCI
internal import Sys

extension Resolver {
    /// What a request for a manifest would be made of at one place.
    package struct Explanation: Sendable {
        package var url: String
        package var rules: [String]
        /// Without its password.
        package var proxy: String?
        /// Where a user's name or token comes from.
        package var credentials: String?
        package var security: String
    }

    /// All places where `reference` would be asked for, in order. Reads certificates and sends nothing; no credential
    /// helper is run.
    package static func explain(
        _ reference: Reference, configuration: RegistryConfiguration
    ) throws(RegistryError) -> [Explanation] {
        let proxies = configuration.proxies
        var result: [Explanation] = []
        for endpoint in try ordered(for: reference, configuration) {
            let text = url(of: reference, at: endpoint)
            let proxy = (try? WebURL(parsing: text)).flatMap { proxies.proxy(for: $0) }
            result.append(
                Explanation(
                    url: text, rules: endpoint.reasons, proxy: proxy.map(withoutPassword),
                    credentials: configuration.credentials.source(for: endpoint),
                    security: try security(of: endpoint, configuration)))
        }
        return result
    }

    /// Where the manifest is asked for.
    package static func url(of reference: Reference, at endpoint: Endpoint) -> String {
        let version = reference.digest.map { "\($0)" } ?? reference.tag ?? Reference.defaultTag
        let scheme = endpoint.schemes.first ?? .https
        return "\(scheme.rawValue)://\(endpoint.name)/v2/\(endpoint.repository)/manifests/\(version)"
    }

    /// As a client asks them now.
    private static func ordered(
        for reference: Reference, _ configuration: RegistryConfiguration
    ) throws(RegistryError) -> [Endpoint] {
        let all = try endpoints(for: reference, configuration: configuration)
        var (well, ill): ([Endpoint], [Endpoint]) = ([], [])
        for var endpoint in all {
            guard all.count > 1, let illness = configuration.health.illness(of: endpoint.name) else {
                well.append(endpoint)
                continue
            }
            let seconds = (illness.until - Clock.bootNanoseconds) / 1_000_000_000
            endpoint.reasons.append("asked last for \(seconds) s more: \(illness.reason)")
            ill.append(endpoint)
        }
        return well + ill
    }

    private static func security(
        of endpoint: Endpoint, _ configuration: RegistryConfiguration
    ) throws(RegistryError) -> String {
        if endpoint.schemes == [.http] { return "none: plain http" }
        let material = try TLSMaterial.load(
            host: endpoint.host, port: endpoint.port ?? WebURL.Scheme.https.defaultPort, trust: endpoint.trust,
            configuration: configuration)
        var text = "certificate checked"
        if !material.verifies {
            text = "certificate not checked"
        } else if material.authorities != nil {
            text += " by the host's own CA and the system's"
        }
        if material.clientCertificate != nil { text += "; with a client certificate" }
        return endpoint.schemes.contains(.http) ? text + "; else plain http" : text
    }

    private static func withoutPassword(_ proxy: String) -> String {
        guard let at = proxy.lastIndex(of: "@") else { return proxy }
        let scheme = proxy.contains("://") ? proxy.prefix { $0 != ":" } + "://" : ""
        return scheme + "…" + proxy[at...]
    }
}
