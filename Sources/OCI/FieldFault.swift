/// What is wrong with a document: where, as `linux.resources.memory.limit`, and what.
package struct FieldFault: Error, Hashable, Sendable, CustomStringConvertible {
    /// Empty for the document as a whole.
    package var path: String
    package var reason: String

    package init(_ path: String, _ reason: String) {
        self.path = path
        self.reason = reason
    }

    /// Of the value at hand as a whole.
    package init(_ reason: String) { self.init("", reason) }

    package var description: String { path.isEmpty ? reason : "\(path): \(reason)" }

    /// The same, seen from the object that has it at `key`.
    func inside(_ key: String) -> FieldFault {
        let key = ForeignText(key, limit: 80).description
        return FieldFault(path.isEmpty || path.hasPrefix("[") ? key + path : "\(key).\(path)", reason)
    }

    func inside(_ index: Int) -> FieldFault {
        FieldFault(path.isEmpty || path.hasPrefix("[") ? "[\(index)]\(path)" : "[\(index)].\(path)", reason)
    }
}
