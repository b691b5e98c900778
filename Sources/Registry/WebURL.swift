internal import CCurl

/// An http or https URL, taken apart by libcurl's own parser: what is checked is what is connected to.
package struct WebURL: Hashable, Sendable {
    package enum Scheme: String, Sendable {
        case https, http

        package var defaultPort: UInt16 { self == .https ? 443 : 80 }
    }

    package let scheme: Scheme
    /// Lower case, IPv6 addresses in brackets.
    package let host: String
    /// The effective port.
    package let port: UInt16
    package let path: String
    package let query: String?
    /// The whole, normalized, as libcurl gets it. May hold secrets in its query: see `description`.
    package let text: String

    /// Why a text is no URL to go to.
    package struct Fault: Error, Hashable, Sendable {
        package let reason: String
    }

    package init(parsing text: String) throws(Fault) {
        try self.init(parsing: text, base: nil)
    }

    /// Follows a Location or Link, which may be relative (RFC 3986, 5).
    package func resolving(_ location: String) throws(Fault) -> WebURL {
        try WebURL(parsing: location, base: text)
    }

    private init(parsing text: String, base: String?) throws(Fault) {
        guard let handle = curl_url() else { throw Fault(reason: "out of memory") }
        defer { curl_url_cleanup(handle) }
        let flags = UInt32(CURLU_DISALLOW_USER)
        if let base { try WebURL.set(handle, CURLUPART_URL, base, flags) }
        try WebURL.set(handle, CURLUPART_URL, text, flags)
        try WebURL.set(handle, CURLUPART_FRAGMENT, nil, 0)
        // libcurl takes a host's escapes out last of all, and the next reading may find an address in what is left: what
        // is checked is what that one says.
        guard let decoded = WebURL.get(handle, CURLUPART_URL) else { throw Fault(reason: "no host") }
        try WebURL.set(handle, CURLUPART_URL, decoded, flags)
        guard let scheme = Scheme(rawValue: WebURL.get(handle, CURLUPART_SCHEME) ?? "") else {
            throw Fault(reason: "scheme is neither https nor http")
        }
        guard let host = WebURL.get(handle, CURLUPART_HOST), !host.isEmpty else { throw Fault(reason: "no host") }
        // libcurl would map full-width digits and the like to ASCII after our checks of the address.
        guard host.utf8.allSatisfy({ $0 < 0x80 && $0 > 0x20 && $0 != UInt8(ascii: "%") }) else {
            throw Fault(reason: "host is not plain ASCII")
        }
        guard WebURL.get(handle, CURLUPART_ZONEID) == nil else { throw Fault(reason: "address has a zone") }
        guard let port = UInt16(WebURL.get(handle, CURLUPART_PORT, UInt32(CURLU_DEFAULT_PORT)) ?? ""), port > 0,
            let whole = WebURL.get(handle, CURLUPART_URL)
        else { throw Fault(reason: "no valid port") }
        self.scheme = scheme
        self.host = host.lowercased()
        self.port = port
        self.path = WebURL.get(handle, CURLUPART_PATH) ?? "/"
        self.query = WebURL.get(handle, CURLUPART_QUERY)
        self.text = whole
    }

    /// The URL with `name=value` pairs added to its query, encoded.
    package func appending(_ pairs: [(String, String)]) throws(Fault) -> WebURL {
        guard let handle = curl_url() else { throw Fault(reason: "out of memory") }
        defer { curl_url_cleanup(handle) }
        try WebURL.set(handle, CURLUPART_URL, text, 0)
        for (name, value) in pairs {
            try WebURL.set(
                handle, CURLUPART_QUERY, "\(name)=\(value)", UInt32(CURLU_APPENDQUERY | CURLU_URLENCODE))
        }
        guard let whole = WebURL.get(handle, CURLUPART_URL) else { throw Fault(reason: "out of memory") }
        return try WebURL(parsing: whole)
    }

    /// `host:port`, for messages.
    package var authority: String { "\(host):\(port)" }

    package func sameOrigin(as other: WebURL) -> Bool {
        scheme == other.scheme && host == other.host && port == other.port
    }

    private static func set(_ handle: OpaquePointer, _ part: CURLUPart, _ text: String?, _ flags: UInt32) throws(Fault)
    {
        let code = curl_url_set(handle, part, text, flags)
        guard code == CURLUE_OK else { throw Fault(reason: String(cString: curl_url_strerror(code)).lowercased()) }
    }

    private static func get(_ handle: OpaquePointer, _ part: CURLUPart, _ flags: UInt32 = 0) -> String? {
        var text: UnsafeMutablePointer<CChar>?
        guard curl_url_get(handle, part, &text, flags) == CURLUE_OK, let text else { return nil }
        defer { curl_free(text) }
        return String(cString: text)
    }
}

extension WebURL: CustomStringConvertible {
    /// Without what may be secret: every value of the query reads REDACTED, as presigned URLs carry signatures there.
    package var description: String {
        guard let query else { return text }
        let names = query.split(separator: "&").map { pair in
            pair.contains("=") ? pair.prefix { $0 != "=" } + "=REDACTED" : "REDACTED"
        }
        return text.prefix { $0 != "?" } + "?" + names.joined(separator: "&")
    }
}
