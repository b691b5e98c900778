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
    let timeouts: Timeouts

    var fault: Fault {
        switch code {
        case CURLE_COULDNT_RESOLVE_HOST: .unreachable("\(url.authority): the name does not resolve")
        case CURLE_COULDNT_RESOLVE_PROXY: .unreachable("\(url.authority): the name of the proxy does not resolve")
        case CURLE_COULDNT_CONNECT: .unreachable("\(url.authority): connect: \(reason)")
        case CURLE_PROXY: .unreachable("\(url.authority): proxy: \(reason)")
        case CURLE_OPERATION_TIMEDOUT: timeout
        case CURLE_SSL_CONNECT_ERROR: .notTLS("\(url.authority): TLS handshake: \(reason)")
        case CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CACERT_BADFILE, CURLE_SSL_ISSUER_ERROR,
            CURLE_SSL_INVALIDCERTSTATUS:
            .certificate("\(url.authority): \(reason); \(remedy)")
        case CURLE_SSL_CERTPROBLEM: .certificate("\(url.authority): client certificate: \(reason)")
        case CURLE_GOT_NOTHING: .broken("\(url.authority): the connection was closed without an answer")
        case CURLE_PARTIAL_FILE: .broken("\(url.authority): the connection ended before the body did")
        case CURLE_RECV_ERROR where words.contains("from proxy"): .unreachable("\(url.authority): \(reason)")
        case CURLE_SEND_ERROR, CURLE_RECV_ERROR: .broken("\(url.authority): \(reason)")
        case CURLE_WEIRD_SERVER_REPLY, CURLE_UNSUPPORTED_PROTOCOL:
            .broken("\(url.authority): no HTTP response: \(reason)")
        default: .broken("\(url.authority): \(reason)")
        }
    }

    private var timeout: Fault {
        // Only before the connection is there does the first of the limits count.
        ["connect", "resolv"].contains { words.lowercased().contains($0) }
            ? .unreachable("\(url.authority): no connection within \(Int(timeouts.connect.rounded(.up))) s")
            : .broken(
                "\(url.authority): less than \(timeouts.slowBytesPerSecond) bytes/s for \(timeouts.slowPeriod) s")
    }

    private var reason: String {
        if code == CURLE_COULDNT_CONNECT || code == CURLE_RECV_ERROR || code == CURLE_SEND_ERROR, let errno {
            return "\(errno)"
        }
        let text = words.isEmpty ? String(cString: curl_easy_strerror(code)) : words
        return ForeignText(text.prefix(1).lowercased() + text.dropFirst()).description
    }

    private var remedy: String {
        let name = url.port == url.scheme.defaultPort ? url.host : url.authority
        return "put the certificate of its CA into /etc/docker/certs.d/\(name)/ca.crt, or list \(name) in "
            + "insecure-registries"
    }
}
