internal import OCI

/// The body of a registry's error (OCI distribution spec, "Error Codes"), in docker's form: `manifest unknown: manifest
/// unknown`.
struct RegistryMessage: Sendable {
    /// Upper case, such as `MANIFEST_UNKNOWN`; nil where the body is something else.
    let code: String?
    let text: String

    /// `secrets` are left out of the text, should the server repeat what it was shown. `isCut` says that the body was
    /// too long to be read whole.
    init(body: [UInt8], isCut: Bool = false, hiding secrets: [String] = []) {
        struct Body: Decodable {
            struct Item: Decodable {
                let code: String?
                let message: String?
            }
            let errors: [Item]?
        }
        if isCut {
            self.code = nil
            self.text = "its text has more than \(Transfer.errorBodyLimit) bytes, the limit"
            return
        }
        let parsed = try? BoundedJSON.decode(Body.self, from: body, limit: Transfer.errorBodyLimit)
        guard let first = parsed?.errors?.first, let code = first.code, !code.isEmpty else {
            self.code = nil
            // Pages for people are of no use in a message; a short line may be.
            let line = String(decoding: body.prefix(200), as: UTF8.self)
            let isShortLine = body.count <= 200 && !line.contains("<") && !line.contains("{")
            let first = line.split(whereSeparator: \.isNewline).first ?? ""
            self.text = isShortLine ? RegistryMessage.shown(String(first), hiding: secrets) : ""
            return
        }
        self.code = code.uppercased()
        let words = code.lowercased().split(separator: "_").joined(separator: " ")
        let text = [words, first.message ?? ""].filter { !$0.isEmpty }.joined(separator: ": ")
        self.text = RegistryMessage.shown(text, hiding: secrets)
    }

    /// Secrets go before the text is cut to a message's length, so that no part of one stays.
    private static func shown(_ text: String, hiding secrets: [String]) -> String {
        // Shorter ones are words that any text may have.
        let hidden = secrets.filter { $0.utf8.count >= 4 }.sorted { $0.utf8.count > $1.utf8.count }
        return ForeignText(hidden.reduce(text) { $0.replacing($1, with: "REDACTED") }).description
    }

    /// The fault that a status and this body are together.
    func fault(head: ResponseHead) -> Fault {
        switch (head.status, code) {
        case (_, "MANIFEST_UNKNOWN"?), (_, "NAME_UNKNOWN"?), (_, "BLOB_UNKNOWN"?), (404, _): return .notFound(text)
        case (401, _), (403, _), (_, "UNAUTHORIZED"?), (_, "DENIED"?):
            return .unauthorized(text.isEmpty ? "HTTP status \(head.status)" : text)
        default:
            let after = head.value("retry-after").flatMap { RetryAfter.seconds($0) }
            return .status(head.status, text, after: after)
        }
    }

    /// The same, where a redirect led to who says it.
    func fault(head: ResponseHead, redirectedTo place: String) -> Fault {
        switch fault(head: head) {
        case .notFound(let text): .notFound(place + ": " + (text.isEmpty ? "HTTP status \(head.status)" : text))
        case .unauthorized(let text): .unauthorized("\(place): \(text)")
        case .status(let code, let text, let after):
            .status(code, text.isEmpty ? "from \(place)" : "\(place): \(text)", after: after)
        case let other: other
        }
    }
}
