package import OCI

/// A place to ask for a repository.
package struct Endpoint: Hashable, Sendable {
    package enum Role: Sendable, Hashable { case mirror, registry }

    package var role: Role
    /// As in a URL: IPv6 addresses in brackets.
    package var host: String
    /// nil: the scheme's own.
    package var port: UInt16?
    /// The repository's name at this place.
    package var repository: String
    /// In the order of trying.
    package var schemes: [WebURL.Scheme]
    /// How the server's certificate is treated.
    package var trust: Trust
    /// The rules that led here, for people.
    package var reasons: [String] = []
    /// Whether it may say what a tag points to.
    package var resolves = true
    /// Sent along as `ns`, for mirrors that serve several registries.
    package var namespace: String?

    package enum Trust: Sendable, Hashable {
        case verified
        /// Verified when a CA is configured for the host, not otherwise (the loopback interface, as in docker).
        case verifiedIfKnown
        case anyCertificate
    }

    package init(
        role: Role, host: String, port: UInt16?, repository: String, schemes: [WebURL.Scheme], trust: Trust
    ) {
        self.role = role
        self.host = host
        self.port = port
        self.repository = repository
        self.schemes = schemes
        self.trust = trust
    }

    /// `host`, `host:port`: what certificates and credentials are filed under.
    package var name: String { port.map { "\(host):\($0)" } ?? host }
}

