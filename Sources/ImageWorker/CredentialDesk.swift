internal import Images
internal import OCI
internal import Registry
internal import Sys

/// What `login` and `logout` keep and take away. Nothing of a stranger's is read here.
struct CredentialDesk {
    static func run(_ request: WorkerRequest, _ sink: EventSink) throws(WorkerError) {
        guard let asked = request.credentials else { throw .request("a request about credentials without one") }
        guard let directory = request.credentialsDirectory else {
            throw .request("there is no directory for credentials: set HOME or DOCKER_CONFIG, or use --config")
        }
        let keeping = CredentialKeeping(directory: directory, environment: Environment.dictionary)
        let file = "\(directory)/config.json"
        let logins = try lift(WorkerError.registry) { () throws(RegistryError) -> [StoredLogin] in
            switch asked {
            case .list(let registry):
                return try keeping.list(registry).map {
                    StoredLogin(registry: $0.registry, user: $0.user, helper: $0.helper, file: file)
                }
            case .store(let registry, let user, let password):
                let place = try keeping.store(registry, user: user, password: password)
                return [StoredLogin(registry: registry, user: user, helper: place.helper, file: place.path)]
            case .erase(let registry):
                let wasThere = try keeping.erase(registry)
                return wasThere ? [StoredLogin(registry: registry, user: nil, helper: nil, file: file)] : []
            }
        }
        sink.send(.credentials(logins))
    }
}
