internal import Images
internal import OCI
internal import Registry

/// What queries ask of it.
extension RegistrySource {
    /// What the reference names, its tag's manifest where it names no digest.
    var name: ManifestName {
        reference.digest.map { .digest($0) } ?? .tag(reference.tag ?? Reference.defaultTag)
    }

    /// For messages.
    var shown: String { reference.familiar }

    func tags() throws(WorkerError) -> [String] {
        try lift(WorkerError.registry) { () throws(RegistryError) in try client.tags() }
    }

    /// What each place answers.
    func check() throws(WorkerError) -> [RegistryCheck] {
        let answers = try lift(WorkerError.registry) { () throws(RegistryError) in try client.check(name) }
        return answers.map {
            RegistryCheck(
                url: Resolver.url(of: reference, at: $0.endpoint), answer: $0.text, isGood: $0.isGood)
        }
    }

    func document(_ name: ManifestName) throws(WorkerError) -> FetchedDocument {
        try lift(WorkerError.registry) { () throws(RegistryError) in try client.manifest(name) }
    }

    func blob(_ descriptor: Descriptor) throws(WorkerError) -> [UInt8] {
        try lift(WorkerError.registry) { () throws(RegistryError) in try client.blob(descriptor) }
    }
}

// MARK: Registries as a whole

extension RegistrySource {
    /// Where a question about a whole registry goes.
    static func place(
        of query: RegistryQuery, at registry: Reference, _ rules: RegistryRules
    ) throws(RegistryError) -> Reference {
        // A password is for the registry that was named, wherever its images are asked for.
        if case .login = query { return registry }
        let place = try Resolver.place(of: registry, rules).0
        // docker.io's images and its search are at two hosts.
        return place.domain == Reference.defaultDomain ? .registry(Resolver.hubSearchHost) : place
    }

    /// Nothing that it sees is told.
    func verifyLogin() throws(WorkerError) {
        do throws(RegistryError) {
            try client.verifyLogin()
        } catch .denied(_, let tried, _) {
            let reason = tried.last.map { "\($0.fault)" } ?? "access denied"
            // Some registries say of a wrong password only that one is needed.
            let remedy = reason.contains("incorrect") ? "" : "; check the user's name and the password"
            throw .reported(message: "login to \(reference.domain) failed: \(reason)\(remedy)", kind: .denied)
        } catch {
            throw .registry(error)
        }
    }

    func search(_ term: String, limit: Int) throws(WorkerError) -> [FoundRepository] {
        let found = try lift(WorkerError.registry) { () throws(RegistryError) in
            try client.search(term, limit: limit)
        }
        let isHub = reference.domain == Resolver.hubSearchHost
        // What can't be pulled by its name is not worth naming.
        return found.compactMap { entry in
            let name = isHub ? entry.name : "\(reference.domain)/\(entry.name)"
            guard let parsed = try? Reference(parsing: name), parsed.tag == nil, parsed.digest == nil else {
                return nil
            }
            let line = String(entry.description.map { $0.isNewline || $0 == "\t" ? " " : $0 })
            return FoundRepository(
                name: name, description: ForeignText(line, limit: 1000).description, stars: entry.stars,
                isOfficial: entry.isOfficial, isAutomated: entry.isAutomated)
        }
    }
}

extension RegistryQuery {
    /// What tokens are asked for, where it is not the reading of a repository.
    var scope: String? {
        switch self {
        case .search: "registry:catalog:*"
        case .tags, .manifest, .check, .image, .login: nil
        }
    }
}
