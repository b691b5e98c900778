package import Engine
package import Images
package import OCI

/// The verbs that ask a registry and store nothing.
package protocol RegistryVerbs {
    func resolve(_ request: PullRequest) throws -> [ResolvedPlace]
    func query(
        _ query: RegistryQuery, _ request: PullRequest, observer: (EngineEvent) -> Void
    ) throws -> RegistryReply
    func remoteDetails(_ request: PullRequest, observer: (EngineEvent) -> Void) throws -> ImageDetails
    func keptManifest(ofID text: String) throws -> RegistryDocument?
    func verifyLogin(_ registry: String, _ access: RegistryAccess, observer: (EngineEvent) -> Void) throws
    func logins(_ registry: String?) throws -> [StoredLogin]
    func keepLogin(_ registry: String, user: String, password: String) throws -> StoredLogin
    func dropLogin(_ registry: String) throws -> Bool
}
