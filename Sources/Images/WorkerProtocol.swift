package import OCI

/// What `runimg` asks of `runimg-image`: one JSON object on its standard input.
package struct WorkerRequest: Sendable, Codable, Hashable {
    package enum Verb: String, Sendable, Codable {
        case pull, commit, transfer, resolve, query, credentials, save, load, importTar, push, check
    }

    package var verb: Verb
    /// Of a pull: a name, or `oci:DIR[:TAG]`, `oci-archive:FILE[:TAG]`, `docker-archive:FILE[:TAG]`.
    package var source: String
    package var platform: Platform?
    package var allTags = false
    package var dataRoot: String
    package var registryRules = RegistryRules()
    package var access = RegistryAccess()
    package var insecureRegistries: [String] = []
    /// By `host[:port]`.
    package var hostCertificates: [String: HostCertificates]?
    /// The directory of docker's `config.json`.
    package var credentialsDirectory: String?
    package var maximumDownloads = 3
    package var maximumUploads = 5
    /// That many descriptors, from 3 on, are files whose locks are the right to fetch a blob, shared with other workers.
    package var downloadSlots: Int?
    /// Bytes a second below which an endpoint is left for another one; nil: as usual, 0: never.
    package var slowMirror: Int?
    /// A directory of programs that say which images may be pulled.
    package var verifiers: String?
    package var debug = false
    package var commit: CommitRequest?
    package var transfer: TransferRequest?
    package var save: SaveRequest?
    package var load: LoadRequest?
    package var importTar: ImportRequest?
    package var push: PushRequest?
    package var check: CheckRequest?
    package var query: RegistryQuery?
    package var credentials: CredentialRequest?
    /// Of an ordinary user's namespace; nil for root.
    package var ids: IDs?

    /// The IDs of a user namespace, from 0 up to these.
    package struct IDs: Sendable, Codable, Hashable {
        package var users: UInt32
        package var groups: UInt32

        package init(users: UInt32, groups: UInt32) {
            self.users = users
            self.groups = groups
        }
    }

    package init(verb: Verb, source: String, dataRoot: String) {
        self.verb = verb
        self.source = source
        self.dataRoot = dataRoot
    }
}

/// A place where an image would be asked for.
package struct ResolvedPlace: Sendable, Codable, Hashable {
    /// Of its manifest.
    package var url: String
    /// What led there, with where it was said.
    package var rules: [String]
    package var proxy: String?
    package var credentials: String?
    package var security: String

    package init(url: String, rules: [String], proxy: String?, credentials: String?, security: String) {
        self.url = url
        self.rules = rules
        self.proxy = proxy
        self.credentials = credentials
        self.security = security
    }
}

/// What `runimg-image` answers: JSON objects, one a line, on its standard output; the last one is `done` or `failed`.
package enum WorkerEvent: Sendable, Codable, Hashable {
    /// `latest: Pulling from library/alpine`
    case pulling(tag: String, repository: String)
    /// `id` is the first twelve digits of the layer's blob digest, as docker shows it.
    case layer(id: String, state: LayerState)
    /// A layer was looked at.
    case checked(CheckedLayer)
    /// What a push goes to, canonical.
    case refersTo(repository: String)
    /// A manifest is at the registry, under that tag.
    case pushed(tag: String, digest: Digest, size: Int64)
    /// The manifest's digest, as the registry names it.
    case digest(Digest)
    /// `Status: …`, without that word.
    case status(String)
    case warning(String)
    case debug(String)
    /// All is stored and synced.
    case done(image: Digest, name: String)
    /// An image of an archive is stored; nil where it has no name. The name was another image's before, or nobody's.
    case loaded(image: Digest, name: String?, formerly: Digest?)
    /// A name of an archive stays with the image that was pulled under it.
    case kept(name: String, owner: String)
    /// The files are where they shall be; `bytes` counts the tar that they made.
    case transferred(bytes: Int64)
    /// Where the image would be asked for, in order.
    case resolved([ResolvedPlace])
    /// What is kept, or was put in or taken out.
    case credentials([StoredLogin])
    /// A part of what a query asked for.
    case answer(RegistryAnswer)
    /// All of it was told.
    case answered
    /// One clear message, without a prefix.
    case failed(message: String, kind: FailureKind)

    package enum LayerState: Sendable, Codable, Hashable {
        case waiting
        case pulling
        case alreadyExists
        /// Bytes of the compressed blob.
        case downloading(current: Int64, total: Int64)
        case retrying(seconds: Int, reason: String)
        case verifying
        case downloaded
        case extracting(current: Int64, total: Int64)
        case complete
        /// Of a push.
        case preparing
        case pushing(current: Int64, total: Int64)
        case pushed
        case alreadyThere
        /// Taken over by the registry from another of its repositories.
        case mounted(from: String)
    }

    package enum FailureKind: String, Sendable, Codable, Hashable {
        case notFound, denied, network, invalid, store, interrupted, usage
    }
}
