internal import FoundationEssentials
internal import OCI
internal import Synchronization
internal import Sys

/// Answers the challenges of one endpoint. A token is kept for its lifetime and for this endpoint only; one challenge
/// leads to at most one new token.
final class Authorizer: Sendable {
    private let credential: Credential?
    /// What tokens are asked for; none: for nothing in particular, which proves a password.
    private let scopes: [String]
    private let exchange: @Sendable (HTTPRequest, WebURL, DestinationPolicy) throws(Fault) -> TokenResponse
    private let state = Mutex(State())

    private struct State {
        var header: Header?
        /// How the last header was made, so that an expired one is replaced before it is refused.
        var challenge: Challenge?
    }

    struct Header: Sendable, Hashable {
        let value: String
        /// Monotonic nanoseconds.
        let expires: Int64
    }

    struct TokenResponse {
        let head: ResponseHead
        let body: [UInt8]
        let isCut: Bool
    }

    /// `exchange` sends a request to the second argument's server, already checked, and gives its answer whole.
    init(
        credential: Credential?, scopes: [String],
        exchange: @escaping @Sendable (HTTPRequest, WebURL, DestinationPolicy) throws(Fault) -> TokenResponse
    ) {
        self.credential = credential
        self.scopes = scopes
        self.exchange = exchange
    }

    /// What must not be said, even where a server says it: the credential, and what was sent by `header`.
    func secrets(_ header: Header?) -> [String] {
        let sent = header.flatMap { $0.value.split(separator: " ", maxSplits: 1).last.map(String.init) }
        return (credential?.secrets ?? []) + [sent].compactMap(\.self)
    }

    /// What to send with a first try: nothing before the first challenge.
    func header(_ policy: DestinationPolicy) throws(Fault) -> Header? {
        let (header, challenge) = state.withLock { ($0.header, $0.challenge) }
        guard let header, header.expires <= Clock.monotonicNanoseconds, let challenge else { return header }
        return try renew(challenge, policy)
    }

    /// What to send after a 401 that came in answer to `used`.
    func answer(_ challenges: [Challenge], used: Header?, _ policy: DestinationPolicy) throws(Fault) -> Header {
        // Another thread may have renewed it meanwhile.
        if let current = state.withLock(\.header), current != used, current.expires > Clock.monotonicNanoseconds {
            return current
        }
        if let bearer = challenges.first(where: { $0.scheme == "bearer" }) { return try renew(bearer, policy) }
        guard challenges.contains(where: { $0.scheme == "basic" }) else {
            let names = Set(challenges.map(\.scheme)).sorted().joined(separator: ", ")
            throw .unauthorized(
                "unauthorized: the registry "
                    + (names.isEmpty
                        ? "names no way to authenticate" : "wants \(ForeignText(names)), which is not supported"))
        }
        guard case .password(let user, let password)? = credential else {
            throw .unauthorized("unauthorized: authentication required")
        }
        let basic = Header(value: Authorizer.basic(user, password), expires: .max)
        guard used != basic else { throw .unauthorized("unauthorized: incorrect username or password") }
        state.withLock { $0.header = basic }
        return basic
    }

    private func renew(_ challenge: Challenge, _ policy: DestinationPolicy) throws(Fault) -> Header {
        let header: Header
        if case .registryToken(let token)? = credential {
            header = Header(value: "Bearer \(try Authorizer.checked(token))", expires: .max)
        } else {
            header = try fetch(challenge, policy)
        }
        state.withLock { $0 = State(header: header, challenge: challenge) }
        return header
    }

