internal import OCI
package import Sys

/// Why a registry did not give what was asked for.
package enum RegistryError: Error, Sendable, CustomStringConvertible {
    /// A mirror, certificate or credentials file that cannot be used.
    case configuration(String)
    /// The place that should have it says there is no such thing.
    case notFound(what: String, tried: [EndpointFailure])
    case denied(repository: String, tried: [EndpointFailure], action: Action = .pull)
    /// No answer, or none that helps, after all tries.
    case unavailable(what: String, tried: [EndpointFailure], action: Action = .pull)
    /// An answer that must not be used.
    case refused(what: String, tried: [EndpointFailure])
    /// The local file that a download goes to.
    case file(SystemFailure)
    case interrupted

    /// What was tried.
    package enum Action: String, Sendable { case pull, push }

    package var description: String {
        switch self {
        case .configuration(let text): text
        case .notFound(let what, let tried): "\(what) not found" + RegistryError.list(tried)
        case .denied(let repository, let tried, let action):
            "\(action.rawValue) access denied for \(repository), repository does not exist or may require 'runimg login'"
                + RegistryError.list(tried)
        case .unavailable(let what, let tried, let action):
            "cannot \(action == .pull ? "get" : "push") \(what)" + RegistryError.list(tried)
        case .refused(let what, let tried): "\(what) refused" + RegistryError.list(tried)
        case .file(let failure): "\(failure)"
        case .interrupted: "interrupted"
        }
    }

    /// Each place that was asked and what it said; its name only where there was more than one.
    private static func list(_ tried: [EndpointFailure]) -> String {
        guard let first = tried.first else { return "" }
        if tried.count == 1 { return ": \(first.namesItself ? "" : "\(first.endpoint): ")\(first.fault)" }
        return "; tried " + tried.map { "\($0.endpoint) (\($0.reason))" }.joined(separator: ", ")
    }

    init(what: String, repository: String, tried: [EndpointFailure], action: Action = .pull) {
        // The registry itself, which is asked last, has the last word.
        switch tried.last(where: { $0.role == .registry })?.fault ?? tried.last?.fault {
        case .notFound?: self = .notFound(what: what, tried: tried)
        case .unauthorized?: self = .denied(repository: repository, tried: tried, action: action)
        case .refused?: self = .refused(what: what, tried: tried)
        default: self = .unavailable(what: what, tried: tried, action: action)
        }
    }
}

/// What one endpoint did.
package struct EndpointFailure: Sendable, CustomStringConvertible {
    package let endpoint: String
    package let role: Endpoint.Role
    package let fault: Fault

    package var description: String { "\(endpoint): \(fault)" }

    /// A registry's own words stand alone, as docker prints them; faults of connections begin with host and port.
    var namesItself: Bool {
        switch fault {
        case .notFound(let text), .unauthorized(let text): !text.isEmpty
        default: beginsWithEndpoint
        }
    }

    private var beginsWithEndpoint: Bool { "\(fault)".hasPrefix("\(endpoint):") }

    /// The fault without what stands before it anyway.
    var reason: String {
        let text = "\(fault)"
        guard beginsWithEndpoint, let end = text.firstRange(of: ": ") else { return text }
        return String(text[end.upperBound...])
    }
}

/// What went wrong at one endpoint in one try.
package enum Fault: Error, Sendable, Hashable, CustomStringConvertible {
    /// No connection came about.
    case unreachable(String)
    /// A connection broke, or was given up.
    case broken(String)
    /// A transfer was given up because it was too slow.
    case slow(String)
    /// The server answers, but does not speak TLS.
    case notTLS(String)
    /// A certificate that cannot be trusted.
    case certificate(String)
    /// `after` is Retry-After in seconds.
    case status(Int, String, after: Double?)
    case notFound(String)
    case unauthorized(String)
    case refused(String)
    case file(operation: String, Errno)
    case interrupted

    package var description: String {
        switch self {
        case .unreachable(let text), .broken(let text), .slow(let text), .notTLS(let text), .certificate(let text): text
        case .status(let code, let text, _): text.isEmpty ? "HTTP status \(code)" : "HTTP status \(code): \(text)"
        case .notFound(let text): text.isEmpty ? "HTTP status 404" : text
        case .unauthorized(let text): text
        case .refused(let text): text
        case .file(let operation, let errno): "\(operation): \(errno)"
        case .interrupted: "interrupted"
        }
    }

    /// Whether the same request may fare better a little later.
    var isPassing: Bool {
        switch self {
        case .unreachable, .broken, .slow: true
        case .status(let code, _, _): code == 429 || code == 408 || (500...599).contains(code)
        default: false
        }
    }

    /// Whether it is the endpoint's fault, whatever it is asked for: another one is asked first for a while.
    var isEndpoints: Bool {
        switch self {
        case .notTLS, .certificate, .refused: true
        default: isPassing
        }
    }
}
