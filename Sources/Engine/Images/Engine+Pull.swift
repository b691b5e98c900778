package import Images
internal import OCI
internal import Sys

extension PullRequest {
    /// `oci:`, `oci-archive:` and `docker-archive:` name files, not registries.
    package static func isLocal(_ source: String) -> Bool {
        ["oci:", "oci-archive:", "docker-archive:"].contains { source.hasPrefix($0) }
    }
}

extension Engine {
    /// Workers that pull at once.
    private static let pullsAtOnce = 3

    /// Pulls, durably: when this returns, a power cut loses nothing of the images. The last event of each says its ID and
    /// canonical name; why one was not had is told in its place, and stops no other. The observer hears of which image it is.
    package func pull(
        _ asked: [PullRequest], observer: (Int, EngineEvent) -> Void
    ) throws(EngineError) -> [EngineError?] {
        let downloads = maximumDownloads
        let atOnce = min(downloads, Engine.pullsAtOnce)
        let slots = asked.count > 1 ? try DownloadSlots(downloads) : nil
        // Only its numbers are used below.
        defer { withExtendedLifetime(slots) {} }
        var requests: [WorkerRequest] = []
        for one in asked {
            var request = try workerRequest(.pull, one)
            request.downloadSlots = slots.map { _ in downloads }
            // A rate is that of all together.
            let workers = Int64(max(1, min(atOnce, asked.count)))
            request.access.bytesPerSecond = request.access.bytesPerSecond.map { max(1, $0 / workers) }
            requests.append(request)
        }
        var failures = [EngineError?](repeating: nil, count: asked.count)
        let group = WorkerGroup(requests: requests, atOnce: atOnce, shared: slots?.descriptors ?? [])
        try group.run { index, event in
            observer(index, .pull(event))
        } ended: { index, outcome in
            switch outcome {
            case .success(.done(let image, let name)):
                notePull(image, name: name)
                observer(index, .pull(.done(image: image, name: name)))
            case .success: failures[index] = .workerDied("it ended with another answer than was asked for")
            case .failure(let error): failures[index] = error
            }
        }
        return failures
    }

    private var maximumDownloads: Int { max(1, min(configuration.maximumDownloads ?? 3, 16)) }

    private func fetch(_ asked: PullRequest, observe: (EngineEvent) -> Void) throws(EngineError) -> Worker.Result {
        let result = try Worker.run(try workerRequest(.pull, asked)) { observe(.pull($0)) }
        notePull(result.image, name: result.name)
        return result
    }

    /// Where the image would be asked for, in order; nothing is connected to.
    package func resolve(_ asked: PullRequest) throws(EngineError) -> [ResolvedPlace] {
        guard case .resolved(var places) = try Worker.outcome(of: workerRequest(.resolve, asked)) else {
            throw .workerDied("it ended with another answer than was asked for")
        }
        let rules = rules(asked.registryRules)
        if rules.qualified(asked.source) != asked.source {
            let origin = rules.defaultRegistry?.origin ?? "registries.conf"
            let rule = "\(asked.source) means \(rules.qualified(asked.source)) (\(origin))"
            for index in places.indices { places[index].rules.insert(rule, at: 0) }
        }
        return places
    }

    /// A digit of an ID is no name to pull.
    func meantToPull(_ asked: PullRequest) -> String {
        PullRequest.isLocal(asked.source) ? asked.source : rules(asked.registryRules).qualified(asked.source)
    }

    func workerRequest(
        _ verb: WorkerRequest.Verb, _ asked: PullRequest
    ) throws(EngineError) -> WorkerRequest {
        let name = meantToPull(asked)
        var request = WorkerRequest(verb: verb, source: try localized(name), dataRoot: dataRoot)
        request.platform = asked.platform
        request.allTags = asked.allTags
        request.registryRules = rules(asked.registryRules)
        request.access = try settled(asked.access)
        request.insecureRegistries = configuration.insecureRegistries + options.insecureRegistries
        try add(foreignRegistries(name, request.registryRules), to: &request)
        request.maximumDownloads = maximumDownloads
        request.slowMirror = configuration.slowMirror
        request.verifiers = configuration.verifiers
        request.credentialsDirectory =
            options.dockerConfigDirectory ?? Environment["DOCKER_CONFIG"] ?? Environment["HOME"].map { $0 + "/.docker" }
        request.ids = rootless?.workerIDs
        request.debug = options.logLevel == .debug
        return request
    }

