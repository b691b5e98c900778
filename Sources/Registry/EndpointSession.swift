internal import OCI
internal import Synchronization
internal import Sys

/// The conversation with one endpoint: which scheme it speaks, who we are to it, where it sends us.
final class EndpointSession: Sendable {
    let endpoint: Endpoint
    private let transport: Transport
    private let insecure: InsecureHosts
    private let authorizer: Authorizer
    private let certificates: CertificateCache
    private let state = Mutex(State())

    private struct State {
        var scheme: WebURL.Scheme?
        var hasServed = false
    }

    /// What to get.
    struct Ask: Sendable {
        /// Without a slash in front.
        var path: String
        var base = Base.repository
        var query: [(String, String)] = []
        var accept: [String] = []
        var method = HTTPRequest.Method.get
        var body: UploadSource?
        /// Further headers.
        var headers: [(name: String, value: String)] = []
        /// Where it goes instead; who asks is proven at the endpoint's own origin only.
        var target: WebURL?
        /// See `HTTPRequest`.
        var patience: Int?
        /// First byte of a range that goes on to the end.
        var offset: Int64?
        /// Whether a slow answer is put up with.
        var isPatient = true

        /// What a path is below: `/v2/REPOSITORY/`, `/v2/`, `/`.
        enum Base: Sendable { case repository, version, host }
    }

    init(
        endpoint: Endpoint, credential: Credential?, scopes: [String], transport: Transport,
        certificates: CertificateCache
    ) {
        self.endpoint = endpoint
        self.transport = transport
        self.certificates = certificates
        insecure = InsecureHosts(transport.configuration.insecureRegistries)
        authorizer = Authorizer(credential: credential, scopes: scopes) {
            [transport, certificates] (request, realm, policy) throws(Fault) in
            // Redirects of a token server are not followed: what it was shown must not go further.
            let sink = MemorySink(limit: Transfer.errorBodyLimit, what: "the token of \(realm.authority)")
            let response = try transport.perform(
                request, tls: try certificates.material(for: realm), sink: sink, policy: policy)
            let body = response.head.isSuccess ? sink.bytes : response.errorBody
            return Authorizer.TokenResponse(head: response.head, body: body, isCut: response.errorBodyIsCut)
        }
    }

    /// Whether it has given anything yet.
    var hasServed: Bool { state.withLock { $0.hasServed } }

    /// Sends one request, with what authentication and redirects it takes, and gives the head of a 2xx response, whose
    /// body went to `sink`; every other status is thrown.
    func send(_ ask: Ask, into sink: any BodySink) throws(Fault) -> ResponseHead {
        let known = state.withLock { $0.scheme }
        let schemes = known.map { [$0] } ?? endpoint.schemes
        for scheme in schemes.dropLast() {
            do throws(Fault) {
                return try send(ask, scheme, sink)
            } catch {
                guard mayFallBack(from: scheme, after: error) else { throw error }
            }
        }
        guard let last = schemes.last else { throw .refused("no scheme") }
        do throws(Fault) {
            return try send(ask, last, sink)
        } catch .notTLS(let reason) where known != nil {
            throw .broken(reason)
        }
    }

    /// Whether the next scheme is worth a try.
    private func mayFallBack(from scheme: WebURL.Scheme, after fault: Fault) -> Bool {
        // Another thread may have found out meanwhile. Where this scheme was answered, the fault is that of a server
        // further on.
        if let known = state.withLock(\.scheme) { return known != scheme }
        switch fault {
        case .notTLS: return true
        // Without a port, https and http are at different ones.
        case .unreachable: return endpoint.port == nil
        default: return false
        }
    }

    private func send(_ ask: Ask, _ scheme: WebURL.Scheme, _ sink: any BodySink) throws(Fault) -> ResponseHead {
        let own = try self.url(ask, scheme)
        let policy = DestinationPolicy(origin: own, insecure: insecure)
        let url = ask.target ?? own
        var used = url.sameOrigin(as: own) ? try authorizer.header(policy) : nil
        var (response, final) = try follow(url, ask, used, sink, policy)
        // What a TLS server says to plain http is no proof that it speaks it.
        if response.head.status != 400 { state.withLock { $0.scheme = scheme } }
        if response.head.status == 401, final.sameOrigin(as: url), url.sameOrigin(as: own) {
            let challenges = Challenge.parse(response.head.values("www-authenticate"))
            let header = try authorizer.answer(challenges, used: used, policy)
            used = header
            (response, final) = try follow(url, ask, header, sink, policy)
        }
        if response.head.isSuccess {
            state.withLock { $0.hasServed = true }
            return response.head
        }
        throw fault(response, from: final, origin: own, secrets: authorizer.secrets(used))
    }

    private func fault(
        _ response: Transport.Response, from place: WebURL, origin: WebURL, secrets: [String]
    ) -> Fault {
        // Presigned URLs have theirs in the query.
        let values = place.query?.split(separator: "&").compactMap { $0.split(separator: "=", maxSplits: 1).last } ?? []
        let message = RegistryMessage(
            body: response.errorBody, isCut: response.errorBodyIsCut, hiding: secrets + values.map(String.init))
        return place.sameOrigin(as: origin)
            ? message.fault(head: response.head)
            : message.fault(head: response.head, redirectedTo: "redirected to \(place.authority)")
    }

