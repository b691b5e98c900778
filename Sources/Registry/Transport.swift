internal import CCurl
internal import CLinux
internal import Glibc
internal import OCI
internal import Synchronization
internal import Sys

/// Performs requests with libcurl on the calling thread. Handles, and with them open connections, are used again;
/// several threads may perform at once.
final class Transport: Sendable {
    let configuration: RegistryConfiguration
    let observer: RegistryObserver
    private let proxies: ProxySettings
    private let limiter: RateLimiter?
    private let idle = Mutex<[Handle]>([])

    /// An easy handle and its connections.
    private final class Handle: @unchecked Sendable {
        // One thread at a time has it: it is taken out of the list of idle ones while it is used.
        let raw: UnsafeMutableRawPointer

        init?() {
            guard let raw = curl_easy_init() else { return nil }
            self.raw = raw
        }

        deinit { curl_easy_cleanup(raw) }
    }

    /// Once in a process, before the first handle (curl_global_init(3)).
    private static let isReady: Bool = curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK

    init(configuration: RegistryConfiguration, observer: RegistryObserver) throws(RegistryError) {
        guard Transport.isReady else { throw .configuration("libcurl cannot be initialized") }
        self.configuration = configuration
        self.observer = observer
        proxies = configuration.proxies
        limiter = configuration.bytesPerSecond.map { RateLimiter($0) }
    }

    struct Response {
        let head: ResponseHead
        /// Of a status that is no success, up to `Transfer.errorBodyLimit`.
        let errorBody: [UInt8]
        let errorBodyIsCut: Bool
    }

    /// One exchange; a body of a 2xx response goes to `sink`. Redirects come back as they are.
    func perform(
        _ request: HTTPRequest, tls: TLSMaterial, sink: any BodySink, policy: DestinationPolicy,
        isPatient: Bool = true
    ) throws(Fault) -> Response {
        if observer.isInterrupted() { throw .interrupted }
        guard let handle = idle.withLock({ $0.popLast() }) ?? Handle() else { throw .broken("out of memory") }
        let proxy = proxies.proxy(for: request.url)
        let transfer = Transfer(
            url: request.url, sink: sink, limiter: limiter, isInterrupted: observer.isInterrupted,
            allowsPeer: proxy == nil ? { policy.allows(connected: $0, for: request.url) } : nil)
        defer {
            // Keeps connections, drops all options and with them the pointer to the transfer.
            curl_easy_reset(handle.raw)
            idle.withLock { $0.append(handle) }
        }
        var timeouts = isPatient ? configuration.timeouts : configuration.timeouts.beside
        if let patience = request.patience { timeouts.slowPeriod = max(timeouts.slowPeriod, patience) }
        let upload = request.body.map { Upload($0) }
        set(handle.raw, request, tls: tls, proxy: proxy, timeouts)
        var errorText = [CChar](repeating: 0, count: Int(CURL_ERROR_SIZE))
        var headers = HeaderList(request.headers)
        let start = Clock.monotonicNanoseconds
        let code = errorText.withUnsafeMutableBufferPointer { buffer in
            ccurl_set_pointer(handle.raw, CURLOPT_ERRORBUFFER, buffer.baseAddress)
            ccurl_set_list(handle.raw, CURLOPT_HTTPHEADER, headers.raw)
            transfer.install(on: handle.raw)
            upload?.install(on: handle.raw)
            return withExtendedLifetime((transfer, upload)) { BrokenPipe.ignoring { curl_easy_perform(handle.raw) } }
        }
        headers.free()
        let milliseconds = (Clock.monotonicNanoseconds - start) / 1_000_000
        let verb = request.method.rawValue
        do throws(Fault) {
            if let fault = upload?.fault { throw fault }
            let head = try conclude(code, transfer, handle.raw, errorText, proxy: proxy, timeouts)
            observer.debug("\(verb) \(request.url): \(head.status) in \(milliseconds) ms")
            return Response(
                head: head, errorBody: transfer.errorBody, errorBodyIsCut: transfer.errorBodyIsCut)
        } catch {
            observer.debug("\(verb) \(request.url): \(error) after \(milliseconds) ms")
            throw error
        }
    }

