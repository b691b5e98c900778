internal import OCI

/// Logins as they are kept: in docker's `config.json`, or by the helper that it names for the registry.
package struct CredentialKeeping: Sendable {
    private let directory: String
    private let environment: [String: String]

    package init(directory: String, environment: [String: String]) {
        self.directory = directory
        self.environment = environment
    }

    /// Where a login is, without its secret.
    package struct Login: Sendable, Hashable {
        package var registry: String
        package var user: String?
        package var helper: String?
    }

    /// What docker files a registry under; the names that mean docker.io are one.
    private static func key(_ registry: String) -> String {
        registry == Reference.defaultDomain ? CredentialStore.hubKey : registry
    }

    /// Stores it where the configuration says; returns the helper's name, or nil for the file itself.
    package func store(
        _ registry: String, user: String, password: String
    ) throws(RegistryError) -> (helper: String?, path: String) {
        let key = CredentialKeeping.key(registry)
        // What can't be read is not written over, and the helper is not told.
        let helper = try CredentialStore.load(directory: directory).helper(for: key)
        let file = try CredentialFile(directory: directory)
        if let helper {
            try run(helper) { helper throws(CredentialHelper.Failure) in
                try helper.store(server: key, user: user, secret: password)
            }
        }
        try file.store(key, user: user, password: password, isKept: helper != nil)
        return (helper, file.path)
    }

    /// Takes away what a look-up would find. False: there was nothing.
    package func erase(_ registry: String) throws(RegistryError) -> Bool {
        let key = CredentialKeeping.key(registry)
        let store = try CredentialStore.load(directory: directory)
        let known = store.keys.filter { CredentialStore.registry(ofKey: $0) == registry }
        var wasThere = !known.isEmpty
        if let helper = store.helper(for: key) {
            try run(helper) { helper throws(CredentialHelper.Failure) in
                wasThere = try helper.get(server: key) != nil || wasThere
                try helper.erase(server: key)
            }
        }
        if !known.isEmpty {
            try CredentialFile(directory: directory).erase { CredentialStore.registry(ofKey: $0) == registry }
        }
        return wasThere
    }

    /// All logins, or that of one registry.
    package func list(_ registry: String?) throws(RegistryError) -> [Login] {
        let store = try CredentialStore.load(directory: directory)
        var registries = Set(store.keys.map { CredentialStore.registry(ofKey: $0) })
        registries.formUnion(store.helperKeys.map { CredentialStore.registry(ofKey: $0) })
        if let registry { registries = [registry] }
        var logins: [Login] = []
        for name in registries.sorted() {
            let endpoint = try CredentialKeeping.endpoint(name)
            let found = store.credential(for: endpoint, environment: environment) { _ in }
            guard let found else { continue }
            var login = Login(registry: name, helper: store.helper(for: CredentialKeeping.key(name)))
            if case .password(let user, _) = found { login.user = user }
            logins.append(login)
        }
        return logins
    }

    private static func endpoint(_ registry: String) throws(RegistryError) -> Endpoint {
        let places = try Resolver.endpoints(for: .registry(registry), configuration: RegistryConfiguration())
        guard let last = places.last else { throw .configuration("\(registry) is no registry") }
        return last
    }

    private func run(
        _ name: String, _ body: (CredentialHelper) throws(CredentialHelper.Failure) -> Void
    ) throws(RegistryError) {
        do throws(CredentialHelper.Failure) {
            try body(CredentialHelper(name: name, environment: environment))
        } catch {
            throw .configuration(error.plain)
        }
    }
}
