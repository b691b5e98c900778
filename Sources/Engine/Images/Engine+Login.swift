package import Images
package import OCI
internal import Sys

extension Engine {
    /// Shows the registry a name and a password, or those that are kept for it; throws unless it takes them.
    package func verifyLogin(
        _ registry: String, _ access: RegistryAccess, observer: (EngineEvent) -> Void
    ) throws(EngineError) {
        var request = PullRequest(source: registry)
        request.access = access
        _ = try query(.login, request, observer: observer)
    }

    /// What is kept for a registry, or for all; without secrets.
    package func logins(_ registry: String?) throws(EngineError) -> [StoredLogin] {
        try credentials(.list(registry: registry))
    }

    /// Keeps a login in docker's `config.json` or where that says.
    package func keepLogin(_ registry: String, user: String, password: String) throws(EngineError) -> StoredLogin {
        guard let login = try credentials(.store(registry: registry, user: user, password: password)).first else {
            throw .workerDied("it ended with another answer than was asked for")
        }
        return login
    }

    /// Takes what is kept for a registry away; false: there was nothing.
    package func dropLogin(_ registry: String) throws(EngineError) -> Bool {
        try !credentials(.erase(registry: registry)).isEmpty
    }

    private func credentials(_ asked: CredentialRequest) throws(EngineError) -> [StoredLogin] {
        var request = try workerRequest(.credentials, PullRequest(source: ""))
        request.credentials = asked
        guard case .credentials(let logins) = try Worker.outcome(of: request) else {
            throw .workerDied("it ended with another answer than was asked for")
        }
        return logins
    }
}