/// From a name to the places that may have it. No I/O: the same input gives the same list.
package enum Resolver {
    /// docker.io's real host.
    package static let hubHost = "registry-1.docker.io"
    /// The host that searches docker.io.
    package static let hubSearchHost = "index.docker.io"

    /// The place that stands for the name, by the rules; before it the mirrors of that, in their order. Fails on a mirror
    /// that is no URL, or that would be spoken to in plain http without being local or listed as insecure.
    package static func endpoints(
        for reference: Reference, configuration: RegistryConfiguration
    ) throws(RegistryError) -> [Endpoint] {
        let insecure = InsecureHosts(configuration.insecureRegistries)
        let (place, rewrite) = try self.place(of: reference, configuration.rules)
        let reasons = rewrite.map { ["\($0.prefix.text) is replaced by \($0.target.text) (\($0.origin))"] } ?? []
        var result: [Endpoint] = []
        // A mirror has images; it answers for nothing else.
        for mirror in configuration.rules.mirrors where !place.isRegistry && mirror.prefix.matches(place) {
            var endpoint = try self.mirror(mirror.url, repository: place.path, insecure)
            endpoint.reasons = reasons + ["mirror of \(mirror.prefix.text) (\(mirror.origin))"]
            result.append(endpoint)
        }
        if let (namespace, length) = configuration.rules.namespace(of: place) {
            let places = try self.places(namespace, length, place, insecure, mirrored: !result.isEmpty)
            return result
                + places.map { endpoint in
                    var endpoint = endpoint
                    endpoint.reasons = reasons + endpoint.reasons
                    return endpoint
                }
        }
        var last = registry(place, insecure)
        last.reasons = reasons
        return result + [last]
    }

    private static func registry(_ place: Reference, _ insecure: InsecureHosts) -> Endpoint {
        let isHub = place.domain == Reference.defaultDomain
        let (host, port) = isHub ? (hubHost, nil) : split(place.domain)
        return endpoint(
            .registry, host, port, place.path, isHub || host == hubSearchHost ? InsecureHosts([]) : insecure)
    }

    /// What another program's file says of the name. Its mirrors stand behind our own rules: where those name some
    /// (`mirrored`), they are not asked.
    private static func places(
        _ namespace: RegistryRules.Namespace, _ length: Int, _ name: Reference, _ insecure: InsecureHosts,
        mirrored: Bool
    ) throws(RegistryError) -> [Endpoint] {
        if namespace.isBlocked {
            throw .configuration("\(name.familiar) is blocked by \(namespace.origin)")
        }
        var result: [Endpoint] = []
        for mirror in mirrored ? [] : namespace.mirrors {
            if let only = mirror.withDigest, only != (name.digest != nil) { continue }
            var endpoint = try self.endpoint(mirror, length, name, insecure)
            endpoint.role = .mirror
            endpoint.reasons = ["mirror of \(namespace.prefix.isEmpty ? "all" : namespace.prefix) (\(mirror.origin))"]
            result.append(endpoint)
        }
        guard let location = namespace.location else { return result + [registry(name, insecure)] }
        var last = try endpoint(location, length, name, insecure)
        let replaced = namespace.prefix.isEmpty ? name.domain : namespace.prefix
        last.resolves = true
        last.reasons = replaced == location.target ? [] : ["\(replaced) is at \(location.target) (\(location.origin))"]
        return result + [last]
    }

    private static func endpoint(
        _ place: RegistryRules.Place, _ length: Int, _ name: Reference, _ insecure: InsecureHosts
    ) throws(RegistryError) -> Endpoint {
        let reference: Reference
        do throws(NamePrefix.Fault) {
            reference = try place.place(of: name, length: length)
        } catch {
            throw .configuration("\(error)")
        }
        var result = registry(reference, insecure)
        if let scheme = place.scheme.flatMap(WebURL.Scheme.init) { result.schemes = [scheme] }
        result.resolves = place.resolves
        result.namespace = place.namespace
        return result
    }

    /// The name under which it is asked for, and the rule that made it.
    package static func place(
        of reference: Reference, _ rules: RegistryRules
    ) throws(RegistryError) -> (Reference, RegistryRules.Rewrite?) {
        do throws(NamePrefix.Fault) {
            return try rules.place(of: reference)
        } catch {
            throw .configuration("\(error)")
        }
    }

    private static func endpoint(
        _ role: Endpoint.Role, _ host: String, _ port: UInt16?, _ repository: String, _ insecure: InsecureHosts
    ) -> Endpoint {
        let listed = insecure.contains(host: host, port: port)
        let local = HostAddress.isLoopback(host: host)
        return Endpoint(
            role: role, host: host, port: port, repository: repository,
            schemes: listed || local ? [.https, .http] : [.https],
            trust: listed ? .anyCertificate : local ? .verifiedIfKnown : .verified)
    }

    private static func mirror(
        _ text: String, repository: String, _ insecure: InsecureHosts
    ) throws(RegistryError) -> Endpoint {
        let shown = "invalid registry mirror \"\(ForeignText(text))\""
        let url: WebURL
        do throws(WebURL.Fault) {
            url = try WebURL(parsing: text)
        } catch {
            // The text may hold a password.
            throw .configuration("invalid registry mirror: \(error.reason); want https://HOST[:PORT]")
        }
        guard text.contains("://") else { throw .configuration("\(shown): no scheme; want https://HOST[:PORT]") }
        guard url.path == "/" || url.path.isEmpty, url.query == nil, !text.contains("#") else {
            throw .configuration("invalid registry mirror \"\(url)\": it must end behind the host and port")
        }
        var result = endpoint(
            .mirror, url.host, url.port == url.scheme.defaultPort ? nil : url.port, repository, insecure)
        guard result.schemes.contains(url.scheme) else {
            throw .configuration(
                "registry mirror \(url): plain http is only for this machine; use https, or list \(result.name) in "
                    + "insecure-registries")
        }
        result.schemes = [url.scheme]
        return result
    }

    /// `host:port` of a name's domain, which its grammar has checked.
    static func split(_ domain: String) -> (host: String, port: UInt16?) {
        guard let colon = domain.lastIndex(of: ":"), !domain.hasSuffix("]"),
            let port = UInt16(domain[domain.index(after: colon)...])
        else { return (domain, nil) }
        return (String(domain[..<colon]), port)
    }
}

/// The `insecure-registries` of the configuration, compared with hosts by name; blocks hold addresses only.
struct InsecureHosts: Sendable {
    private var names: Set<String> = []
    private var blocks: [AddressBlock] = []

    init(_ entries: [String]) {
        for entry in entries {
            var name = entry.lowercased()
            for scheme in ["https://", "http://"] where name.hasPrefix(scheme) {
                name = String(name.dropFirst(scheme.count))
            }
            if name.hasSuffix("/") { name.removeLast() }
            if let block = AddressBlock(name) { blocks.append(block) } else { names.insert(name) }
        }
    }

    func contains(host: String, port: UInt16?) -> Bool {
        let host = host.lowercased()
        if names.contains(port.map { "\(host):\($0)" } ?? host) { return true }
        guard let address = HostAddress(host) else { return false }
        return blocks.contains { $0.contains(address) }
    }

    /// Whether plain http may be spoken to that host at all.
    func allowsPlainHTTP(_ url: WebURL) -> Bool {
        HostAddress.isLoopback(host: url.host) || contains(host: url.host, port: url.port)
            || url.port == url.scheme.defaultPort && contains(host: url.host, port: nil)
    }
}