    /// Where an answer to `ask` sends the next request, which may be relative to where that went.
    func location(_ head: ResponseHead, after ask: Ask) throws(Fault) -> WebURL {
        let own = try url(ask, state.withLock(\.scheme) ?? endpoint.schemes.first ?? .https)
        guard let text = head.value("location") else { throw .refused("\(endpoint.name) names no place to go on at") }
        let target: WebURL
        do throws(WebURL.Fault) {
            target = try (ask.target ?? own).resolving(text)
        } catch {
            throw .refused("the place that \(endpoint.name) names is no URL: \(error.reason)")
        }
        try DestinationPolicy(origin: own, insecure: insecure).check(redirect: target, from: own)
        return target
    }

    private func url(_ ask: Ask, _ scheme: WebURL.Scheme) throws(Fault) -> WebURL {
        do throws(WebURL.Fault) {
            let prefix =
                switch ask.base {
                case .repository: "v2/\(endpoint.repository)/"
                case .version: "v2/"
                case .host: ""
                }
            let base = try WebURL(parsing: "\(scheme.rawValue)://\(endpoint.name)/\(prefix)\(ask.path)")
            let query = ask.query + (endpoint.namespace.map { [("ns", $0)] } ?? [])
            return query.isEmpty ? base : try base.appending(query)
        } catch {
            throw .refused("\(endpoint.name) makes no URL: \(error.reason)")
        }
    }

    /// Follows redirects by hand. Credentials stay with the origin, and once left behind do not come back.
    private func follow(
        _ start: WebURL, _ ask: Ask, _ authorization: Authorizer.Header?, _ sink: any BodySink,
        _ policy: DestinationPolicy
    ) throws(Fault) -> (Transport.Response, WebURL) {
        var url = start
        var authorization = authorization
        for hop in 0...DestinationPolicy.maximumHops {
            var request = HTTPRequest(
                url: url, method: ask.method, body: ask.body, headers: headers(ask), patience: ask.patience)
            if let authorization { request.headers.append(("Authorization", authorization.value)) }
            let tls = try certificates.material(for: url)
            let response = try transport.perform(
                request, tls: tls, sink: sink, policy: policy, isPatient: ask.isPatient)
            guard [301, 302, 303, 307, 308].contains(response.head.status) else { return (response, url) }
            guard let location = response.head.value("location") else {
                throw .refused("redirect from \(url.authority) to nowhere")
            }
            guard ask.method.isSafe || [307, 308].contains(response.head.status) else {
                throw .refused("redirect of a \(ask.method.rawValue) from \(url.authority)")
            }
            let target: WebURL
            do throws(WebURL.Fault) {
                target = try url.resolving(location)
            } catch {
                throw .refused("redirect from \(url.authority) refused: \(error.reason)")
            }
            try policy.check(redirect: target, from: url)
            if !target.sameOrigin(as: start) { authorization = nil }
            if hop < DestinationPolicy.maximumHops { url = target }
        }
        throw .refused("more than \(DestinationPolicy.maximumHops) redirects, the last at \(url.authority)")
    }

    private func headers(_ ask: Ask) -> [(name: String, value: String)] {
        // Compression on the way would change the bytes that digests and ranges are about.
        var result: [(name: String, value: String)] = [("Accept-Encoding", "identity")]
        if !ask.accept.isEmpty { result.append(("Accept", ask.accept.joined(separator: ", "))) }
        if let offset = ask.offset { result.append(("Range", "bytes=\(offset)-")) }
        // libcurl would wait for a word before the body, and call it a form.
        if !ask.method.isSafe { result.append(("Expect", "")) }
        if !ask.method.isSafe, !ask.headers.contains(where: { $0.name == "Content-Type" }) {
            result.append(("Content-Type", ask.body == nil ? "" : "application/octet-stream"))
        }
        return result + ask.headers
    }
}

/// Certificates by host, read once each.
final class CertificateCache: Sendable {
    private let configuration: RegistryConfiguration
    private let insecure: InsecureHosts
    private let known = Mutex<[String: TLSMaterial]>([:])

    init(_ configuration: RegistryConfiguration) {
        self.configuration = configuration
        insecure = InsecureHosts(configuration.insecureRegistries)
    }

    /// Reads an endpoint's own, so that a broken file is reported before anything is sent.
    func load(_ endpoint: Endpoint) throws(RegistryError) {
        let port = endpoint.port ?? WebURL.Scheme.https.defaultPort
        let material = try TLSMaterial.load(
            host: endpoint.host, port: port, trust: endpoint.trust, configuration: configuration)
        known.withLock { $0["\(endpoint.host.lowercased()):\(port)"] = material }
    }

    func material(for url: WebURL) throws(Fault) -> TLSMaterial {
        if let material = known.withLock({ $0[url.authority] }) { return material }
        let listed = insecure.contains(host: url.host, port: url.port)
        do throws(RegistryError) {
            let material = try TLSMaterial.load(
                host: url.host, port: url.port, trust: listed ? .anyCertificate : .verified,
                configuration: configuration)
            known.withLock { $0[url.authority] = material }
            return material
        } catch {
            throw .refused("\(error)")
        }
    }
}
