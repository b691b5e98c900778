internal import Images
internal import OCI
internal import Registry
internal import Sys

/// A registry as a source.
struct RegistrySource: ImageSource {
    let client: RegistryClient
    let reference: Reference
    private let allTags: Bool

    init(
        _ reference: Reference, request: WorkerRequest, health: EndpointHealth, push sources: [String]? = nil,
        sink: EventSink, interruption: Interruption
    ) throws(WorkerError) {
        self.reference = reference
        allTags = request.allTags
        var observer = RegistryObserver()
        observer.isInterrupted = { interruption.isRequested }
        observer.warning = { sink.send(.warning($0)) }
        if request.debug { observer.debug = { sink.send(.debug($0)) } }
        observer.retrying = { notice in
            let seconds = Int(max(0, min(notice.seconds, 3600)).rounded(.up))
            guard let digest = notice.digest else {
                return sink.send(.warning("\(notice.endpoint): \(notice.reason); trying again in \(seconds) s"))
            }
            sink.send(.layer(id: digest.short, state: .retrying(seconds: seconds, reason: notice.reason)))
        }
        client = try lift(WorkerError.registry) { [observer] () throws(RegistryError) in
            var configuration = try RegistrySource.withCredentials(request, reference)
            configuration.health = health
            configuration.push = sources.map { RegistryConfiguration.PushAccess(sources: $0) }
            return try RegistryClient(
                reference: reference, configuration: configuration, scope: request.query?.scope, observer: observer)
        }
    }

    private static func withCredentials(
        _ request: WorkerRequest, _ reference: Reference
    ) throws(RegistryError) -> RegistryConfiguration {
        var configuration = try configuration(request, reference)
        if let directory = request.credentialsDirectory {
            let own = configuration.credentials.own
            configuration.credentials = try CredentialStore.load(directory: directory)
            configuration.credentials.own = own
        }
        return configuration
    }

    /// Says where the image would be asked for; connects to nothing.
    static func explain(_ request: WorkerRequest, _ sink: EventSink) throws(WorkerError) {
        guard case .registry(let reference) = try SourceName(parsing: request.source) else {
            throw .source(request.source, reason: "it is no name of a registry's")
        }
        let places = try lift(WorkerError.registry) { () throws(RegistryError) in
            var configuration = try withCredentials(request, reference)
            configuration.health = EndpointHealth(EndpointMemory(StoreLayout(root: request.dataRoot)).load())
            return try Resolver.explain(reference, configuration: configuration)
        }
        sink.send(
            .resolved(
                places.map {
                    ResolvedPlace(
                        url: $0.url, rules: $0.rules, proxy: $0.proxy, credentials: $0.credentials,
                        security: $0.security)
                }))
    }

    /// Without credentials.
    private static func configuration(
        _ request: WorkerRequest, _ reference: Reference
    ) throws(RegistryError) -> RegistryConfiguration {
        var configuration = RegistryConfiguration(environment: Environment.dictionary)
        // A whole registry was looked up by them already.
        if !reference.isRegistry { configuration.rules = request.registryRules }
        configuration.insecureRegistries = request.insecureRegistries
        configuration.hostCertificates = request.hostCertificates ?? [:]
        if let rate = request.slowMirror { configuration.timeouts.slowBesideBytesPerSecond = rate }
        try configuration.apply(request.access, to: reference)
        return configuration
    }

    /// Where `reference` is asked for, and what may be connected to for that.
    static func reach(
        _ reference: Reference, _ request: WorkerRequest
    ) throws(WorkerError) -> (endpoints: [Endpoint], connections: ConnectionPolicy) {
        try lift(WorkerError.registry) { () throws(RegistryError) in
            let configuration = try configuration(request, reference)
            let endpoints = try Resolver.endpoints(for: reference, configuration: configuration)
            return (endpoints, ConnectionPolicy(endpoints: endpoints, proxies: configuration.proxies))
        }
    }

    func targets() throws(WorkerError) -> [PullTarget] {
        guard allTags else { return [target(reference.tagged)] }
        let tags = try tags()
        guard !tags.isEmpty else {
            throw .source(reference.familiarRepository, reason: "the repository has no tags")
        }
        return tags.map { tag in
            target(Reference(domain: reference.domain, path: reference.path, tag: tag, digest: nil))
        }
    }

    private func target(_ name: Reference) -> PullTarget {
        let key = name.digest.map { "\($0)" } ?? name.tag ?? Reference.defaultTag
        return PullTarget(
            key: key, tag: key, repository: name.path, shown: name.familiar,
            // A name with a digest is recorded by that digest alone: what its tag points to was not asked.
            names: name.digest == nil ? [name] : [], digestRepository: reference)
    }

    func manifest(_ target: PullTarget, platform: Platform) throws(WorkerError) -> SourceManifest {
        var name: ManifestName
        if let digest = try? Digest(parsing: target.key) { name = .digest(digest) } else { name = .tag(target.key) }
        var documents: [(digest: Digest, bytes: [UInt8])] = []
        var descriptor: Descriptor?
        var named: Digest?
        for _ in 0..<DocumentLimits.indexDepth + 1 {
            let document = try document(name)
            documents.insert((document.digest, document.bytes), at: 0)
            let digest = named ?? document.digest
            named = digest
            let entry = descriptor
            let kind = try lift(WorkerError.manifest) { () throws(ManifestError) in
                try DocumentKind.classify(document.bytes, contentType: document.contentType, descriptor: entry)
            }
            if kind == .manifest { return try read(document, entry, documents, named: digest) }
            let next = try lift(WorkerError.manifest) { () throws(ManifestError) in
                try Index.decode(document.bytes, contentType: document.contentType, descriptor: entry)
                    .choose(for: platform)
            }
            descriptor = next
            name = .digest(next.digest)
        }
        throw .source(target.shown, reason: "its indexes are nested deeper than \(DocumentLimits.indexDepth)")
    }

    private func read(
        _ document: FetchedDocument, _ entry: Descriptor?, _ documents: [(digest: Digest, bytes: [UInt8])],
        named: Digest
    ) throws(WorkerError) -> SourceManifest {
        let manifest = try lift(WorkerError.manifest) { () throws(ManifestError) in
            try Manifest.decode(document.bytes, contentType: document.contentType, descriptor: entry)
        }
        let client = client
        let layers = manifest.layers.map { layer in
            SourceLayer(
                digest: layer.digest, size: layer.size, shown: layer.digest.short, mediaType: layer.mediaType,
                distrust: { client.distrust(layer.digest) },
                content: .remote { file, offset, progress throws(WorkerError) in
                    try lift(WorkerError.registry) { () throws(RegistryError) in
                        try client.download(layer, to: file, from: offset, progress: progress)
                    }
                })
        }
        return SourceManifest(
            config: manifest.config, layers: layers, digest: named, documents: documents, platform: entry?.platform)
    }

    func config(_ manifest: SourceManifest) throws(WorkerError) -> [UInt8] {
        guard let descriptor = manifest.config else {
            throw .source(reference.familiar, reason: "its manifest names no config")
        }
        return try blob(descriptor)
    }
}
