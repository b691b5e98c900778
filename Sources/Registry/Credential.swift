/// What proves to one registry who asks. Never printed: its description says only its kind.
package enum Credential: Hashable, Sendable, CustomStringConvertible, CustomDebugStringConvertible {
    case password(user: String, password: String)
    /// An OAuth refresh token, exchanged for access tokens.
    case identityToken(String)
    /// A bearer token to be sent as it is.
    case registryToken(String)

    package var description: String {
        switch self {
        case .password: "a user name and password"
        case .identityToken: "an identity token"
        case .registryToken: "a registry token"
        }
    }

    package var debugDescription: String { description }

    /// The texts that must not be said.
    var secrets: [String] {
        switch self {
        case .password(_, let password): [password]
        case .identityToken(let token), .registryToken(let token): [token]
        }
    }
}