    private func add(_ foreign: ForeignRegistries, to request: inout WorkerRequest) {
        request.registryRules.namespaces = foreign.namespaces
        request.insecureRegistries += foreign.insecure
        request.hostCertificates = foreign.certificates
        for warning in foreign.warnings { notice(warning) }
    }

    /// The command's own rules, the program's, and the configuration's. Mirrors that were asked for replace those of the
    /// configuration, as docker's.
    func rules(_ asked: RegistryRules) -> RegistryRules {
        let said = asked.followed(by: options.registryRules)
        var usual = configuration.registryRules
        if said.defaultRegistry == nil, let (aliases, registry) = searchedNames {
            (usual.aliases, usual.defaultRegistry) = (aliases, registry)
        }
        if !said.mirrors.isEmpty { usual.mirrors = [] }
        return said.followed(by: usual)
    }

    /// With what its files hold that are the caller's.
    private func settled(_ asked: RegistryAccess) throws(EngineError) -> RegistryAccess {
        var access = asked
        if let file = access.authorityFile { access.authorityFile = try Engine.absolute(file) }
        guard case .file(let path)? = access.credentials else { return access }
        let bytes = try call("read", path) { () throws(Errno) in try File.readAll(path, limit: 64 << 10) }
        let line = String(
            decoding: bytes.prefix { $0 != UInt8(ascii: "\n") && $0 != UInt8(ascii: "\r") }, as: UTF8.self)
        guard let credentials = RegistryAccess.Credentials(parsing: line) else {
            throw .invalid("--creds: the first line of \(ForeignText(path)) is not USER:PASSWORD")
        }
        access.credentials = credentials
        return access
    }

    /// A local source with an absolute path; anything else as it is.
    private func localized(_ source: String) throws(EngineError) -> String {
        guard PullRequest.isLocal(source), let colon = source.firstIndex(of: ":") else { return source }
        let path = String(source[source.index(after: colon)...])
        return String(source[...colon]) + (try Engine.absolute(path))
    }

    /// The image that `request` names, where it is here and may be used without asking its source.
    func present(_ request: RunRequest) throws(EngineError) -> Image? {
        if PullRequest.isLocal(request.image) || request.pull == .always { return nil }
        if let image = try find(request.image), matches(image, request.platform) { return image }
        if request.pull == .never { throw .noSuchImage(request.image) }
        return nil
    }

    /// Pulls the image that `request` names and tells its ID.
    func download(_ request: RunRequest, observer: (EngineEvent) -> Void) throws(EngineError) -> Digest {
        let name = (try? Reference(parsing: request.image).tagged.familiar) ?? request.image
        if !PullRequest.isLocal(request.image), request.pull == .missing { observer(.imageMissing(name)) }
        var source = PullRequest(source: request.image)
        source.platform = request.platform
        source.registryRules = request.registryRules ?? RegistryRules()
        source.access = request.registryAccess ?? RegistryAccess()
        return try fetch(source, observe: observer).image
    }

    /// Refuses a name that is none before anything is touched.
    func checkName(_ image: String) throws(EngineError) {
        if PullRequest.isLocal(image) { return }
        do throws(StoreError) {
            try ImageStore.checkName(image)
        } catch {
            throw .store(error)
        }
    }

    func find(_ name: String) throws(EngineError) -> Image? {
        do throws(StoreError) {
            return try images.resolve(meant(name))
        } catch {
            throw .store(error)
        }
    }

    private func matches(_ image: Image, _ platform: Platform?) -> Bool {
        platform.map { $0.distance(to: image.config.platform) != nil } ?? true
    }
}