    private func fetch(_ challenge: Challenge, _ policy: DestinationPolicy) throws(Fault) -> Header {
        let realm: WebURL
        do throws(WebURL.Fault) {
            realm = try WebURL(parsing: challenge.parameters["realm"] ?? "")
        } catch {
            throw .refused("authentication realm refused: \(error.reason)")
        }
        try policy.check(realm: realm)
        let start = Clock.monotonicNanoseconds
        let request = try request(realm, service: challenge.parameters["service"])
        let response = try exchange(request, realm, policy)
        guard response.head.isSuccess else { throw refusal(response, realm) }
        let answer: TokenAnswer
        do throws(JSONFault) {
            answer = try BoundedJSON.decode(TokenAnswer.self, from: response.body, limit: TokenAnswer.limit)
        } catch {
            throw .refused("token of \(realm.authority): \(error)")
        }
        guard let token = answer.token ?? answer.access_token, !token.isEmpty else {
            throw .unauthorized("unauthorized: \(realm.authority) gave no token")
        }
        // A little early, so that a token does not expire on its way.
        let lifetime = Int64(min(max(answer.expires_in ?? 60, 1), 30 * 86400)) * 900_000_000
        return Header(value: "Bearer \(try Authorizer.checked(token))", expires: start + lifetime)
    }

    /// Distribution's token specification: a GET with the password, or OAuth 2's form with a refresh token.
    private func request(_ realm: WebURL, service: String?) throws(Fault) -> HTTPRequest {
        var parameters = service.map { [("service", $0)] } ?? []
        do throws(WebURL.Fault) {
            if case .identityToken(let token)? = credential {
                if !scopes.isEmpty { parameters.append(("scope", scopes.joined(separator: " "))) }
                parameters += [("client_id", "runimg"), ("grant_type", "refresh_token"), ("refresh_token", token)]
                return HTTPRequest(
                    url: realm, method: .post, body: .bytes(FormBody.encode(parameters)),
                    headers: [("Content-Type", "application/x-www-form-urlencoded")])
            }
            parameters += scopes.map { ("scope", $0) }
            var request = HTTPRequest(url: realm)
            if case .password(let user, let password)? = credential {
                parameters += [("client_id", "runimg"), ("account", user)]
                request.headers = [("Authorization", Authorizer.basic(user, password))]
            }
            request.url = try realm.appending(parameters)
            return request
        } catch {
            throw .refused("authentication realm refused: \(error.reason)")
        }
    }

    private func refusal(_ response: TokenResponse, _ realm: WebURL) -> Fault {
        var hidden = secrets(nil)
        if case .password(let user, let password)? = credential {
            hidden += secrets(Header(value: Authorizer.basic(user, password), expires: .max))
        }
        let fault = RegistryMessage(body: response.body, isCut: response.isCut, hiding: hidden)
            .fault(head: response.head)
        let place = "authentication server \(realm.authority)"
        switch fault {
        case .status(let code, let text, let after):
            return .status(code, text.isEmpty ? place : "\(place): \(text)", after: after)
        case .unauthorized where credential != nil:
            return .unauthorized("unauthorized: incorrect username or password (\(place))")
        default: return .unauthorized("\(place): \(fault)")
        }
    }

    private static func basic(_ user: String, _ password: String) -> String {
        "Basic " + Data("\(user):\(password)".utf8).base64EncodedString()
    }

    /// A token goes into a header as it is: nothing in it may end the line.
    private static func checked(_ token: String) throws(Fault) -> String {
        guard token.utf8.count <= 128 << 10, token.utf8.allSatisfy({ (0x21...0x7e).contains($0) }) else {
            throw .refused("the token holds characters that cannot be sent, or too many")
        }
        return token
    }
}

private struct TokenAnswer: Decodable {
    static let limit = 1 << 20

    let token: String?
    let access_token: String?
    let expires_in: Int?
}

/// `application/x-www-form-urlencoded`.
enum FormBody {
    static func encode(_ pairs: [(String, String)]) -> [UInt8] {
        var result: [UInt8] = []
        for (name, value) in pairs {
            if !result.isEmpty { result.append(UInt8(ascii: "&")) }
            append(name, to: &result)
            result.append(UInt8(ascii: "="))
            append(value, to: &result)
        }
        return result
    }

    private static func append(_ text: String, to result: inout [UInt8]) {
        let digits = Array("0123456789ABCDEF".utf8)
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                result.append(byte)
            default:
                result += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
    }
}
