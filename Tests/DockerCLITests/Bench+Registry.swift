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

    func keptManifest(ofID text: String) throws -> RegistryDocument? { nil }
}
