extension Spec {
    /// The largest `config.json` that is read, in bytes.
    package static let maximumSize = 16 << 20

    /// Reads and checks a `config.json` (config.md, 1.0 to 1.3). Members that are not known are passed over, a member
    /// that is null counts as missing; one that is known and asks for what is not supported is an error.
    package init(reading bytes: [UInt8]) throws(FieldFault) {
        let document = try Spec.document(bytes)
        // First of all, since another major version's fields may mean anything.
        guard let members = document.object else { throw FieldFault("\(document.shown) is not an object") }
        try Spec.checkVersion(members["ociVersion"])
        if document["linux"] == nil,
            let other = ["windows", "vm", "solaris", "zos"].first(where: { document[$0] != nil })
        {
            throw FieldFault("linux", "is missing: the container is described for \"\(other)\"")
        }
        try self.init(document)
        try check()
    }

    /// A document as text: an object a line, absent and empty members left out. `init(reading:)` makes the same value of
    /// it, and other runtimes read it.
    package var json: [UInt8] { Spec.text(self) }

    fileprivate static func document(_ bytes: [UInt8]) throws(FieldFault) -> JSONValue {
        if bytes.count > maximumSize { throw FieldFault("\(JSONFault.tooLarge(limit: maximumSize))") }
        let document: JSONValue
        do throws(JSONFault) {
            try BoundedJSON.scan(bytes)
            document = try JSONValue(parsing: bytes)
        } catch {
            throw FieldFault("\(error)")
        }
        try document.checkTexts()
        return document
    }

    fileprivate static func text(_ value: some FieldRecord) -> [UInt8] {
        var writer = FieldWriter(.indented)
        value.write(to: &writer)
        return writer.bytes + [UInt8(ascii: "\n")]
    }

    /// Semantic Versioning 2.0 with major version 1; what a minor version adds can be passed over.
    private static func checkVersion(_ node: JSONValue?) throws(FieldFault) {
        guard let node, !node.isNull else { throw FieldFault("ociVersion", "is missing") }
        guard let text = node.string else { throw FieldFault("ociVersion", "\(node.shown) is not a string") }
        let numbers = text.prefix { $0 != "-" && $0 != "+" }.split(separator: ".", omittingEmptySubsequences: false)
        let isVersion =
            numbers.count == 3
            && numbers.allSatisfy { !$0.isEmpty && $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }
        guard isVersion else { throw FieldFault("ociVersion", "\(node.shown) is not a version such as 1.2.0") }
        if numbers[0] != "1" { throw FieldFault("ociVersion", "\(node.shown) is not supported: versions 1.x are") }
    }
}

extension Spec.Process {
    /// Reads and checks a document that has the `process` object of a `config.json`.
    package init(reading bytes: [UInt8]) throws(FieldFault) {
        try self.init(try Spec.document(bytes))
        try check()
    }

    /// As `Spec.json`.
    package var json: [UInt8] { Spec.text(self) }
}

extension Spec.Resources {
    /// Reads a document that has the `linux.resources` object of a `config.json`.
    package init(reading bytes: [UInt8]) throws(FieldFault) { try self.init(try Spec.document(bytes)) }
}

extension JSONValue {
    /// The kernel's strings end at a NUL: it would read another one than whoever checked this.
    fileprivate func checkTexts() throws(FieldFault) {
        switch self {
        case .null, .bool, .number: return
        case .string(let text):
            if text.utf8.contains(0) { throw FieldFault("\(shown) has a NUL in it") }
        case .array(let values):
            for (index, value) in values.enumerated() {
                do throws(FieldFault) { try value.checkTexts() } catch { throw error.inside(index) }
            }
        case .object(let members):
            for (key, value) in members {
                if key.isEmpty { throw FieldFault("has an empty key") }
                if key.utf8.contains(0) { throw FieldFault("the key \(JSONValue.string(key).shown) has a NUL in it") }
                do throws(FieldFault) { try value.checkTexts() } catch { throw error.inside(key) }
            }
        }
    }
}
