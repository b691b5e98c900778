internal import CCurl
internal import CLinux
internal import OCI
internal import Sys

/// What libcurl says went wrong, in words that name host and port and, where one is known, the remedy.
struct CurlFailure {
    let code: CURLcode
    /// libcurl's own text; may name host and port, never a query or header.
    let words: String
    let errno: Errno?
    let url: WebURL
    /// What connections go through, as configured; may hold a password.
    let proxy: String?
    let timeouts: Timeouts

    var fault: Fault {
        switch code {
        case CURLE_COULDNT_RESOLVE_HOST: .unreachable("\(place): the name does not resolve")
        case CURLE_COULDNT_RESOLVE_PROXY: .unreachable("\(place): the name of the proxy does not resolve")
        case CURLE_COULDNT_CONNECT: .unreachable("\(place): connect: \(reason)")
        case CURLE_PROXY: .unreachable("\(place): proxy: \(reason)")
        case CURLE_OPERATION_TIMEDOUT: timeout
        case CURLE_SSL_CONNECT_ERROR: .notTLS("\(place): TLS handshake: \(reason)\(plainRemedy)")
        case CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_ISSUER_ERROR, CURLE_SSL_INVALIDCERTSTATUS:
            .certificate("\(place): \(reason); \(remedy)")
        case CURLE_SSL_CACERT_BADFILE: .certificate("\(place): \(reason)")
        case CURLE_SSL_CERTPROBLEM: .certificate("\(place): client certificate: \(reason)")
        // What it says of a line of more than CURL_MAX_HTTP_HEADER bytes.
        case CURLE_OUT_OF_MEMORY: .refused("\(place): a header line has more than 102400 bytes")
        case CURLE_GOT_NOTHING: .broken("\(place): the connection was closed without an answer")
        case CURLE_PARTIAL_FILE: .broken("\(place): the connection ended before the body did")
        // TLS 1.3 asks for the client's certificate behind the handshake.
        case CURLE_RECV_ERROR where words.contains("certificate required"):
            .certificate("\(place): the server wants a client certificate")
        case CURLE_RECV_ERROR where isRefusedByProxy: .unreachable("\(place): \(reason)")
        case CURLE_WEIRD_SERVER_REPLY, CURLE_UNSUPPORTED_PROTOCOL: .broken("\(place): no HTTP response: \(reason)")
        default: .broken("\(place): \(reason)")
        }
    }

    /// Host and port, and by way of which proxy.
    private var place: String {
        guard let proxy else { return url.authority }
        // Only what stands behind a password and before a path.
        let host = proxy.split(separator: "@").last.map { $0.split(separator: "/").last ?? $0 } ?? ""
        return "\(url.authority) through proxy \(ForeignText(host))"
    }

    private var isRefusedByProxy: Bool { proxy != nil && (words.contains("from proxy") || words.contains("CONNECT")) }

    private var timeout: Fault {
        // Only before the connection is there does the first of the limits count.
        ["connect", "resolv"].contains { words.lowercased().contains($0) }
            ? .unreachable("\(place): no connection within \(Int(timeouts.connect.rounded(.up))) s")
            : .slow("\(place): less than \(timeouts.slowBytesPerSecond) bytes/s for \(timeouts.slowPeriod) s")
    }

    private var reason: String {
        if code == CURLE_COULDNT_CONNECT || code == CURLE_RECV_ERROR || code == CURLE_SEND_ERROR, let errno {
            return "\(errno)"
        }
        let text = words.isEmpty ? String(cString: curl_easy_strerror(code)) : words
        // A word, not an abbreviation such as SSL.
        let isWord = text.dropFirst().prefix { $0.isLetter }.allSatisfy(\.isLowercase)
        return ForeignText(isWord ? text.prefix(1).lowercased() + text.dropFirst() : text).description
    }

    private var plainRemedy: String {
        guard words.contains("wrong version number") else { return "" }
        return "; the server seems to speak plain http, which is used for hosts in insecure-registries only"
    }

    private var remedy: String {
        let name = url.port == url.scheme.defaultPort ? url.host : url.authority
        if words.contains("subject name") {
            return "use a name that its certificate has, or list \(name) in insecure-registries"
        }
        if words.contains("expired") || words.contains("not yet valid") {
            return "the clock of this machine says \(Clock.timestamp.prefix(10))"
        }
        return "put the certificate of its CA into /etc/docker/certs.d/\(name)/ca.crt, or list \(name) in "
            + "insecure-registries"
    }
}
