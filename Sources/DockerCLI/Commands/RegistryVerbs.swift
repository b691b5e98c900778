package import Engine
package import Images

/// The verbs that ask a registry and store nothing.
package protocol RegistryVerbs {
    func resolve(_ request: PullRequest) throws -> [ResolvedPlace]
    func query(
        _ query: RegistryQuery, _ request: PullRequest, observer: (EngineEvent) -> Void
    ) throws -> RegistryReply
    func remoteDetails(_ request: PullRequest, observer: (EngineEvent) -> Void) throws -> ImageDetails
    func keptManifest(ofID text: String) throws -> RegistryDocument?
}
