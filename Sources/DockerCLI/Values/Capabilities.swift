internal import OCI

/// Names of capabilities(7).
package enum CapabilityName {
    /// As people write them: without `CAP_`.
    static let short = CapabilityNames.inOrder.map { String($0.dropFirst(4)) }.sorted()

    /// `ALL`, or the name in upper case with `CAP_`; `list` is the word in docker's message.
    package static func normalize(_ text: String, list: String) throws(ValueError) -> String {
        if text.uppercased() == "ALL" { return "ALL" }
        let name = CapabilityNames.full(text)
        guard CapabilityNames.inOrder.contains(name) else {
            throw .plain("invalid \(list): unknown capability: \(GoValue.quoted(name))")
        }
        return name
    }
}
