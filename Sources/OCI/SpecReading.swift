extension Spec {
    /// The largest `config.json` that is read, in bytes.
    package static let maximumSize = 16 << 20

    /// Reads and checks a `config.json` (config.md, 1.0 to 1.3). Members that are not known are passed over, a member
    /// that is null counts as missing; one that is known and asks for what is not supported is an error.
    package init(reading bytes: [UInt8]) throws(SpecFault) {
        let document = try Spec.document(bytes)
        // First of all, since another major version's fields may mean anything.
        guard let members = document.object else { throw SpecFault("\(document.shown) is not an object") }
        try Spec.checkVersion(members["ociVersion"])
        if document["linux"] == nil,
            let other = ["windows", "vm", "solaris", "zos"].first(where: { document[$0] != nil })
        {
            throw SpecFault("linux", "is missing: the container is described for \"\(other)\"")
        }
        try self.init(document)
        try check()
    }

    /// A document as text: an object a line, absent and empty members left out. `init(reading:)` makes the same value of
    /// it, and other runtimes read it.
    package var json: [UInt8] { Spec.text(self) }

    fileprivate static func document(_ bytes: [UInt8]) throws(SpecFault) -> JSONValue {
        if bytes.count > maximumSize { throw SpecFault("\(JSONFault.tooLarge(limit: maximumSize))") }
        do throws(JSONFault) {
            try BoundedJSON.scan(bytes)
            return try JSONValue(parsing: bytes)
        } catch {
            throw SpecFault("\(error)")
        }
    }

    fileprivate static func text(_ value: some SpecRecord) -> [UInt8] {
        var writer = SpecWriter()
        value.write(to: &writer)
        return writer.bytes + [UInt8(ascii: "\n")]
    }

    /// Semantic Versioning 2.0 with major version 1; what a minor version adds can be passed over.
    private static func checkVersion(_ node: JSONValue?) throws(SpecFault) {
        guard let node, !node.isNull else { throw SpecFault("ociVersion", "is missing") }
        guard let text = node.string else { throw SpecFault("ociVersion", "\(node.shown) is not a string") }
        let numbers = text.prefix { $0 != "-" && $0 != "+" }.split(separator: ".", omittingEmptySubsequences: false)
        let isVersion =
            numbers.count == 3
            && numbers.allSatisfy { !$0.isEmpty && $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }
        guard isVersion else { throw SpecFault("ociVersion", "\(node.shown) is not a version such as 1.2.0") }
        if numbers[0] != "1" { throw SpecFault("ociVersion", "\(node.shown) is not supported: versions 1.x are") }
    }
}

extension Spec.Process {
    /// Reads and checks a document that has the `process` object of a `config.json`.
    package init(reading bytes: [UInt8]) throws(SpecFault) {
        try self.init(try Spec.document(bytes))
        try check()
    }

    /// As `Spec.json`.
    package var json: [UInt8] { Spec.text(self) }
}

extension Spec.Resources {
    /// Reads a document that has the `linux.resources` object of a `config.json`.
    package init(reading bytes: [UInt8]) throws(SpecFault) { try self.init(try Spec.document(bytes)) }
}
