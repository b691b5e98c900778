internal import OCI

/// The body of a registry's error (OCI distribution spec, "Error Codes"), in docker's form: `manifest unknown: manifest
/// unknown`.
struct RegistryMessage: Sendable {
    /// Upper case, such as `MANIFEST_UNKNOWN`; nil where the body is something else.
    let code: String?
    let text: String

    init(body: [UInt8]) {
        struct Body: Decodable {
            struct Item: Decodable {
                let code: String?
                let message: String?
            }
            let errors: [Item]?
        }
        let parsed = try? BoundedJSON.decode(Body.self, from: body, limit: Transfer.errorBodyLimit)
        guard let first = parsed?.errors?.first, let code = first.code, !code.isEmpty else {
            self.code = nil
            // Pages for people are of no use in a message; a short line may be.
            let line = String(decoding: body.prefix(200), as: UTF8.self)
            let isShortLine = body.count <= 200 && !line.contains("<") && !line.contains("{")
            self.text = isShortLine ? ForeignText(line.split(whereSeparator: \.isNewline).first ?? "").description : ""
            return
        }
        self.code = code.uppercased()
        let words = code.lowercased().split(separator: "_").joined(separator: " ")
        self.text =
            ForeignText([words, first.message ?? ""].filter { !$0.isEmpty }.joined(separator: ": ")).description
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
}