    private func conclude(
        _ code: CURLcode, _ transfer: Transfer, _ handle: UnsafeMutableRawPointer, _ errorText: [CChar],
        proxy: String?, _ timeouts: Timeouts
    ) throws(Fault) -> ResponseHead {
        if let fault = transfer.fault { throw fault }
        if code == CURLE_OK { return try transfer.finish() }
        // An error's body that was too long, or broke off: its status is known.
        if let head = transfer.head, head.status >= 300 { return head }
        let end = errorText.firstIndex(of: 0) ?? errorText.endIndex
        let words = String(decoding: errorText[..<end].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let number = Int32(truncatingIfNeeded: ccurl_info_long(handle, CURLINFO_OS_ERRNO))
        throw CurlFailure(
            code: code, words: words, errno: number == 0 ? nil : Errno(rawValue: number), url: transfer.url,
            proxy: proxy, timeouts: timeouts
        ).fault
    }

    private func set(
        _ handle: UnsafeMutableRawPointer, _ request: HTTPRequest, tls: TLSMaterial, proxy: String?,
        _ timeouts: Timeouts
    ) {
        ccurl_set_string(handle, CURLOPT_URL, request.url.text)
        ccurl_set_string(handle, CURLOPT_PROTOCOLS_STR, "http,https")
        ccurl_set_string(handle, CURLOPT_USERAGENT, configuration.userAgent)
        ccurl_set_string(handle, CURLOPT_PROXY, proxy ?? "")
        ccurl_set_string(handle, CURLOPT_NOPROXY, "")
        ccurl_set_long(handle, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1)
        ccurl_set_long(handle, CURLOPT_FOLLOWLOCATION, 0)
        ccurl_set_long(handle, CURLOPT_NETRC, Int(CURL_NETRC_IGNORED.rawValue))
        ccurl_set_long(handle, CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_1_1))
        // Threads: no SIGALRM for name resolution.
        ccurl_set_long(handle, CURLOPT_NOSIGNAL, 1)
        ccurl_set_long(handle, CURLOPT_BUFFERSIZE, limiter?.portion ?? 256 << 10)
        ccurl_set_long(handle, CURLOPT_TCP_KEEPALIVE, 1)
        ccurl_set_long(handle, CURLOPT_CONNECTTIMEOUT_MS, Int(timeouts.connect * 1000))
        ccurl_set_long(handle, CURLOPT_LOW_SPEED_LIMIT, timeouts.slowBytesPerSecond)
        ccurl_set_long(handle, CURLOPT_LOW_SPEED_TIME, timeouts.slowPeriod)
        set(handle, request.method, hasBody: request.body != nil)
        set(handle, tls)
    }

    private func set(_ handle: UnsafeMutableRawPointer, _ method: HTTPRequest.Method, hasBody: Bool) {
        if method == .head { ccurl_set_long(handle, CURLOPT_NOBODY, 1) }
        if method.isSafe { return }
        if !hasBody {
            ccurl_set_long(handle, CURLOPT_POST, 1)
            ccurl_set_long(handle, CURLOPT_POSTFIELDSIZE, 0)
            ccurl_set_string(handle, CURLOPT_COPYPOSTFIELDS, "")
        }
        ccurl_set_string(handle, CURLOPT_CUSTOMREQUEST, method.rawValue)
    }

    private func set(_ handle: UnsafeMutableRawPointer, _ tls: TLSMaterial) {
        ccurl_set_long(handle, CURLOPT_SSLVERSION, Int(CURL_SSLVERSION_TLSv1_2))
        ccurl_set_long(handle, CURLOPT_SSL_VERIFYPEER, tls.verifies ? 1 : 0)
        ccurl_set_long(handle, CURLOPT_SSL_VERIFYHOST, tls.verifies ? 2 : 0)
        if let authorities = tls.authorities {
            ccurl_set_blob(handle, CURLOPT_CAINFO_BLOB, authorities, authorities.count)
        } else if let file = tls.authorityFile {
            ccurl_set_string(handle, CURLOPT_CAINFO, file)
        }
        if let directory = tls.authorityDirectory { ccurl_set_string(handle, CURLOPT_CAPATH, directory) }
        if let certificate = tls.clientCertificate, let key = tls.clientKey {
            ccurl_set_blob(handle, CURLOPT_SSLCERT_BLOB, certificate, certificate.count)
            ccurl_set_blob(handle, CURLOPT_SSLKEY_BLOB, key, key.count)
        }
    }
}

/// A curl_slist of header lines.
private struct HeaderList {
    private(set) var raw: UnsafeMutablePointer<curl_slist>?

    init(_ headers: [(name: String, value: String)]) {
        for (name, value) in headers { raw = curl_slist_append(raw, "\(name): \(value)") ?? raw }
    }

    mutating func free() {
        curl_slist_free_all(raw)
        raw = nil
    }
}
