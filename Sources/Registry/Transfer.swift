internal import CCurl

/// One request and its response, as libcurl's callbacks see it. Errors can't pass through C: the first is kept here and
/// the transfer stopped.
final class Transfer {
    let url: WebURL
    let sink: any BodySink
    let limiter: RateLimiter?
    let isInterrupted: @Sendable () -> Bool
    /// Refuses an address before the request is sent to it; nil when a proxy decides where to connect.
    let allowsPeer: ((String) -> Bool)?

    private(set) var head: ResponseHead?
    private(set) var errorBody: [UInt8] = []
    /// There was more of it than `errorBodyLimit`.
    private(set) var errorBodyIsCut = false
    private(set) var fault: Fault?
    private var headBytes = 0
    private var hasBegun = false

    /// What is kept of the body of an error, and what is read of it.
    static let errorBodyLimit = 1 << 20
    private static let headLimit = 256 << 10

    init(
        url: WebURL, sink: any BodySink, limiter: RateLimiter? = nil, isInterrupted: @escaping @Sendable () -> Bool,
        allowsPeer: ((String) -> Bool)?
    ) {
        self.url = url
        self.sink = sink
        self.limiter = limiter
        self.isInterrupted = isInterrupted
        self.allowsPeer = allowsPeer
    }

    /// Points libcurl at this transfer, which must outlive the perform.
    func install(on handle: UnsafeMutableRawPointer) {
        ccurl_set_callbacks(
            handle,
            { bytes, size, count, user in
                Transfer.of(user)?.takeHeader(bytes, size * count) ?? 0
            },
            { bytes, size, count, user in
                Transfer.of(user)?.takeBody(bytes, size * count) ?? 0
            },
            { user, _, _, _, _ in
                (Transfer.of(user)?.mayGoOn() ?? false) ? 0 : 1
            },
            { user, address, _, _, _ in
                (Transfer.of(user)?.mayTalk(to: address) ?? false) ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT
            },
            Unmanaged.passUnretained(self).toOpaque())
    }

    private static func of(_ user: UnsafeMutableRawPointer?) -> Transfer? {
        user.map { Unmanaged<Transfer>.fromOpaque($0).takeUnretainedValue() }
    }

    private func takeHeader(_ bytes: UnsafeMutablePointer<CChar>?, _ count: Int) -> Int {
        guard let bytes else { return 0 }
        headBytes += count
        guard headBytes <= Transfer.headLimit else {
            return stop(.refused("more than \(Transfer.headLimit) bytes of headers"))
        }
        var line = String(decoding: UnsafeRawBufferPointer(start: bytes, count: count), as: UTF8.self)
        while let last = line.unicodeScalars.last, last == "\r" || last == "\n" || last == " " {
            line.unicodeScalars.removeLast()
        }
        if line.hasPrefix("HTTP/") {
            // Each interim (1xx) response has its own.
            head = ResponseHead(statusLine: line)
        } else {
            head?.add(line: line)
        }
        return count
    }

    private func takeBody(_ bytes: UnsafeMutablePointer<CChar>?, _ count: Int) -> Int {
        limiter?.take(count, isInterrupted: isInterrupted)
        if isInterrupted() { return stop(.interrupted) }
        let part = UnsafeRawBufferPointer(start: bytes, count: count)
        guard let head else { return stop(.broken("a body without headers")) }
        guard head.isSuccess else {
            // Enough of an error is read; the status counts.
            guard count <= Transfer.errorBodyLimit - errorBody.count else {
                errorBodyIsCut = true
                return 0
            }
            errorBody.append(contentsOf: part)
            return count
        }
        do throws(Fault) {
            try begin(head)
            try sink.write(part)
            return count
        } catch {
            return stop(error)
        }
    }

    private func begin(_ head: ResponseHead) throws(Fault) {
        guard !hasBegun else { return }
        hasBegun = true
        try sink.begin(head)
    }

    /// After a transfer that libcurl calls good: an empty body has begun too.
    func finish() throws(Fault) -> ResponseHead {
        guard let head else { throw .broken("no HTTP response") }
        if head.isSuccess { try begin(head) }
        return head
    }

    private func stop(_ reason: Fault) -> Int {
        fault = fault ?? reason
        // Less than was handed over: libcurl ends the transfer.
        return 0
    }

    private func mayGoOn() -> Bool {
        guard isInterrupted() else { return true }
        fault = fault ?? .interrupted
        return false
    }

    private func mayTalk(to address: UnsafeMutablePointer<CChar>?) -> Bool {
        guard let allowsPeer, let address else { return true }
        let text = String(cString: address)
        if allowsPeer(text) { return true }
        fault = fault ?? .refused("\(url.authority) has the address \(text): local addresses are refused here")
        return false
    }
}
