import DockerCLI
import Engine
import Images
import OCI

extension RecordingEngine: RegistryVerbs {
    func resolve(_ request: PullRequest) throws -> [ResolvedPlace] {
        pulled.append(request)
        if let failure { throw failure }
        return places
    }

    func query(
        _ query: RegistryQuery, _ request: PullRequest, observer: (EngineEvent) -> Void
    ) throws -> RegistryReply {
        pulled.append(request)
        queries.append(query)
        if let failure { throw failure }
        return reply
    }

    func remoteDetails(_ request: PullRequest, observer: (EngineEvent) -> Void) throws -> ImageDetails {
        pulled.append(request)
        return try imageDetails(of: request.source)
    }

    func verifyLogin(_ registry: String, _ access: RegistryAccess, observer: (EngineEvent) -> Void) throws {
        verbs.append("verify \(registry)")
        shown.append(access.credentials)
        if let failure { throw failure }
    }

    func logins(_ registry: String?) throws -> [StoredLogin] {
        kept.filter { registry == nil || $0.registry == registry }
    }

    func keepLogin(_ registry: String, user: String, password: String) throws -> StoredLogin {
        verbs.append("keep \(registry) \(user) \(password)")
        return StoredLogin(registry: registry, user: user, helper: helper, file: "/root/.docker/config.json")
    }

    func dropLogin(_ registry: String) throws -> Bool {
        verbs.append("drop \(registry)")
        return kept.contains { $0.registry == registry }
    }

    func keptManifest(ofID text: String) throws -> RegistryDocument? { nil }
}
