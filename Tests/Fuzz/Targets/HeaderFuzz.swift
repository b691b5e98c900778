internal import CLinux
internal import Glibc
internal import OCI

@testable internal import Registry

/// Z6: headers of a response. Whatever a server says, credentials and requests go only where the policy lets them, and a
/// range is only joined where it belongs.
package enum HeaderFuzz {
    /// The registry's URL, a credential's kind and the port of an insecure one in the first two bytes; then lines of
    /// headers.
    package static func run(_ bytes: [UInt8]) throws(Finding) {
        let origins = [
            "https://r.example/v2/", "https://r.example:5000/v2/", "http://127.0.0.1:5000/v2/", "http://10.0.0.1:5000/",
            "https://[::1]:5000/v2/", "http://r.example:5000/v2/a?b=c",
        ]
        let choice = Int(bytes.first ?? 0)
        guard let origin = try? WebURL(parsing: origins[choice % origins.count]) else { return }
        let insecure = choice & 64 == 0 ? [] : ["r.example:5000", "10.0.0.0/8", "auth.example"]
        let policy = DestinationPolicy(origin: origin, insecure: InsecureHosts(insecure))
        let lines = bytes.dropFirst(2).split(separator: 0x0a).map { String(decoding: $0, as: UTF8.self) }
        var head = ResponseHead(statusLine: lines.first ?? "") ?? ResponseHead(status: 206)
        for line in lines { head.add(line: line) }
        try expect((100...999).contains(head.status), "status \(head.status)")
        try checkNumbers(head)
        try checkChallenges(head, policy, credential: Int(bytes.dropFirst().first ?? 0))
        try checkRedirects(head, origin, policy)
        try checkRange(head)
        for field in head.fields { try checkMessage(Array(field.value.utf8), head) }
    }

    // MARK: Numbers

    private static func checkNumbers(_ head: ResponseHead) throws(Finding) {
        if let length = head.contentLength { try expect(length >= 0, "Content-Length \(length)") }
        for field in head.fields {
            let now = 1_445_412_480
            guard let seconds = RetryAfter.seconds(field.value, now: now) else { continue }
            try expect(seconds >= 0 && seconds.isFinite, "Retry-After \(field.value) is \(seconds)")
        }
    }

    /// Only what goes on where the file ends may be written to it.
    private static func checkRange(_ head: ResponseHead) throws(Finding) {
        guard head.status == 206 else { return }
        let file = memfd_create("fuzz", 0)
        try expect(file >= 0, "memfd_create")
        defer { close(file) }
        let sink = FileSink(file: file, size: 10, offset: 5, progress: { _ in })
        do throws(Fault) { try sink.begin(head) } catch { return }
        let text = (head.value("content-range") ?? "").split(separator: " ").last ?? ""
        let parts = text.split { $0 == "-" || $0 == "/" }
        let numbers = parts.map { Int($0) }
        let fits =
            parts.count == 3 && numbers[0] == 5 && (5...9).contains(numbers[1] ?? -1)
            && (numbers[2] == 10 || parts[2] == "*")
        try expect(fits, "Content-Range \(head.value("content-range") ?? "") continues at byte 5 of 10")
        try expect(head.contentLength ?? 0 <= 5, "\(head.contentLength ?? 0) bytes for 5")
    }

    private static func checkMessage(_ body: [UInt8], _ head: ResponseHead) throws(Finding) {
        let message = RegistryMessage(body: body)
        let isPlain = message.text.unicodeScalars.allSatisfy { $0.value >= 0x20 && !(0x7f..<0xa0).contains($0.value) }
        try expect(isPlain && message.text.utf8.count < 2000, "message \(message.text)")
        _ = message.fault(head: head)
    }

    // MARK: Places

    private static func checkChallenges(
        _ head: ResponseHead, _ policy: DestinationPolicy, credential: Int
    ) throws(Finding) {
        let credentials: [Credential?] = [
            nil, .password(user: "fuzz", password: "secret"), .identityToken("secret"), .registryToken("secret"),
        ]
        let challenges = Challenge.parse(head.values("www-authenticate"))
        for challenge in challenges {
            try expect(challenge.scheme == challenge.scheme.lowercased(), "scheme \(challenge.scheme)")
        }
        let asked = Asked()
        let authorizer = Authorizer(credential: credentials[credential % credentials.count], scopes: ["a/b"]) {
            (request, realm, _) throws(Fault) in
            asked.requests.append((request, realm))
            return Authorizer.TokenResponse(
                head: ResponseHead(status: 200), body: Array(#"{"token":"granted","expires_in":60}"#.utf8), isCut: false
            )
        }
        let answer = try? authorizer.answer(challenges, used: nil, policy)
        if let answer {
            let isLine = answer.value.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7f }
            try expect(isLine, "header \(answer.value)")
        }
        try expect(asked.requests.count <= 1, "\(asked.requests.count) requests for one challenge")
        for (request, realm) in asked.requests {
            try expect(request.url.sameOrigin(as: realm), "\(request.url.authority) is not \(realm.authority)")
            try checkPlace(request.url, policy, isRealm: true)
            for header in request.headers {
                let isLine = header.value.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7f }
                try expect(isLine, "header \(header.name): \(header.value)")
            }
        }
    }

    /// Written by the authorizer on this thread.
    private final class Asked: @unchecked Sendable {
        var requests: [(HTTPRequest, WebURL)] = []
    }

    private static func checkRedirects(
        _ head: ResponseHead, _ origin: WebURL, _ policy: DestinationPolicy
    ) throws(Finding) {
        var url = origin
        for location in head.values("location") + head.values("link") {
            guard let target = try? url.resolving(location) else { continue }
            try expect(target.text.utf8.allSatisfy { $0 > 0x20 && $0 != 0x7f }, "URL \(target.text)")
            let again = try? WebURL(parsing: target.text)
            try expect(
                again?.sameOrigin(as: target) == true, "\(target.text) is read again as \(again?.text ?? "none")")
            do throws(Fault) { try policy.check(redirect: target, from: url) } catch { continue }
            try expect(url.scheme == .http || target.scheme == .https, "from \(url.text) down to \(target.text)")
            try checkPlace(target, policy, isRealm: false)
            url = target
        }
    }

    /// The policy in other words, and with the C library's own reader of addresses.
    private static func checkPlace(_ url: WebURL, _ policy: DestinationPolicy, isRealm: Bool) throws(Finding) {
        let origin = policy.origin
        if url.scheme == .http {
            try expect(!isRealm || origin.scheme == .http, "plain http for a registry on https: \(url.text)")
            let isMeant = policy.insecure.allowsPlainHTTP(url)
            try expect(isMeant, "plain http: \(url.text)")
        }
        guard url.host != origin.host, let address = numeric(url.host) else { return }
        try expect(!(address[0] == 169 && address[1] == 254 && address.count == 4), "link-local: \(url.text)")
        try expect(!(address[0] == 0xfe && address[1] & 0xc0 == 0x80 && address.count == 16), "link-local: \(url.text)")
        // 0.0.0.0 and :: lead to this machine as well (connect(2) on Linux).
        let isLoopback =
            address.count == 4 ? address[0] == 127 : address.dropLast().allSatisfy { $0 == 0 } && address[15] == 1
        let isHere = isLoopback || address.allSatisfy { $0 == 0 }
        let startsHere = numeric(origin.host).map { $0.count == 4 ? $0[0] == 127 : $0.last == 1 } ?? false
        try expect(!isHere || startsHere, "this machine: \(url.text)")
        guard isRealm, address.count == 4 else { return }
        let isPrivate =
            address[0] == 10 || address[0] == 172 && address[1] >> 4 == 1 || address[0] == 192 && address[1] == 168
        try expect(!isPrivate, "a private address: \(url.text)")
    }

    /// What getaddrinfo makes of a host without asking anybody: 4 or 16 bytes, IPv4 taken out of IPv6.
    private static func numeric(_ host: String) -> [UInt8]? {
        let bare = host.hasPrefix("[") ? String(host.dropFirst().dropLast()) : host
        var hints = addrinfo()
        hints.ai_flags = AI_NUMERICHOST
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(bare, nil, &hints, &list) == 0, let list else { return nil }
        defer { freeaddrinfo(list) }
        guard let address = list.pointee.ai_addr else { return nil }
        let bytes = UnsafeRawBufferPointer(start: UnsafeRawPointer(address), count: Int(list.pointee.ai_addrlen))
        if list.pointee.ai_family == AF_INET { return Array(bytes[4..<8]) }
        let six = Array(bytes[8..<24])
        let isMapped = six.prefix(10).allSatisfy { $0 == 0 } && six[10] == 0xff && six[11] == 0xff
        return isMapped ? Array(six.suffix(4)) : six
    }
}
