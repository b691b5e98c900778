internal import FoundationEssentials
package import OCI

/// What a registry is asked besides an image to be stored.
package enum RegistryQuery: Sendable, Codable, Hashable {
    /// The tags of the repository that the request names.
    case tags
    /// The manifest or index that the name leads to; `deep` brings what those name as well: an index's manifests, and
    /// the config of a manifest that stands alone.
    case manifest(deep: Bool)
    /// What each place says that the manifest would be asked of.
    case check
    /// The documents of an image for the request's platform, the config last.
    case image
    /// Repositories of the registry that the request names.
    case search(term: String, limit: Int)
    /// Whether the registry takes the request's credentials, or those that are kept for it. There is nothing to tell.
    case login

    /// Whether the request names a registry, and no repository.
    package var isAboutRegistry: Bool {
        switch self {
        case .search, .login: true
        case .tags, .manifest, .check, .image: false
        }
    }
}

/// A repository that a search found.
package struct FoundRepository: Sendable, Codable, Hashable {
    /// As `pull` takes it.
    package var name: String
    package var description: String
    package var stars: Int
    package var isOfficial: Bool
    package var isAutomated: Bool

    package init(name: String, description: String, stars: Int, isOfficial: Bool, isAutomated: Bool) {
        self.name = name
        self.description = description
        self.stars = stars
        self.isOfficial = isOfficial
        self.isAutomated = isAutomated
    }
}

/// A part of the answer. Lists and documents come in pieces, so that an event stays short.
package enum RegistryAnswer: Sendable, Codable, Hashable {
    /// More of the list, in the registry's order.
    case tags([String])
    /// The answer of one place.
    case checked(RegistryCheck)
    /// The next document; its bytes follow.
    case document(RegistryDocument.Header)
    /// More of the last document, as base64.
    case bytes(String)
    case found([FoundRepository])
}

/// What one place says when it is asked for a manifest.
package struct RegistryCheck: Sendable, Codable, Hashable {
    package var url: String
    package var answer: String
    /// It gave the manifest.
    package var isGood: Bool

    package init(url: String, answer: String, isGood: Bool) {
        self.url = url
        self.answer = answer
        self.isGood = isGood
    }
}

/// A document as the registry gave it.
package struct RegistryDocument: Sendable, Hashable {
    package var header: Header
    package var bytes: [UInt8] = []

    package enum Role: String, Sendable, Codable, Hashable { case index, manifest, config }

    package struct Header: Sendable, Codable, Hashable {
        package var role: Role
        /// As the registry or the descriptor says; empty where neither does.
        package var mediaType: String
        /// What an index says of a manifest.
        package var platform: Platform?

        package init(role: Role, mediaType: String, platform: Platform? = nil) {
            self.role = role
            self.mediaType = mediaType
            self.platform = platform
        }
    }

    package init(header: Header) { self.header = header }
}

/// The whole answer, put together again.
package struct RegistryReply: Sendable, Hashable {
    package private(set) var tags: [String] = []
    package private(set) var documents: [RegistryDocument] = []
    package private(set) var found: [FoundRepository] = []
    package private(set) var checks: [RegistryCheck] = []
    private var bytes = 0

    /// Of all documents together.
    package static let byteLimit = 64 << 20
    package static let foundLimit = 10_000

    package init() {}

    /// Takes the next piece; false where it does not follow from what came before, or is too much.
    package mutating func add(_ answer: RegistryAnswer) -> Bool {
        switch answer {
        case .tags(let more):
            guard tags.count + more.count <= DocumentLimits.tags else { return false }
            tags += more
        case .checked(let check):
            guard checks.count < 1000 else { return false }
            checks.append(check)
        case .document(let header): documents.append(RegistryDocument(header: header))
        case .bytes(let text):
            guard !documents.isEmpty, let piece = Data(base64Encoded: text),
                bytes + piece.count <= RegistryReply.byteLimit
            else { return false }
            bytes += piece.count
            documents[documents.count - 1].bytes += piece
        case .found(let more):
            guard found.count + more.count <= RegistryReply.foundLimit else { return false }
            found += more
        }
        return true
    }
}
