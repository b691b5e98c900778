/// What is to become of the credentials in docker's `config.json` and its helpers. No network is needed for it.
package enum CredentialRequest: Sendable, Codable, Hashable {
    /// What is kept for a registry, `HOST[:PORT]` or docker.io; for all where it is nil.
    case list(registry: String?)
    case store(registry: String, user: String, password: String)
    case erase(registry: String)
}

/// A login that is kept somewhere; without its secret.
package struct StoredLogin: Sendable, Codable, Hashable {
    /// `HOST[:PORT]` or docker.io.
    package var registry: String
    /// nil where it is a token, or where only a helper knows.
    package var user: String?
    /// The helper that keeps it.
    package var helper: String?
    /// The file that it is in, or that leads to the helper.
    package var file: String

    package init(registry: String, user: String?, helper: String?, file: String) {
        self.registry = registry
        self.user = user
        self.helper = helper
        self.file = file
    }
}
